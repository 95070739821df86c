#include "sim/study/validation/report_writer.hpp"

#include <fmt/format.h>

#include <map>

#include "sim/report/json_text.hpp"
#include "sim/study/validation/error_table.hpp"

namespace silicast {
namespace {

std::string percent(double share) {
  return fmt::format("{:.1f}%", 100 * share);
}
std::string signed_percent(double share) {
  return fmt::format("{:+.1f}%", 100 * share);
}

std::string value_text(double value, const MetricInfo& metric) {
  if (metric.dimension == Dimension::kNumber) return fmt::format("{:.6g}", value);
  return format_quantity(value, metric.dimension, 4);
}

ReportTable rows_table(const ValidationReport& report) {
  ReportTable table{
      "cases",
      {"case", "chip", "model", "engine", "precision", "load", "metric", "measured", "predicted", "error"},
      {}};
  for (const CaseResult& result : report.results) {
    const CaseLabels& labels = result.labels;
    const std::vector<std::string> about = {result.about->id, labels.chip,      labels.model,
                                            labels.engine,    labels.precision, result.load};
    for (const Comparison& comparison : result.comparisons) {
      const MetricInfo& metric = *find_metric(comparison.metric);
      std::vector<std::string> row = about;
      for (const std::string& cell : {comparison.metric, value_text(comparison.measured, metric),
                                      value_text(comparison.predicted, metric), signed_percent(comparison.error)})
        row.push_back(cell);
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

ReportTable errors_table(const ValidationReport& report, ErrorView view) {
  ReportTable table{fmt::format("errors, {}", name_of(view)),
                    {std::string(name_of(view)), "metric", "cases", "n", "groups", "bias", "median", "p90", "mean"},
                    {}};
  for (const ErrorRow& row : error_rows(report, view))
    table.rows.push_back({row.of.empty() ? "all" : row.of, std::string(name_of(row.metric_class)),
                          row.calibrates ? "calibrated on" : "never seen", fmt::format("{}", row.errors.cases),
                          fmt::format("{}", row.errors.groups), signed_percent(row.errors.bias),
                          percent(row.errors.median), percent(row.errors.p90), percent(row.errors.mean)});
  return table;
}

ReportTable bounds_table(const ValidationReport& report) {
  ReportTable table{"bounds", {"bound", "figure", "n", "at most", "is", "verdict"}, {}};
  for (const BoundResult& bound : report.bounds)
    table.rows.push_back({bound.name, bound.figure, fmt::format("{}", bound.cases), percent(bound.at_most),
                          bound.value ? percent(*bound.value) : "-",
                          !bound.value     ? "not tested"
                          : bound.broken() ? "BROKEN"
                                           : "holds"});
  return table;
}

ReportTable unsupported_table(const ValidationReport& report) {
  ReportTable table{"not compared", {"cases", "part", "reason"}, {}};
  for (const UnsupportedReason& reason : unsupported_reasons(report))
    table.rows.push_back({fmt::format("{}", reason.cases), reason.part, reason.reason});
  if (const std::size_t files = report.files.not_read.size(); files > 0)
    table.rows.push_back({"-", fmt::format("{} files", files), "of no known format, e.g. " + report.files.not_read[0]});
  return table;
}

ReportTable left_out_table(const ValidationReport& report) {
  constexpr std::size_t kMost = 6;
  ReportTable table{"left out of the fit", {"left out", "cases", "what the others moved, the furthest first"}, {}};
  for (const LeftOut& one : report.left_out) {
    std::string moves;
    for (std::size_t i = 0; i < std::min(kMost, one.moved.size()); ++i) {
      const LeftOut::Moved& move = one.moved[i];
      const auto text = [&](double value) {
        return move.dimension == Dimension::kNumber || value == 0 ? fmt::format("{:.3g}", value)
                                                                  : format_quantity(value, move.dimension, 3);
      };
      moves += fmt::format("{}{} {} to {}", moves.empty() ? "" : ", ", move.what, text(move.from), text(move.to));
    }
    if (one.moved.size() > kMost) moves += fmt::format(", {} more", one.moved.size() - kMost);
    table.rows.push_back({one.name, fmt::format("{}", one.cases), moves});
  }
  return table;
}

void put_errors(JsonText& json, const ErrorStatistics& errors) {
  json.item("n").integer(static_cast<std::int64_t>(errors.cases));
  json.item("groups").integer(static_cast<std::int64_t>(errors.groups));
  json.item("bias").number(errors.bias);
  json.item("median").number(errors.median);
  json.item("p90").number(errors.p90);
  json.item("mean").number(errors.mean);
}

void put_view(JsonText& json, const ValidationReport& report, ErrorView view) {
  json.item(name_of(view)).open('[');
  for (const ErrorRow& row : error_rows(report, view)) {
    json.item().open('{');
    json.item("of").string(row.of);
    json.item("metric").string(name_of(row.metric_class));
    json.item("calibrates").boolean(row.calibrates);
    put_errors(json, row.errors);
    json.close('}');
  }
  json.close(']');
}

void put_case(JsonText& json, const CaseResult& result) {
  const ValidationCase& about = *result.about;
  json.item().open('{');
  const std::pair<const char*, const std::string*> kTexts[] = {{"id", &about.id},
                                                               {"part", &about.part},
                                                               {"source", &about.source},
                                                               {"group", &about.group},
                                                               {"chip", &result.labels.chip},
                                                               {"model", &result.labels.model},
                                                               {"engine", &result.labels.engine},
                                                               {"precision", &result.labels.precision},
                                                               {"load", &result.load}};
  for (const auto& [key, text] : kTexts) json.item(key).string(*text);
  json.item("calibrates").boolean(about.calibrates);
  json.item("unsupported");
  if (result.unsupported.empty())
    json.null();
  else
    json.string(result.unsupported);
  json.item("metrics").open('[');
  for (const Comparison& comparison : result.comparisons) {
    json.item().open('{');
    json.item("metric").string(comparison.metric);
    json.item("measured").number(comparison.measured);
    json.item("predicted").number(comparison.predicted);
    json.item("error").number(comparison.error);
    if (comparison.low) {
      json.item("low").number(*comparison.low);
      json.item("high").number(*comparison.high);
    }
    json.close('}');
  }
  json.close(']');
  if (!result.curve.empty()) {
    json.item("curve").open('[');
    const auto& measured = std::get<ServeQuestion>(about.question).measured_curve;
    for (std::size_t i = 0; i < measured.size(); ++i) {
      const CurvePoint ours = i < result.curve.size() ? result.curve[i] : CurvePoint{};
      json.item().open('{');
      json.item("time_s").number(measured[i].time);
      json.item("running_measured").number(measured[i].running);
      json.item("running_predicted").number(ours.running);
      json.item("waiting_measured").number(measured[i].waiting);
      json.item("waiting_predicted").number(ours.waiting);
      json.close('}');
    }
    json.close(']');
  }
  json.close('}');
}

}  // namespace

std::vector<ReportTable> report_tables(const ValidationReport& report, bool rows) {
  std::vector<ReportTable> tables;
  if (rows) tables.push_back(rows_table(report));
  for (const ErrorView view : kErrorViews) tables.push_back(errors_table(report, view));
  tables.push_back(left_out_table(report));
  tables.push_back(bounds_table(report));
  tables.push_back(unsupported_table(report));
  std::erase_if(tables, [](const ReportTable& table) { return table.rows.empty(); });
  return tables;
}

ReportTable support_table(const std::vector<SupportRow>& rows) {
  ReportTable table{"support", {"model", "precision"}, {}};
  constexpr Support kColumns[] = {Support::kMeasured, Support::kCalibrated, Support::kEstimated, Support::kUnsupported};
  for (const Support support : kColumns) table.columns.emplace_back(name_of(support));
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> chips;
  for (const SupportRow& row : rows) {
    std::vector<std::string>& cells = chips[{row.model, row.precision}];
    cells.resize(std::size(kColumns));
    std::string& cell = cells[static_cast<std::size_t>(row.support)];
    cell += (cell.empty() ? "" : " ") + row.chip;
  }
  for (const auto& [key, cells] : chips) {
    table.rows.push_back({key.first, key.second});
    for (const std::string& cell : cells) table.rows.back().push_back(cell.empty() ? "-" : cell);
  }
  return table;
}

std::string report_json(const ValidationReport& report, const std::vector<SupportRow>& support) {
  JsonText json;
  json.open('{');
  json.item("errors").open('{');
  for (const ErrorView view : kErrorViews) put_view(json, report, view);
  json.close('}');
  json.item("bounds").open('[');
  for (const BoundResult& bound : report.bounds) {
    json.item().open('{');
    json.item("name").string(bound.name);
    json.item("figure").string(bound.figure);
    json.item("n").integer(static_cast<std::int64_t>(bound.cases));
    json.item("at_most").number(bound.at_most);
    json.item("value").number(bound.value.value_or(std::numeric_limits<double>::quiet_NaN()));
    json.item("broken").boolean(bound.broken());
    json.close('}');
  }
  json.close(']');
  json.item("left_out").open('[');
  for (const LeftOut& one : report.left_out) {
    json.item().open('{');
    json.item("name").string(one.name);
    json.item("cases").integer(static_cast<std::int64_t>(one.cases));
    json.item("moved").open('[');
    for (const LeftOut::Moved& move : one.moved) {
      json.item().open('{');
      json.item("number").string(move.what);
      json.item("from").number(move.from);
      json.item("to").number(move.to);
      json.close('}');
    }
    json.close(']');
    json.close('}');
  }
  json.close(']');
  json.item("not_compared").open('[');
  for (const UnsupportedReason& reason : unsupported_reasons(report)) {
    json.item().open('{');
    json.item("cases").integer(static_cast<std::int64_t>(reason.cases));
    json.item("part").string(reason.part);
    json.item("reason").string(reason.reason);
    json.close('}');
  }
  json.close(']');
  json.item("files_not_read").open('[');
  for (const std::string& file : report.files.not_read) json.item().string(file);
  json.close(']');
  json.item("cases").open('[');
  for (const CaseResult& result : report.results) put_case(json, result);
  json.close(']');
  json.item("support").open('[');
  for (const SupportRow& row : support) {
    json.item().open('{');
    json.item("model").string(row.model);
    json.item("chip").string(row.chip);
    json.item("precision").string(row.precision);
    json.item("support").string(name_of(row.support));
    json.item("reason").string(row.reason);
    json.close('}');
  }
  json.close(']');
  json.close('}');
  return json.take() + "\n";
}

}  // namespace silicast
