#include "sim/serving/request_table.hpp"

#include <algorithm>

namespace silicast {

std::vector<RequestSlot> RequestTable::live_slots() const {
  std::vector<RequestSlot> slots;
  for (std::size_t i = 0; i < requests_.size(); ++i)
    if (requests_[i].phase != Phase::kFree) slots.push_back({static_cast<std::int32_t>(i)});
  std::sort(slots.begin(), slots.end(),
            [&](RequestSlot a, RequestSlot b) { return requests_[a.index()].index < requests_[b.index()].index; });
  return slots;
}

void RequestTable::assign_blocks(RequestSlot slot, std::span<const std::uint64_t> blocks) {
  if (blocks_.size() < requests_.size()) blocks_.resize(requests_.size());
  blocks_[slot.index()].assign(blocks.begin(), blocks.end());
}

void RequestList::insert(RequestTable& table, RequestSlot before, RequestSlot slot, RequestSlot after) {
  table[slot].previous = before;
  table[slot].next = after;
  (before.valid() ? table[before].next : front_) = slot;
  (after.valid() ? table[after].previous : back_) = slot;
  ++size_;
}

void RequestList::erase(RequestTable& table, RequestSlot slot) {
  const RequestSlot before = table[slot].previous, after = table[slot].next;
  (before.valid() ? table[before].next : front_) = after;
  (after.valid() ? table[after].previous : back_) = before;
  --size_;
}

}  // namespace silicast
