// Ranks that wait for each other in every iteration: their works added up, the longest of their durations, and when the
// next of them changes. All in O(log ranks) per rank that changes, however many there are.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/perf/iteration_cost.hpp"
#include "sim/serving/longest_rank.hpp"
#include "sim/serving/rank.hpp"
#include "sim/serving/router/min_index.hpp"

namespace silicast {

class LockStep {
 public:
  LockStep(std::int32_t ranks, const IterationCost& cost);

  // The rank's batch has changed: `work` counts from iteration `now` on.
  void set(std::int32_t rank, const IterationWork& work, std::int64_t now);
  void set_change(std::int32_t rank, std::int64_t iteration) { changes_.set(rank, iteration); }
  // A rank that changes at the end of that iteration or before; -1: none. It must then be set anew.
  std::int32_t next_to_change(std::int64_t iteration) const {
    return changes_.smallest_key() <= iteration ? changes_.smallest() : -1;
  }
  std::int64_t next_change() const { return changes_.smallest_key(); }

  // What all wait for together, were that the cost.
  double shared(const IterationCost& cost) const { return cost.shared(tokens_, longest_.most_tokens()); }

  // Work of all ranks together from iteration `now` on; its line is that of the replica.
  IterationWork total(std::int64_t now);

 private:
  struct Part {
    IterationWork work;
    std::int64_t since = 0;
  };
  void add(const IterationWork& work, std::int64_t iterations, double sign);

  const IterationCost& cost_;
  std::vector<Part> parts_;
  IterationWork total_;  // as of iteration now_, lengths apart
  LengthSum whole_;      // KV lengths of all decode sequences
  std::int64_t now_ = 0;
  std::int64_t tokens_ = 0;
  LongestRank longest_;
  MinIndex changes_;
};

}  // namespace silicast
