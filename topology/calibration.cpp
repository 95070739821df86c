// Reads calibration files.
#include "topology/calibration.hpp"

#include <algorithm>
#include <optional>

#include "sim/base/check.hpp"

namespace silicast {

std::vector<CalibrationField> fields_of(Calibration& c) {
  // A second per kernel or collective is a slipped unit, not a slow chip.
  constexpr Bounds kStart{0, 1};
  constexpr Bounds kCount{0, 1e6};
  constexpr Bounds kFactor{1, 100};
  const auto fraction = [](std::string_view group, std::string_view key, Evidence& at) {
    return CalibrationField{group, key, &at, Dimension::kNumber, kPositiveFraction, true};
  };
  const auto time = [&](std::string_view group, std::string_view key, Evidence& at) {
    return CalibrationField{group, key, &at, Dimension::kTime, kStart, false};
  };
  const auto number = [](std::string_view group, std::string_view key, Evidence& at, Bounds bounds) {
    return CalibrationField{group, key, &at, Dimension::kNumber, bounds, false};
  };
  return {
      fraction("gemm", "compute", c.gemm.compute),
      fraction("gemm", "narrow_compute", c.gemm.narrow_compute),
      fraction("gemm", "memory", c.gemm.memory),
      time("gemm", "start", c.gemm.start),
      time("gemm", "per_k", c.gemm.per_k),
      fraction("experts", "compute", c.experts.compute),
      fraction("experts", "narrow_compute", c.experts.narrow_compute),
      fraction("experts", "memory", c.experts.memory),
      time("experts", "start", c.experts.start),
      number("experts", "padding", c.experts.padding, {0, 1024}),
      fraction("attention", "compute", c.attention.compute),
      number("attention", "half_tokens", c.attention.half_tokens, kCount),
      time("attention", "start", c.attention.start),
      time("attention", "walk", c.attention.walk),
      fraction("attention", "memory", c.attention.memory),
      fraction("attention", "narrow_memory", c.attention.narrow_memory),
      time("attention", "item", c.attention.item),
      number("attention", "mixed", c.attention.mixed, kFactor),
      fraction("elementwise", "memory", c.elementwise.memory),
      time("elementwise", "start", c.elementwise.start),
      time("collective", "start", c.collective.start),
      time("collective", "step", c.collective.step),
      fraction("collective", "efficiency", c.collective.efficiency),
      time("collective", "small_start", c.collective.small_start),
      time("collective", "per_rank", c.collective.per_rank),
      time("collective", "bulk_start", c.collective.bulk_start),
      fraction("collective", "bulk_efficiency", c.collective.bulk_efficiency),
      time("collective", "exchange_start", c.collective.exchange_start),
      fraction("collective", "exchange_efficiency", c.collective.exchange_efficiency),
  };
}

Calibration read_calibration(const ConfigValue& value) {
  ConfigMap map = value.map();
  Calibration calibration;
  calibration.chip = map.required("chip").text();
  calibration.description = map.required("description").text();
  std::optional<ConfigMap> group;
  std::string_view open;
  for (const CalibrationField& field : fields_of(calibration)) {
    if (field.group != open) {
      if (group) group->done();
      group.emplace(map.required(field.group).map());
      open = field.group;
    }
    *field.evidence = group->required(field.key).evidence(field.dimension, field.bounds);
  }
  group->done();
  map.done();
  return calibration;
}

double value_at_maturity(const Evidence& evidence, double maturity, bool more_is_better) {
  SILICAST_CHECK(maturity >= 0 && maturity <= 1, "maturity {}", maturity);
  const double worst = more_is_better ? evidence.low : evidence.high;
  const double best = more_is_better ? evidence.high : evidence.low;
  const double end = maturity < 0.5 ? worst : best;
  return evidence.value + (end - evidence.value) * (maturity < 0.5 ? 1 - 2 * maturity : 2 * maturity - 1);
}

Calibration at_maturity(Calibration calibration, double maturity) {
  for (const CalibrationField& field : fields_of(calibration))
    field.evidence->value = value_at_maturity(*field.evidence, maturity, field.more_is_better);
  return calibration;
}

}  // namespace silicast
