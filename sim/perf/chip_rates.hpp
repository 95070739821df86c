// What a chip reaches under a serving stack: the datasheet and the calibration joined into the few numbers
// that pricing needs, so that prices depend on nothing else.
#pragma once

#include <array>

#include "sim/base/number_format.hpp"
#include "topology/calibration.hpp"
#include "topology/chip_spec.hpp"

namespace silicast {

// SI base units. The fields after the bandwidth mean what they mean in Calibration.
struct ChipRates {
  std::array<double, 6> peak{};  // FLOP/s of the matrix unit by NumberFormat; 0: no native support
  double memory_bandwidth = 0;   // B/s
  double compute = 1;
  double gemm_half_tokens = 0;
  double attention_compute = 1;
  double attention_half_tokens = 0;
  double memory = 1;
  double memory_half_bytes = 0;
  double launch = 0;
  double collective_start = 0;
  double collective_efficiency = 1;

  // Format that the matrix unit really works in for operands of `format`. One without native support is
  // unpacked to BF16 on the way in (weight-only: fewer bytes, BF16 compute); FP32 runs at BF16's rate halved
  // (TF32's usual ratio).
  NumberFormat compute_format(NumberFormat format) const;
  double peak_flops(NumberFormat format) const;  // FLOP/s, of compute_format
};

ChipRates chip_rates(const ChipSpec& chip, const Calibration& calibration);

}  // namespace silicast
