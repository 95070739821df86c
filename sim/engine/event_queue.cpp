#include "sim/engine/event_queue.hpp"

#include <algorithm>

namespace silicast {

void EventQueue::place(std::size_t position, const Entry& entry) {
  heap_[position] = entry;
  slots_[entry.slot].position = static_cast<std::uint32_t>(position);
}

void EventQueue::sift_up(std::size_t position, Entry entry) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / 4;
    if (!entry.before(heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void EventQueue::sift_down(std::size_t position, Entry entry) {
  const std::size_t size = heap_.size();
  while (true) {
    const std::size_t first = 4 * position + 1;
    if (first >= size) break;
    std::size_t best = first;
    const std::size_t end = std::min(first + 4, size);
    for (std::size_t child = first + 1; child < end; ++child)
      if (heap_[child].before(heap_[best])) best = child;
    if (!heap_[best].before(entry)) break;
    place(position, heap_[best]);
    position = best;
  }
  place(position, entry);
}

EventId EventQueue::push(SimTime time, Rank rank, Action action) {
  std::uint32_t slot;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[slot].action = action;
  slots_[slot].used = true;
  const Entry entry{time, (static_cast<std::uint64_t>(rank) << kRankShift) | sequence_++, slot};
  heap_.emplace_back();
  sift_up(heap_.size() - 1, entry);
  return {slot, slots_[slot].generation};
}

bool EventQueue::pending(EventId id) const {
  return id.slot < slots_.size() && slots_[id.slot].used && slots_[id.slot].generation == id.generation;
}

bool EventQueue::cancel(EventId id) {
  if (!pending(id)) return false;
  remove_at(slots_[id.slot].position);
  return true;
}

Action EventQueue::pop() {
  const Action action = slots_[heap_.front().slot].action;
  remove_at(0);
  return action;
}

void EventQueue::remove_at(std::size_t position) {
  Slot& slot = slots_[heap_[position].slot];
  slot.used = false;
  ++slot.generation;
  free_slots_.push_back(heap_[position].slot);
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  // The last entry fills the hole; it may belong above it (another branch) or below.
  if (position > 0 && last.before(heap_[(position - 1) / 4]))
    sift_up(position, last);
  else
    sift_down(position, last);
}

}  // namespace silicast
