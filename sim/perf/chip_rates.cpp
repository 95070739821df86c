// Joins datasheet and calibration; falls back where a format has no native support.
#include "sim/perf/chip_rates.hpp"

#include <cmath>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

std::size_t index_of(NumberFormat format) {
  return static_cast<std::size_t>(format);
}

void check_fraction(double value, const char* name) {
  SILICAST_CHECK(value > 0 && value <= 1, "{} is {}", name, value);
}

void check_amount(double value, const char* name) {
  SILICAST_CHECK(std::isfinite(value) && value >= 0, "{} is {}", name, value);
}

}  // namespace

NumberFormat ChipRates::compute_format(NumberFormat format) const {
  if (peak[index_of(format)] > 0 || format == NumberFormat::kFp32) return format;
  return NumberFormat::kBf16;
}

double ChipRates::peak_flops(NumberFormat format) const {
  const double native = peak[index_of(compute_format(format))];
  return native > 0 ? native : 0.5 * peak[index_of(NumberFormat::kBf16)];
}

ChipRates chip_rates(const ChipSpec& chip, const Calibration& calibration) {
  ChipRates rates;
  for (std::size_t i = 0; i < rates.peak.size(); ++i) {
    const Evidence* peak = chip.peak_of(static_cast<NumberFormat>(i));
    rates.peak[i] = peak != nullptr ? peak->value : 0;
  }
  rates.memory_bandwidth = chip.memory_bandwidth.value;
  rates.compute = calibration.compute.value;
  rates.gemm_half_tokens = calibration.gemm_half_tokens.value;
  rates.attention_compute = calibration.attention_compute.value;
  rates.attention_half_tokens = calibration.attention_half_tokens.value;
  rates.memory = calibration.memory.value;
  rates.memory_half_bytes = calibration.memory_half_bytes.value;
  rates.launch = calibration.launch.value;
  rates.collective_start = calibration.collective_start.value;
  rates.collective_efficiency = calibration.collective_efficiency.value;
  SILICAST_CHECK(rates.peak[index_of(NumberFormat::kBf16)] > 0, "chip {} has no bf16 peak", chip.name);
  SILICAST_CHECK(rates.memory_bandwidth > 0, "chip {} has no memory bandwidth", chip.name);
  check_fraction(rates.compute, "compute");
  check_fraction(rates.attention_compute, "attention_compute");
  check_fraction(rates.memory, "memory");
  check_fraction(rates.collective_efficiency, "collective_efficiency");
  check_amount(rates.gemm_half_tokens, "gemm_half_tokens");
  check_amount(rates.attention_half_tokens, "attention_half_tokens");
  check_amount(rates.memory_half_bytes, "memory_half_bytes");
  check_amount(rates.launch, "launch");
  check_amount(rates.collective_start, "collective_start");
  return rates;
}

}  // namespace silicast
