// The price sheet and the run's figures, joined for the cost model.
#pragma once

#include "sim/report/cost.hpp"
#include "sim/report/summary.hpp"
#include "sim/run/scenario.hpp"

namespace silicast {

// The scenario must have prices.
CostInputs cost_inputs(const Scenario& scenario, const Summary& summary);

}  // namespace silicast
