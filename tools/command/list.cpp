// silicast list KIND: the catalogue, with units, evidence grades and sources.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>

#include "sim/base/errors.hpp"
#include "sim/run/catalogue.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {

int list(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  add_configs_option(visible);
  visible.add_options()("sources", "one row per number: value, range, grade, source");
  hidden.add_options()("kind", options::value<std::string>());
  options::positional_options_description positional;
  positional.add("kind", 1);
  const std::string kinds = fmt::format("{}", fmt::join(catalogue_kinds(), ", "));
  const auto given =
      parse(arguments, "usage: silicast list KIND [--sources]\nKIND: " + kinds, visible, positional, hidden);
  if (!given) return 0;
  if (given->count("kind") == 0) throw InputError("list what? give one of: " + kinds);
  const CatalogueTable table =
      list_catalogue((*given)["kind"].as<std::string>(), find_configs(*given), given->count("sources") > 0);
  std::cout << aligned(table.columns, table.rows);
  return 0;
}

}  // namespace silicast::command
