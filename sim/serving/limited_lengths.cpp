#include "sim/serving/limited_lengths.hpp"

#include <algorithm>
#include <limits>

namespace silicast {

std::int64_t LimitedLengths::units_of(const Request& request, std::int64_t iteration) const {
  return kv_units_at(request, iteration) + kTokenUnits;
}

void LimitedLengths::add(RequestSlot slot, std::int64_t iteration) {
  const Request& request = table_[slot];
  const std::int64_t units = units_of(request, iteration);
  units_ += std::min(units, reach_);
  if (units >= reach_) return;
  rate_ += request.rate;
  heap_.push_back({iteration + (reach_ - units + request.rate - 1) / request.rate, request.admission, slot});
  std::push_heap(heap_.begin(), heap_.end());
}

void LimitedLengths::remove(const Request& request, std::int64_t iteration) {
  const std::int64_t units = units_of(request, iteration);
  units_ -= std::min(units, reach_);
  if (units < reach_) rate_ -= request.rate;
}

// Its request was preempted, has left or ended: admissions are unique.
bool LimitedLengths::stale(const Full& entry) const {
  const Request& request = table_[entry.slot];
  return request.admission != entry.admission || request.phase != Phase::kDecoding;
}

void LimitedLengths::pop() {
  std::pop_heap(heap_.begin(), heap_.end());
  heap_.pop_back();
}

void LimitedLengths::advance(std::int64_t iterations, std::int64_t iteration) {
  units_ += rate_ * iterations;
  while (!heap_.empty() && heap_.front().iteration <= iteration) {
    const Full entry = heap_.front();
    pop();
    if (stale(entry)) continue;
    const Request& request = table_[entry.slot];
    rate_ -= request.rate;
    units_ -= units_of(request, iteration) - reach_;
  }
}

std::int64_t LimitedLengths::iterations_to_change(std::int64_t iteration) {
  while (!heap_.empty() && stale(heap_.front())) pop();
  return heap_.empty() ? std::numeric_limits<std::int64_t>::max() : heap_.front().iteration - iteration;
}

}  // namespace silicast
