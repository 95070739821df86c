#include "sim/study/validation/bounds.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>

namespace silicast {
namespace {

const std::vector<std::string> kFigures = {"median", "mean", "p90"};

double figure_of(const ErrorStatistics& errors, const std::string& figure) {
  return figure == "median" ? errors.median : figure == "mean" ? errors.mean : errors.p90;
}

std::vector<std::string> texts(const ConfigValue& value) {
  std::vector<std::string> texts;
  for (const ConfigValue& item : value.list()) texts.push_back(item.text());
  return texts;
}

// Patterns see the labels that the scenario resolved to.
bool is_about(const CaseResult& result, const std::vector<std::string>& patterns) {
  ValidationCase names;
  names.part = result.about->part, names.id = result.about->id, names.group = result.about->group;
  names.labels = result.labels;
  return is_chosen(names, patterns, result.load);
}

}  // namespace

ClaimedBounds ClaimedBounds::read(const std::string& configs_dir) {
  return of(ConfigValue::from_file(configs_dir + "/validation/bounds.yaml"));
}

ClaimedBounds ClaimedBounds::of(const ConfigValue& root) {
  ClaimedBounds claimed;
  ConfigMap map = root.map();
  claimed.calibrated_ = texts(map.required("calibrated"));
  for (const ConfigValue& value : map.required("bounds").list()) {
    ConfigMap keys = value.map();
    Claim claim;
    claim.name = keys.required("name").text();
    claim.cases = texts(keys.required("cases"));
    const ConfigValue metrics = keys.required("metrics");
    for (const ConfigValue& metric : metrics.list()) {
      claim.metrics.push_back(metric.text());
      const std::vector<std::string> names = metric_names();
      if (std::none_of(names.begin(), names.end(), [&](const std::string& name) {
            return ::fnmatch(claim.metrics.back().c_str(), name.c_str(), 0) == 0;
          }))
        metric.fail(
            fmt::format("no metric is called '{}'{}", claim.metrics.back(), suggestion(claim.metrics.back(), names)));
    }
    claim.figure = kFigures[keys.required("figure").choice(kFigures, "figure")];
    claim.at_most = keys.required("at_most").number({0, 100, true});
    keys.done();
    claimed.claims_.push_back(std::move(claim));
  }
  map.done();
  return claimed;
}

bool ClaimedBounds::calibrates(const ValidationCase& one) const {
  return !calibrated_.empty() && is_chosen(one, calibrated_);
}

std::vector<BoundResult> ClaimedBounds::judge(const std::vector<CaseResult>& results) const {
  std::vector<BoundResult> judged;
  for (const Claim& claim : claims_) {
    std::vector<double> errors;
    for (const CaseResult& result : results) {
      if (!is_about(result, claim.cases)) continue;
      for (const Comparison& comparison : result.comparisons)
        if (std::any_of(claim.metrics.begin(), claim.metrics.end(), [&](const std::string& metric) {
              return ::fnmatch(metric.c_str(), comparison.metric.c_str(), 0) == 0;
            }))
          errors.push_back(comparison.error);
    }
    BoundResult bound{claim.name, claim.figure, claim.at_most, errors.size(), {}};
    if (!errors.empty()) bound.value = figure_of(error_statistics(errors), claim.figure);
    judged.push_back(std::move(bound));
  }
  for (const CaseResult& result : results)
    for (const CaseBound& own : result.about->bounds)
      for (const Comparison& comparison : result.comparisons)
        if (comparison.metric == own.metric)
          judged.push_back({fmt::format("{}: {}", result.about->id, own.metric), "error", own.at_most, 1,
                            std::abs(comparison.error)});
  return judged;
}

}  // namespace silicast
