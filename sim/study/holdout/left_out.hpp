// How wrong predictions are of models and chips that no fit has seen: `silicast validate --leave-out`.
#pragma once

#include "sim/study/validation/validate.hpp"

namespace silicast {

enum class LeaveOut { kModel, kChip };

// All numbers of holdout_plan.hpp, host times of every engine and kernels of every die, are fitted to the cases of the
// others in one linear step from where they are (slopes by differences, over at most 20 cases of a group), then the
// cases of the one left out are predicted with them. A chip is left out with all of its die: its calibration becomes
// the mean of what the stack's other chips have, of measured numbers where there are any, never of copies of its own;
// comparisons get the range between an untuned and a tuned stack over all of them. Cases priced by measured tables or
// by a calibration that they name are left alone. The report is of the cases that could be left out, its bounds are
// those of `left_out`. The same at any number of threads. Errors: as validate().
ValidationReport leave_out(LeaveOut what, const ValidationOptions& options);

}  // namespace silicast
