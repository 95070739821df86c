// What a chip reaches under a serving stack: the datasheet and the calibration joined, so that prices depend on nothing
// else.
#pragma once

#include <array>

#include "sim/base/number_format.hpp"
#include "topology/calibration.hpp"
#include "topology/chip_spec.hpp"

namespace silicast {

// SI base units.
struct ChipRates {
  std::array<double, kNumberFormats> peak{};  // FLOP/s of the matrix unit by NumberFormat; 0: no native support
  double memory_bandwidth = 0;                // B/s
  Calibration reached;

  // Format that the matrix unit really works in for operands of `format`. One without native support is
  // unpacked on the way in: 4-bit and scaled formats to FP8 where there is that, everything else to BF16 (fewer bytes,
  // slower compute); FP32 runs at BF16's rate halved (TF32's usual ratio).
  NumberFormat compute_format(NumberFormat format) const;
  double peak_flops(NumberFormat format) const;  // FLOP/s, of compute_format
};

ChipRates chip_rates(const ChipSpec& chip, const Calibration& calibration);

}  // namespace silicast
