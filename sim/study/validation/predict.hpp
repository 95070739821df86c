// What silicast says to a case.
#pragma once

#include <string>
#include <vector>

#include "sim/run/scenario.hpp"
#include "sim/study/validation/validation_case.hpp"

namespace silicast {

// Values of the case's metrics, in their order. InputError: the scenario runs but its requests are refused.
struct Prediction {
  std::vector<double> values;
  std::vector<CurvePoint> curve;  // where one was measured, at its times
  std::string load;               // "unsaturated", "saturated"; "one pass", "at start"
};

Prediction predict(const Scenario& scenario, const ValidationCase& one);

// The time that a prompt of the workload's mean length takes on an idle replica, host work included.
double lone_prefill(const Scenario& scenario);

// A request waits, on average, as long as two more prompts like its own take, at least.
inline constexpr double kSaturatedTtft = 3;

}  // namespace silicast
