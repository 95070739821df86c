#include "sim/study/holdout/moved_calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/errors.hpp"

namespace silicast {
namespace {

std::string evidence_text(const Evidence& evidence, Dimension dimension) {
  return fmt::format("{{value: {}, range: [{}, {}], grade: estimate, source: left out}}",
                     number_text(evidence.value, dimension), number_text(evidence.low, dimension),
                     number_text(evidence.high, dimension));
}

// Of the best grade that there is, first of the stack, then of all.
std::vector<Evidence> best_of_others(const Evidence& own, const std::vector<OtherCalibration>& others, std::size_t f) {
  std::vector<Evidence> best;
  for (const bool same_stack : {true, false})
    for (const Grade worst : {Grade::kMeasured, Grade::kThirdParty, Grade::kEstimate}) {
      for (const OtherCalibration& other : others) {
        const Evidence present = number_of(other.present, f);
        const bool copy =
            own.grade == Grade::kMeasured && present.grade != Grade::kMeasured && present.value == own.value;
        if (other.same_stack == same_stack && present.grade <= worst && !copy)
          best.push_back(number_of(other.moved, f));
      }
      if (!best.empty()) return best;
    }
  return best;
}

}  // namespace

Evidence number_of(Calibration calibration, std::size_t f) {
  return *fields_of(calibration)[f].evidence;
}

std::string name_of_field(const CalibrationField& field) {
  return fmt::format("{}.{}", field.group, field.key);
}

void scale(const CalibrationField& field, double logarithm) {
  Evidence& evidence = *field.evidence;
  for (double* value : {&evidence.value, &evidence.low, &evidence.high})
    *value = std::clamp(*value * std::exp(logarithm), field.bounds.low, field.bounds.high);
}

std::string number_text(double value, Dimension dimension) {
  return dimension == Dimension::kTime ? fmt::format("{:.9g} us", 1e6 * value) : fmt::format("{:.9g}", value);
}

std::string calibration_setting(Calibration calibration) {
  std::string text = "cluster.pools.0.calibration={";
  std::string_view open;
  for (const CalibrationField& field : fields_of(calibration)) {
    if (field.group != open)
      text += fmt::format("{}{}: {{", open.empty() ? "" : "}, ", field.group);
    else
      text += ", ";
    open = field.group;
    text += fmt::format("{}: {}", field.key, evidence_text(*field.evidence, field.dimension));
  }
  return text + "}}";
}

Calibration typical_calibration(Calibration chip, const std::vector<OtherCalibration>& others) {
  const std::vector<CalibrationField> fields = fields_of(chip);
  for (std::size_t f = 0; f < fields.size(); ++f) {
    const std::vector<Evidence> best = best_of_others(*fields[f].evidence, others, f);
    if (best.empty()) throw InputError("--leave-out chip: no other die has a calibration");
    Evidence mean = best[0];
    mean.value = 0;
    for (const Evidence& one : best) {
      mean.value += one.value / static_cast<double>(best.size());
      mean.low = std::min(mean.low, one.low), mean.high = std::max(mean.high, one.high);
    }
    *fields[f].evidence = mean;
  }
  return chip;
}

}  // namespace silicast
