// silicast recover FILE.h5.part: makes a readable file of what a killed run left.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "sim/base/errors.hpp"
#include "sim/io/hdf5_file.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {

int recover(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  visible.add_options()("out", options::value<std::string>()->value_name("FILE"), "recovered file; default: FILE.recovered.h5 beside it");
  hidden.add_options()("file", options::value<std::string>());
  options::positional_options_description positional;
  positional.add("file", 1);
  const auto given = parse(arguments, "usage: silicast recover FILE.h5.part [--out FILE]", visible, positional, hidden);
  if (!given) return 0;
  if (given->count("file") == 0) throw InputError("recover what? give the .part file of a killed run");
  const std::string part = (*given)["file"].as<std::string>();
  std::string out = part;
  if (given->count("out") > 0) {
    out = (*given)["out"].as<std::string>();
    if (out.empty()) throw InputError("--out needs the name of a file");
  } else {
    if (out.ends_with(".part")) out.resize(out.size() - 5);
    if (out.ends_with(".h5")) out.resize(out.size() - 3);
    out += ".recovered.h5";
  }
  std::error_code ignored;
  if (std::filesystem::exists(out, ignored)) throw InputError(fmt::format("{}: exists already; give another name by --out", out));
  const Recovered recovered = recover_hdf5(part, out, "/scenario");
  std::cout << fmt::format("written: {} ({} rows; {} incomplete ones dropped; no summary, since the run did not end)\n", out, recovered.rows, recovered.dropped);
  return 0;
}

}  // namespace silicast::command
