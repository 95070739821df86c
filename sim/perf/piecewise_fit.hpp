// Compiles a smooth cost curve to a piecewise line, so that a run of iterations has a closed form.
#pragma once

#include <functional>

#include "sim/perf/iteration_cost.hpp"

namespace silicast {

// Chords of `curve` (continuous, non-decreasing, positive) over [0, last], as few as greed finds, each within
// `tolerance` (relative) of the curve; exact at their ends; the last chord goes on beyond `last`. A straight
// curve gives one piece.
PiecewiseLine fit_line(const std::function<double(double)>& curve, double last, double tolerance);

}  // namespace silicast
