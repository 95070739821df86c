// The price sheet and the run's figures, joined for the cost model.
#pragma once

#include "sim/report/cost.hpp"
#include "sim/report/summary.hpp"
#include "sim/run/scenario.hpp"

namespace silicast {

// What is known of a day's load without the scenario's own word: from the use cases of a workload that has nothing
// else, by their rates (their busiest hours are taken to coincide), else from the price sheet, else nothing.
std::optional<LoadFactor> known_load_factor(const WorkloadInfo& workload, const PriceSheet& sheet);

// The scenario must have prices.
CostInputs cost_inputs(const Scenario& scenario, const Summary& summary);

}  // namespace silicast
