// Errors of a report, put together by what the cases have in common.
#pragma once

#include <string>
#include <vector>

#include "sim/study/validation/validate.hpp"

namespace silicast {

struct ErrorRow {
  std::string of;  // "h200", "h200 llama-3.1-70b vllm unsaturated"; empty: everything
  MetricClass metric_class = MetricClass::kTtft;
  bool calibrates = false;  // numbers of the catalogue were fitted on these cases; else nothing has seen them
  ErrorStatistics errors;   // groups count once
};

// In which respect cases are put together.
enum class ErrorView { kAll, kChip, kModel, kEngine, kLoad, kGroup };
inline constexpr ErrorView kErrorViews[] = {ErrorView::kAll,    ErrorView::kChip, ErrorView::kModel,
                                            ErrorView::kEngine, ErrorView::kLoad, ErrorView::kGroup};
std::string_view name_of(ErrorView view);  // "overall", "chip", ..., "chip, model, engine, load"

// Sorted by `of`, metric class, calibrates.
std::vector<ErrorRow> error_rows(const ValidationReport& report, ErrorView view);

// Why cases were not compared and how many had each reason, the commonest first.
struct UnsupportedReason {
  std::string part;
  std::string reason;
  std::size_t cases = 0;
};
std::vector<UnsupportedReason> unsupported_reasons(const ValidationReport& report);

}  // namespace silicast
