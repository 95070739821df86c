// For attention that reaches a limited part of a context: the sum over the decoding sequences of that part. A sequence
// counts until it is as long as the reach, then stays; when that happens waits in a heap.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/perf/iteration_cost.hpp"
#include "sim/serving/decode_progress.hpp"

namespace silicast {

class LimitedLengths {
 public:
  LimitedLengths(const RequestTable& table, std::int64_t reach) : table_(table), reach_(reach * kTokenUnits) {}

  // Lengths count the token that the next iteration computes; `iteration` is the present one. O(log n).
  void add(RequestSlot slot, std::int64_t iteration);
  void remove(const Request& request, std::int64_t iteration);
  // `iterations` have passed up to `iteration`; no sequence may have passed the reach but in the last of them.
  void advance(std::int64_t iterations, std::int64_t iteration);

  LengthSum sum() const {
    return {static_cast<double>(units_) / kTokenUnits, static_cast<double>(rate_) / kTokenUnits};
  }
  // Iterations after which the next sequence stops to count; at least 1, or forever.
  std::int64_t iterations_to_change(std::int64_t iteration);

 private:
  struct Full {
    std::int64_t iteration;
    std::int64_t admission;  // tells a stale entry from a live one
    RequestSlot slot;
    bool operator<(const Full& other) const { return iteration > other.iteration; }  // heaps keep the largest in front
  };
  std::int64_t units_of(const Request& request, std::int64_t iteration) const;  // not limited
  bool stale(const Full& entry) const;
  void pop();

  const RequestTable& table_;
  std::int64_t reach_;  // in units of kTokenUnits, as all that follows
  std::int64_t units_ = 0;
  std::int64_t rate_ = 0;  // of the sequences that still count
  std::vector<Full> heap_;
};

}  // namespace silicast
