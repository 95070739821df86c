// Systems small enough to work out by hand, and what they did.
#pragma once

#include <string>
#include <string_view>

#include "sim/serving/scheduler/scheduler.hpp"
#include "tests/support/property.hpp"
#include "tests/support/watcher.hpp"

namespace silicast::testing {

constexpr std::int64_t kUs = 1000;
constexpr std::int64_t kMs = 1000 * kUs;

// Instants of hand-derived timelines; `at(1.001)` is exact, as all of them are whole microseconds.
inline SimTime at(double ms) {
  return {std::llrint(ms * 1000) * kUs};
}

// An iteration takes 1 ms and 1 us for each token that it computes, so that its end tells what was in it.
inline IterationCost cost_by_tokens() {
  return linear_cost(1e-3, 1e-6, 0, 1000, 64);
}

// One replica whose limits bind nowhere unless a test makes them.
inline ClusterSetup one_replica(std::string_view scheduler = "chunked") {
  PoolSetup pool;
  pool.limits.max_sequences = 8;
  pool.limits.max_batched_tokens = 100;
  pool.limits.max_chunk = 100;
  pool.limits.block_size = 10;
  pool.limits.blocks = 1000;
  pool.cost = cost_by_tokens();
  pool.make_scheduler = schedulers.find(scheduler)->make;
  ClusterSetup setup;
  setup.pools = {pool};
  setup.make_router = routers.find("round_robin")->make;
  setup.max_contexts = {100'000};
  return setup;
}

inline ReplicaLimits& limits_of(ClusterSetup& setup) {
  return setup.pools[0].limits;
}

inline Watcher serve(const ClusterSetup& setup, const std::vector<RequestSpec>& requests) {
  return watch({setup, requests, {}, 0, ""});
}

// A request whose client leaves at `deadline` unless it has all of its answer.
inline RequestSpec until(RequestSpec spec, SimTime deadline, bool is_abort = false) {
  spec.deadline = deadline;
  spec.deadline_is_abort = is_abort;
  return spec;
}

// Prompt tokens of each run of iterations, in order of their starts.
inline std::vector<std::int32_t> prompt_tokens_of(const std::vector<RunRecord>& runs) {
  std::vector<std::int32_t> tokens;
  for (const RunRecord& run : runs) tokens.push_back(run.shape.prefill_tokens);
  return tokens;
}

}  // namespace silicast::testing
