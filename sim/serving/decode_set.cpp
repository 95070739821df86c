#include "sim/serving/decode_set.hpp"

#include <algorithm>

namespace silicast {

void DecodeSet::add(RequestSlot slot) {
  const Request& request = table_[slot];
  const std::int32_t length = kv_length(request);
  growth_.add(length);
  kv_tokens_ += length;
  finishes_.push_back({request.finish_iteration, request.admission, slot});
  std::push_heap(finishes_.begin(), finishes_.end());
}

void DecodeSet::remove(RequestSlot slot) {
  const std::int32_t length = kv_length(table_[slot]);
  growth_.remove(length);
  kv_tokens_ -= length;
  stale_ += table_[slot].finish_iteration > iteration_;
}

void DecodeSet::advance(std::int64_t iterations) {
  iteration_ += iterations;
  kv_tokens_ += growth_.sequences() * iterations;
  growth_.advance(iterations);
}

// An entry is stale when its request was preempted, has left or ended: admissions are unique.
void DecodeSet::drop_stale() {
  while (stale_ > 0 && !finishes_.empty()) {
    const Finish& first = finishes_.front();
    const Request& request = table_[first.slot];
    if (request.admission == first.admission && request.phase == Phase::kDecoding) return;
    std::pop_heap(finishes_.begin(), finishes_.end());
    finishes_.pop_back();
    --stale_;
  }
}

std::int64_t DecodeSet::iterations_to_finish() {
  drop_stale();
  SILICAST_CHECK(!finishes_.empty());
  return finishes_.front().iteration - iteration_;
}

RequestSlot DecodeSet::next_finished() {
  if (finishes_.empty() || finishes_.front().iteration > iteration_) return {};
  drop_stale();
  if (finishes_.empty() || finishes_.front().iteration != iteration_) return {};
  const RequestSlot slot = finishes_.front().slot;
  std::pop_heap(finishes_.begin(), finishes_.end());
  finishes_.pop_back();
  return slot;
}

}  // namespace silicast
