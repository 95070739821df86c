#include "sim/study/validation/validate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "sim/study/validation/bounds.hpp"
#include "sim/study/parallel_for.hpp"
#include "sim/study/validation/predict.hpp"

namespace silicast {
namespace {

CaseLabels labels_of(const Scenario& scenario) {
  const PoolScenario& pool = scenario.pools[0];
  const Precision& precision = pool.precision;
  return {scenario.model.name, pool.chip.name, pool.engine.name,
          fmt::format("{}/{}/{}", name_of(precision.weights), name_of(precision.activations), name_of(precision.kv))};
}

void check_fit(const Scenario& scenario) {
  for (const PoolScenario& pool : scenario.pools)
    if (!pool.memory.fits() && !pool.kv_blocks_given)
      throw InputError(fmt::format("the model does not fit: {} short on a {}",
                                   format_quantity(pool.memory.shortfall.value(), Dimension::kBytes), pool.chip.name));
}

// Curves that differ by d at each tick are as wrong as d is large against what was measured.
void compare_curves(const std::vector<CurvePoint>& measured, const std::vector<CurvePoint>& ours,
                    std::vector<Comparison>& comparisons) {
  const std::pair<const char*, double CurvePoint::*> kCurves[] = {{"running", &CurvePoint::running},
                                                                  {"waiting", &CurvePoint::waiting}};
  for (const auto& [metric, of] : kCurves) {
    double sum = 0, sum_ours = 0, between = 0;
    for (std::size_t i = 0; i < measured.size(); ++i) {
      const double value = i < ours.size() ? ours[i].*of : 0;
      sum += measured[i].*of;
      sum_ours += value;
      between += std::abs(value - measured[i].*of);
    }
    const auto n = static_cast<double>(measured.size());
    if (sum > 0) comparisons.push_back({metric, sum / n, sum_ours / n, between / sum});
  }
}

void compare(const ValidationCase& one, const Scenario& scenario, CaseResult& result) {
  Prediction prediction = predict(scenario, one);
  result.load = std::move(prediction.load);
  for (std::size_t i = 0; i < one.measured.size(); ++i) {
    const double predicted = prediction.values[i], measured = one.measured[i].value;
    result.comparisons.push_back({one.measured[i].metric, measured, predicted, predicted / measured - 1});
  }
  const auto* question = std::get_if<ServeQuestion>(&one.question);
  if (question != nullptr && !question->measured_curve.empty()) {
    compare_curves(question->measured_curve, prediction.curve, result.comparisons);
    result.curve = std::move(prediction.curve);
  }
}

}  // namespace

CaseResult run_case(const ValidationCase& one, const ValidationOptions& options) {
  CaseResult result;
  result.about = &one;
  result.labels = one.labels;
  result.unsupported = one.unsupported;
  if (!result.unsupported.empty()) return result;
  try {
    ConfigNode tree = one.scenario;
    const ScenarioSource source{options.configs_dir, options.settings};
    // A measured run had the KV blocks that it had, and one iteration can be priced of what would not fit.
    const Scenario scenario = read_scenario(std::move(tree), one.scenario_path, source, Fit::kReported);
    result.labels = labels_of(scenario);
    if (std::holds_alternative<ServeQuestion>(one.question)) check_fit(scenario);
    compare(one, scenario, result);
  } catch (const InputError& error) {
    result.unsupported = error.what();
    // A bad setting is refused by every scenario: the user's mistake, not the case's.
    if (result.unsupported.starts_with("--set ")) throw;
  }
  return result;
}

bool ValidationReport::bounds_hold() const {
  return std::none_of(bounds.begin(), bounds.end(), [](const BoundResult& bound) { return bound.broken(); });
}

ValidationReport validate(const ValidationOptions& options) {
  ValidationReport report;
  const ReadContext context{Names::read(options.configs_dir), options.configs_dir};
  const ClaimedBounds claimed = ClaimedBounds::read(options.configs_dir);
  read_cases(options.configs_dir + "/validation", context, report.files);
  report.files.not_read.clear();  // the names and the bounds themselves
  for (const std::string& path : options.data) read_cases(path, context, report.files);
  std::vector<ValidationCase>& cases = report.files.cases;
  const std::size_t all = cases.size();
  std::erase_if(cases, [&](const ValidationCase& one) { return !is_chosen(one, options.only); });
  if (cases.empty())
    throw InputError(all == 0 ? "there are no cases; give measurements by --data"
                              : fmt::format("--only '{}' chooses no case", fmt::join(options.only, "' '")));
  for (ValidationCase& one : cases) one.calibrates = one.calibrates || claimed.calibrates(one);
  report.results.resize(cases.size());
  parallel_for(cases.size(), options.threads, [&](std::size_t i) { report.results[i] = run_case(cases[i], options); });
  report.bounds = claimed.judge(report.results);
  return report;
}

}  // namespace silicast
