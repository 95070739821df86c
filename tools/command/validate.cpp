// silicast validate: every measurement that there is against what silicast says to it. Exit status 1 where a bound is
// broken.
#include "sim/study/validation/validate.hpp"

#include <fmt/format.h>

#include <iostream>
#include <thread>

#include "sim/base/errors.hpp"
#include "sim/study/validation/report_writer.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {
namespace {

std::vector<std::string> texts(const options::variables_map& given, const char* name) {
  return given.count(name) > 0 ? given[name].as<std::vector<std::string>>() : std::vector<std::string>{};
}

void print(const ReportTable& table) {
  std::cout << table.title << "\n\n" << aligned(table.columns, table.rows) << "\n";
}

}  // namespace

int validate(const std::vector<std::string>& arguments) {
  using Texts = std::vector<std::string>;
  options::options_description visible("options"), hidden;
  visible.add_options()("data", options::value<Texts>()->value_name("PATH"),
                        "measurements, beside those that ship: a folder or a file; may be repeated")(
      "only", options::value<Texts>()->value_name("PATTERN"),
      "cases whose part, id, group, chip, model, engine or precision matches, e.g. closed_loop,h200,llama-*; may be "
      "repeated")(
      "set", options::value<Texts>()->value_name("KEY=VALUE"),
      "change a key of every scenario, e.g. cluster.pools.0.engine.host.per_iteration=200us; may be repeated")(
      "format", options::value<std::string>()->value_name("table|json")->default_value("table"), "of the report")(
      "rows", "one line per case and metric as well")(
      "support", "what is measured, calibrated, estimated, unsupported: each model, chip and precision")(
      "threads", options::value<int>()->value_name("N"), "default: one per core");
  add_configs_option(visible);
  const auto given = parse(
      arguments,
      "usage: silicast validate [--data PATH ...] [--only PATTERN ...] [--format table|json] [--rows] [--support] "
      "[--set key.path=value ...] [--threads N]\n"
      "Exit status 1 where an asserted bound is broken.",
      visible, {}, hidden);
  if (!given) return 0;
  const std::string format = (*given)["format"].as<std::string>();
  if (format != "table" && format != "json")
    throw InputError(fmt::format("--format '{}': must be table or json", format));
  const int threads = given->count("threads") > 0 ? (*given)["threads"].as<int>()
                                                  : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (threads < 1 || threads > 1024) throw InputError(fmt::format("--threads {}: must be from 1 to 1024", threads));
  const ValidationOptions asked{find_configs(*given), texts(*given, "data"), texts(*given, "only"),
                                texts(*given, "set"), static_cast<std::size_t>(threads)};
  const ValidationReport report = silicast::validate(asked);
  std::vector<SupportRow> support;
  if (given->count("support") > 0) support = support_matrix(report, asked);
  if (format == "json") {
    std::cout << report_json(report, support);
  } else {
    for (const ReportTable& table : report_tables(report, given->count("rows") > 0)) print(table);
    if (!support.empty()) print(support_table(support));
  }
  return report.bounds_hold() ? 0 : 1;
}

}  // namespace silicast::command
