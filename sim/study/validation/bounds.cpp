#include "sim/study/validation/bounds.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>

namespace silicast {
namespace {

const std::vector<std::string> kFigures = {"median", "mean", "p90", "outside"};
const std::vector<std::string> kLeftOut = {"model", "chip"};

double figure_of(const std::vector<const Comparison*>& compared, const std::string& figure) {
  if (figure == "outside") {
    const auto outside = std::count_if(compared.begin(), compared.end(), [](const Comparison* one) {
      return one->low && (one->measured < *one->low || one->measured > *one->high);
    });
    return static_cast<double>(outside) / static_cast<double>(compared.size());
  }
  std::vector<double> all;
  for (const Comparison* one : compared) all.push_back(one->error);
  const ErrorStatistics errors = error_statistics(all);
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
    if (const auto left_out = keys.optional("left_out"))
      claim.left_out = kLeftOut[left_out->choice(kLeftOut, "left_out")];
    if (claim.figure == "outside" && claim.left_out != "chip")
      value.fail("figure 'outside' is of ranges, which only chips that are left out have: left_out: chip");
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

std::vector<BoundResult> ClaimedBounds::judge(const std::vector<CaseResult>& results, std::string_view left_out) const {
  std::vector<BoundResult> judged;
  for (const Claim& claim : claims_) {
    if (claim.left_out != left_out) continue;
    std::vector<const Comparison*> compared;
    for (const CaseResult& result : results) {
      if (!is_about(result, claim.cases)) continue;
      for (const Comparison& comparison : result.comparisons)
        if (std::any_of(claim.metrics.begin(), claim.metrics.end(), [&](const std::string& metric) {
              return ::fnmatch(metric.c_str(), comparison.metric.c_str(), 0) == 0;
            }))
          compared.push_back(&comparison);
    }
    BoundResult bound{claim.name, claim.figure, claim.at_most, compared.size(), {}};
    if (!compared.empty()) bound.value = figure_of(compared, claim.figure);
    judged.push_back(std::move(bound));
  }
  if (!left_out.empty()) return judged;
  for (const CaseResult& result : results)
    for (const CaseBound& own : result.about->bounds)
      for (const Comparison& comparison : result.comparisons)
        if (comparison.metric == own.metric)
          judged.push_back({fmt::format("{}: {}", result.about->id, own.metric), "error", own.at_most, 1,
                            std::abs(comparison.error)});
  return judged;
}

}  // namespace silicast
