// Turns model, layout, formats and hardware into an IterationCost, once per replica kind, before the run:
// every kernel is priced directly for each token and sequence count up to 256, at the ends of short chords beyond.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/model/iteration_work.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/model/parallel_plan.hpp"
#include "sim/perf/chip_rates.hpp"
#include "sim/perf/iteration_cost.hpp"
#include "sim/perf/kernel_tables.hpp"
#include "sim/perf/work_rates.hpp"
#include "topology/fabric.hpp"
#include "topology/stack_spec.hpp"

namespace silicast {

constexpr std::array<double, kStackOperators> no_fallback() {
  std::array<double, kStackOperators> factors{};
  factors.fill(1);
  return factors;
}

// All that the cost of a replica's iterations follows from.
struct ReplicaSetup {
  ModelSpec model;
  ParallelPlan plan;
  Precision precision;
  ModelSpec draft;          // network that drafts tokens, run once for each
  std::int32_t drafts = 0;  // drafted per sequence and iteration; 0: none
  ChipRates chip;
  std::array<double, kStackOperators> fallback = no_fallback();  // factors on the time of such kernels
  std::vector<GroupLinks> tensor_groups;                         // [stage], each of plan.tensor ranks
  std::vector<GroupLinks> stage_groups;                          // [stage], each of all plan.ranks()
  std::vector<GroupLinks> stage_links;  // [stage] to the next: a group of two; one fewer than the stages
  IterationCost::HostOverhead host;
  double graph_tokens = 0;  // tokens up to which an iteration is replayed from captured graphs
  double eager_launch = 0;  // s that a kernel takes at least in a larger one
  KernelPolicy policy;
  std::optional<KernelTables> measured;  // priced by these where they have a kernel
  double overlap = 0;        // 0 to 1: of the shorter of messages and computing, what the engine hides behind the other
  bool two_batches = false;  // an iteration is computed in two halves, for that
  bool native_kv = false;    // attention multiplies with an 8-bit KV cache as it is
};

// The network that drafts as a replica of its own on the last stage's chips, whose batch is the decode sequences.
ReplicaSetup draft_setup(const ReplicaSetup& setup);

// The highest tier that messages of the replica go over between nodes; nullopt: they stay within one.
std::optional<Tier> tier_between_nodes(const ReplicaSetup& setup);
// The same with half of the links of that tier, as where others use them, too.
ReplicaSetup crowded_setup(const ReplicaSetup& setup);

struct CompiledCost {
  IterationCost cost;
  WorkRates work;
};

// Tables up to `max_tokens` tokens and `max_sequences` sequences in an iteration, both at least 1.
CompiledCost compile_cost(const ReplicaSetup& setup, std::int32_t max_tokens, std::int32_t max_sequences);

}  // namespace silicast
