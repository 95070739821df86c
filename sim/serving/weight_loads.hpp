// Weights on their way to replicas that start without any: all load at time 0 from one store, as flows that share it
// max-min fairly, each over links of its own. A replica computes nothing before its weights are there.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/serving/timed_flows.hpp"

namespace silicast {

// Of a replica.
struct WeightLoad {
  std::int64_t bytes = 0;    // of all its chips
  BytesPerSecond bandwidth;  // into them together
};

class WeightHost {
 public:
  virtual ~WeightHost() = default;
  virtual void weights_loaded(std::int32_t replica) = 0;  // all of them, now
};

class WeightLoads {
 public:
  // By replica; `store`: what it gives to all together.
  WeightLoads(BytesPerSecond store, const std::vector<WeightLoad>& replicas, Engine& engine, WeightHost& host);

  void end() { flows_.end(); }                                        // nobody waits any more
  SimTime loaded_by() const { return last_; }                         // when the last of those that are loaded was
  std::int64_t bytes() const { return flows_.network().carried(0); }  // that they got

 private:
  void flows_end(std::int64_t);

  TimedFlows flows_;
  Engine& engine_;
  WeightHost& host_;
  SimTime last_;
};

}  // namespace silicast
