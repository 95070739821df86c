// silicast validate: every measurement that there is against what silicast says to it. Exit status 1 where a bound is
// broken.
#include "sim/study/validation/validate.hpp"

#include <fmt/format.h>

#include <iostream>

#include "sim/base/errors.hpp"
#include "sim/study/holdout/left_out.hpp"
#include "sim/study/validation/report_writer.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {
namespace {

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
      "repeated")("leave-out", options::value<std::string>()->value_name("model|chip"),
                  "predict each model (or each die) with what is fitted to the others alone; minutes on all data")(
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
      "[--leave-out model|chip] [--set key.path=value ...] [--threads N]\n"
      "Exit status 1 where an asserted bound is broken.",
      visible, {}, hidden);
  if (!given) return 0;
  const std::string format = (*given)["format"].as<std::string>();
  if (format != "table" && format != "json")
    throw InputError(fmt::format("--format '{}': must be table or json", format));
  const ValidationOptions asked{find_configs(*given), texts(*given, "data"), texts(*given, "only"),
                                texts(*given, "set"), threads_of(*given)};
  const std::string left_out = given->count("leave-out") > 0 ? (*given)["leave-out"].as<std::string>() : "";
  if (!left_out.empty() && left_out != "model" && left_out != "chip")
    throw InputError(fmt::format("--leave-out '{}': must be model or chip", left_out));
  if (!left_out.empty() && given->count("support") > 0)
    throw InputError("--support is of the catalogue as it is, not with --leave-out");
  const ValidationReport report = left_out.empty()
                                      ? silicast::validate(asked)
                                      : leave_out(left_out == "model" ? LeaveOut::kModel : LeaveOut::kChip, asked);
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
