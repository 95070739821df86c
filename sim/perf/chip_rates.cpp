// Joins datasheet and calibration; falls back where a format has no native support.
#include "sim/perf/chip_rates.hpp"

#include <cmath>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

std::size_t index_of(NumberFormat format) {
  return static_cast<std::size_t>(format);
}

}  // namespace

NumberFormat ChipRates::compute_format(NumberFormat format) const {
  if (peak[index_of(format)] > 0 || format == NumberFormat::kFp32) return format;
  const bool narrow_float = format == NumberFormat::kMxFp8 || format == NumberFormat::kHiF8 ||
                            format == NumberFormat::kMxFp4 || format == NumberFormat::kNvFp4;
  if (narrow_float && peak[index_of(NumberFormat::kFp8)] > 0) return NumberFormat::kFp8;
  return NumberFormat::kBf16;
}

double ChipRates::peak_flops(NumberFormat format) const {
  const double native = peak[index_of(compute_format(format))];
  return native > 0 ? native : 0.5 * peak[index_of(NumberFormat::kBf16)];
}

ChipRates chip_rates(const ChipSpec& chip, const Calibration& calibration) {
  ChipRates rates;
  for (std::size_t i = 0; i < kNumberFormats; ++i) {
    const Evidence* peak = chip.peak_of(static_cast<NumberFormat>(i));
    rates.peak[i] = peak != nullptr ? peak->value : 0;
  }
  rates.memory_bandwidth = chip.memory_bandwidth.value;
  rates.reached = calibration;
  SILICAST_CHECK(rates.peak[index_of(NumberFormat::kBf16)] > 0, "chip {} has no bf16 peak", chip.name);
  SILICAST_CHECK(rates.memory_bandwidth > 0, "chip {} has no memory bandwidth", chip.name);
  for (const CalibrationField& field : fields_of(rates.reached))
    SILICAST_CHECK(std::isfinite(field.evidence->value) && field.evidence->value >= field.bounds.low &&
                       field.evidence->value <= field.bounds.high,
                   "{}.{} is {}", field.group, field.key, field.evidence->value);
  return rates;
}

}  // namespace silicast
