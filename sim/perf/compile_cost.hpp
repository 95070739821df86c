// Turns model, layout, formats and hardware into an IterationCost, once per replica kind, before the run:
// every kernel of every token and sequence count is priced directly, so the tables are exact.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/model/iteration_work.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/model/parallel_plan.hpp"
#include "sim/perf/chip_rates.hpp"
#include "sim/perf/iteration_cost.hpp"
#include "sim/perf/work_rates.hpp"
#include "topology/fabric.hpp"

namespace silicast {

// All that the cost of a replica's iterations follows from.
struct ReplicaSetup {
  ModelSpec model;
  ParallelPlan plan;
  Precision precision;
  ChipRates chip;
  std::vector<GroupLinks> tensor_groups;  // [stage], each of plan.tensor ranks
  std::vector<GroupLinks> stage_links;    // [stage] to the next: a group of two; one fewer than the stages
  IterationCost::HostOverhead host;
};

struct CompiledCost {
  IterationCost cost;
  WorkRates work;
};

// Tables up to `max_tokens` tokens and `max_sequences` sequences in an iteration, both at least 1.
CompiledCost compile_cost(const ReplicaSetup& setup, std::int32_t max_tokens, std::int32_t max_sequences);

}  // namespace silicast
