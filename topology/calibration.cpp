// Reads calibration files.
#include "topology/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/base/check.hpp"

namespace silicast {

std::vector<CalibrationField> fields_of(Calibration& c) {
  // A second per kernel or collective is a slipped unit, not a slow chip.
  constexpr Bounds kStart{0, 1};
  constexpr Bounds kCount{0, 1e6};
  constexpr Bounds kFactor{1, 100};
  constexpr Bounds kTile{1, 1024};
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
      number("gemm", "narrow_tile", c.gemm.narrow_tile, kTile),
      fraction("gemm", "memory", c.gemm.memory),
      time("gemm", "start", c.gemm.start),
      time("gemm", "per_k", c.gemm.per_k),
      fraction("experts", "compute", c.experts.compute),
      fraction("experts", "narrow_compute", c.experts.narrow_compute),
      number("experts", "narrow_tile", c.experts.narrow_tile, kTile),
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

namespace {

// All numbers are required in a file, optional in an override, which takes plain numbers too.
void read_fields(ConfigMap& map, bool is_override, Calibration& calibration) {
  const std::vector<CalibrationField> fields = fields_of(calibration);
  for (auto field = fields.begin(); field != fields.end();) {
    const auto end = std::find_if(field, fields.end(), [&](const auto& one) { return one.group != field->group; });
    const auto value = is_override ? map.optional(field->group) : map.required(field->group);
    if (!value) {
      field = end;
      continue;
    }
    ConfigMap group = value->map();
    for (; field != end; ++field) {
      const auto number = is_override ? group.optional(field->key) : group.required(field->key);
      if (!number) continue;
      *field->evidence = number->evidence(field->dimension, field->bounds);
      // Less than this of a chip takes times that nothing can count.
      if (constexpr double kLeast = 1e-6; field->more_is_better && field->evidence->value < kLeast)
        number->fail(fmt::format("is {:g}: next to nothing of what the chip can do", field->evidence->value));
      if (!number->is_map()) field->evidence->source = fmt::format("set in {}", number->mark().file);
    }
    group.done();
  }
  map.done();
}

}  // namespace

Calibration read_calibration(const ConfigValue& value) {
  ConfigMap map = value.map();
  Calibration calibration;
  calibration.chip = map.required("chip").text();
  calibration.description = map.required("description").text();
  read_fields(map, false, calibration);
  return calibration;
}

void override_calibration(ConfigMap& map, Calibration& calibration) {
  read_fields(map, true, calibration);
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
