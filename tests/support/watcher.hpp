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

inline Watcher watch(const RandomScenario& scenario) {
  VectorSource source(scenario.requests);
  Watcher watcher;
  Cluster cluster(scenario.setup, source, watcher);
  while (cluster.run(1'000'000)) {
  }
  watcher.arrived = cluster.arrived();
  watcher.left_in_system = cluster.in_system();
  return watcher;
}

// The pool that a replica of the whole cluster belongs to.
inline const PoolSetup& pool_of(const ClusterSetup& setup, ReplicaId replica) {
  std::int32_t first = 0;
  for (const PoolSetup& pool : setup.pools) {
    if (replica.value < first + pool.replicas) return pool;
    first += pool.replicas;
  }
  throw std::out_of_range("no such replica");
}

}  // namespace silicast::testing
