// An observer that keeps all that the serving layer announces, for properties that look at a whole history.
#pragma once

#include <stdexcept>

#include "tests/support/random_scenario.hpp"

namespace silicast::testing {

struct Sample {
  SimTime time;
  std::vector<PoolSample> pools;
};

class Watcher final : public ServingObserver {
 public:
  std::vector<RequestRecord> records;   // in the order of their ends
  std::vector<std::int64_t> in_system;  // just after each arrival
  std::vector<SimTime> arrivals;
  std::vector<RunRecord> runs;
  std::vector<Sample> samples;
  std::int64_t arrived = 0;  // as the cluster counts
  std::int64_t left_in_system = 0;

  void request_arrived(SimTime now, std::int64_t count) override {
    arrivals.push_back(now);
    in_system.push_back(count);
  }
  void request_ended(const RequestRecord& record) override { records.push_back(record); }
  void run_ended(const RunRecord& run) override { runs.push_back(run); }
  void sampled(SimTime now, std::span<const PoolSample> pools) override {
    samples.push_back({now, {pools.begin(), pools.end()}});
  }
  // By order of arrival.
  std::vector<RequestRecord> by_index() const {
    std::vector<RequestRecord> sorted = records;
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
    return sorted;
  }
};

// Whether two histories tell the same of a request, or of a run.
inline bool same(const RequestRecord& a, const RequestRecord& b) {
  return a.index == b.index && a.arrival == b.arrival && a.scheduled == b.scheduled && a.first_token == b.first_token &&
         a.end == b.end && a.preempted_before_first_token == b.preempted_before_first_token &&
         a.output_tokens == b.output_tokens && a.cached_tokens == b.cached_tokens &&
         a.fetched_tokens == b.fetched_tokens && a.preemptions == b.preemptions && a.replica == b.replica &&
         a.state == b.state && a.reason == b.reason && a.prefill_replica == b.prefill_replica &&
         a.prefilled == b.prefilled;
}

inline bool same(const RunRecord& a, const RunRecord& b) {
  return a.replica == b.replica && a.start == b.start && a.end == b.end && a.iterations == b.iterations &&
         a.line.first == b.line.first && a.line.slope == b.line.slope &&
         a.shape.decode_kv_tokens == b.shape.decode_kv_tokens && a.shape.prefill_tokens == b.shape.prefill_tokens &&
         a.kv_blocks_start == b.kv_blocks_start && a.kv_blocks_end == b.kv_blocks_end &&
         a.steady_first == b.steady_first && a.shape.limited[0].tokens == b.shape.limited[0].tokens;
}

inline Watcher watch(const RandomScenario& scenario) {
  VectorSource source = scenario.source();
  Watcher watcher;
  Cluster cluster(scenario.setup, source, watcher);
  while (cluster.run(1'000'000)) {
  }
  watcher.arrived = cluster.arrived();
  watcher.left_in_system = cluster.in_system();
  return watcher;
}

// The pool that a rank of the whole cluster belongs to, by the number that records and runs give.
inline const PoolSetup& pool_of(const ClusterSetup& setup, ReplicaId replica) {
  std::int32_t first = 0;
  for (const PoolSetup& pool : setup.pools) {
    first += pool.replicas * pool.ranks;
    if (replica.value < first) return pool;
  }
  throw std::out_of_range("no such replica");
}

// The first rank of the replica that a rank belongs to, under whose number its runs are told.
inline ReplicaId first_rank(const ClusterSetup& setup, ReplicaId rank) {
  std::int32_t first = 0;
  for (const PoolSetup& pool : setup.pools) {
    const std::int32_t next = first + pool.replicas * pool.ranks;
    if (rank.value < next) return {first + (rank.value - first) / pool.ranks * pool.ranks};
    first = next;
  }
  throw std::out_of_range("no such rank");
}

}  // namespace silicast::testing
