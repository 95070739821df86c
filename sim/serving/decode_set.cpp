#include "sim/serving/decode_set.hpp"

#include <algorithm>

namespace silicast {

void DecodeSet::add(RequestSlot slot) {
  const Request& request = table_[slot];
  const std::int64_t length = kv_length(request);
  ++size_;
  kv_units_ += length * kTokenUnits;
  rate_ += request.rate;
  if (drafts_)
    drafts_->add(slot, iteration_);
  else
    growth_.add(length);
  for (LimitedLengths& lengths : limited_) lengths.add(slot, iteration_);
  finishes_.push_back({request.finish_iteration, request.admission, slot});
  std::push_heap(finishes_.begin(), finishes_.end());
}

void DecodeSet::remove(RequestSlot slot) {
  const Request& request = table_[slot];
  const std::int64_t units = kv_units_at(request, iteration_);
  --size_;
  if (!drafts_) growth_.remove(units / kTokenUnits);
  kv_units_ -= units;
  rate_ -= request.rate;
  for (LimitedLengths& lengths : limited_) lengths.remove(request, iteration_);
  stale_ += request.finish_iteration > iteration_;
}

std::int64_t DecodeSet::advance(std::int64_t iterations) {
  iteration_ += iterations;
  kv_units_ += rate_ * iterations;
  for (LimitedLengths& lengths : limited_) lengths.advance(iterations, iteration_);
  if (drafts_) return drafts_->take(iteration_);
  const std::int64_t blocks = growth_.needed(iterations);
  growth_.advance(iterations);
  return blocks;
}

std::int64_t DecodeSet::blocks_next(const Request& request) const {
  if (drafts_) return drafts_->needed_next(request, iteration_);
  return kv_length(request) % block_size_ == 0;
}

std::int64_t DecodeSet::drafted_iterations_within(std::int64_t free, std::int64_t limit) const {
  // Every sequence may begin one block more than its tokens fill.
  const double spare = static_cast<double>(free - size()) * block_size_ * kTokenUnits;
  const double safe = spare / static_cast<double>(rate_);
  return safe < 1 ? 1 : safe < static_cast<double>(limit) ? static_cast<std::int64_t>(safe) : limit;
}

std::int64_t DecodeSet::blocks_after(std::int64_t iterations) const {
  return drafts_ ? rate_ * iterations / kTokenUnits / block_size_ : growth_.needed(iterations);
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
