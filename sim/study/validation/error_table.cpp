#include "sim/study/validation/error_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace silicast {
namespace {

std::string key_of(const CaseResult& result, ErrorView view) {
  const CaseLabels& labels = result.labels;
  switch (view) {
    case ErrorView::kAll:
      return "";
    case ErrorView::kChip:
      return labels.chip;
    case ErrorView::kModel:
      return labels.model;
    case ErrorView::kEngine:
      return labels.engine;
    case ErrorView::kLoad:
      return result.load;
    case ErrorView::kGroup:
      return fmt::format("{} {} {} {}", labels.chip, labels.model, labels.engine, result.load);
  }
  return "";
}

// A message without the places that differ from row to row: "t.csv:12:3:5: model: unknown" is "model: unknown".
std::string without_place(const ValidationCase& one, const std::string& reason) {
  if (!reason.starts_with(one.id + ":")) return reason;
  const std::size_t text = reason.find(' ', one.id.size());
  return text == std::string::npos ? reason : reason.substr(text + 1);
}

}  // namespace

std::string_view name_of(ErrorView view) {
  constexpr std::string_view kNames[] = {"overall", "chip", "model", "engine", "load", "chip, model, engine, load"};
  return kNames[static_cast<std::size_t>(view)];
}

std::vector<ErrorRow> error_rows(const ValidationReport& report, ErrorView view) {
  using Key = std::tuple<std::string, MetricClass, bool>;
  std::map<Key, std::map<std::string, std::vector<double>>> errors;
  for (const CaseResult& result : report.results)
    for (const Comparison& comparison : result.comparisons)
      errors[{key_of(result, view), find_metric(comparison.metric)->metric_class, result.about->calibrates}]
            [result.about->group]
                .push_back(comparison.error);
  std::vector<ErrorRow> rows;
  for (const auto& [key, by_group] : errors)
    rows.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), over_groups(by_group)});
  return rows;
}

std::vector<UnsupportedReason> unsupported_reasons(const ValidationReport& report) {
  std::map<std::pair<std::string, std::string>, std::size_t> counts;
  for (const CaseResult& result : report.results)
    if (!result.unsupported.empty()) ++counts[{result.about->part, without_place(*result.about, result.unsupported)}];
  std::vector<UnsupportedReason> reasons;
  for (const auto& [key, count] : counts) reasons.push_back({key.first, key.second, count});
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const UnsupportedReason& a, const UnsupportedReason& b) { return a.cases > b.cases; });
  return reasons;
}

}  // namespace silicast
