// Calibrations as a fit moves them, and what is typical of a stack without one of its chips.
#pragma once

#include <string>
#include <vector>

#include "topology/calibration.hpp"

namespace silicast {

// Number f of fields_of().
Evidence number_of(Calibration calibration, std::size_t f);
std::string name_of_field(const CalibrationField& field);  // "gemm.compute"

// The value and its range times e to the logarithm, within what the number can be.
void scale(const CalibrationField& field, double logarithm);

// A number as it stands in a setting, times in us.
std::string number_text(double value, Dimension dimension);
// The whole calibration as a setting of a scenario's first pool: "cluster.pools.0.calibration={...}".
std::string calibration_setting(Calibration calibration);

struct OtherCalibration {
  Calibration present;  // as its file has it: tells grades and copies
  Calibration moved;    // as the fit has it
  bool same_stack = false;
};

// Number by number the mean of what other chips of the stack have, and the widest range of theirs: of measured numbers
// where there are any, else of third parties', else of estimates; of all stacks where the stack has none. A number that
// is the chip's own measured one, copied, does not count.
Calibration typical_calibration(Calibration chip, const std::vector<OtherCalibration>& others);

}  // namespace silicast
