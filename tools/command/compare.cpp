// silicast compare A.h5 B.h5 ...: summaries side by side, paired differences per request where the arrivals are the
// same.
#include <iostream>

#include "sim/base/errors.hpp"
#include "sim/run/presentation.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {

int compare(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  hidden.add_options()("files", options::value<std::vector<std::string>>());
  options::positional_options_description positional;
  positional.add("files", -1);
  const auto given = parse(
      arguments, "usage: silicast compare A.h5 B.h5 ...\nThe first file is the one that the others are compared with.",
      visible, positional, hidden);
  if (!given) return 0;
  if (given->count("files") == 0) throw InputError("compare what? give result files");
  std::cout << comparison_of((*given)["files"].as<std::vector<std::string>>());
  return 0;
}

}  // namespace silicast::command
