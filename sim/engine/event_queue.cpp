#include "sim/engine/event_queue.hpp"

#include <algorithm>

#include "sim/base/check.hpp"

namespace silicast {

EventQueue::EventQueue() { grow(); }

// Doubles the leaves; the events keep their slots.
void EventQueue::grow() {
  const std::size_t old_leaves = slots_.size(), leaves = std::max<std::size_t>(16, 2 * old_leaves);
  SILICAST_CHECK(leaves <= kMaxSlots, "{} events pending", old_leaves);
  std::vector<Key> nodes(2 * leaves, kNever);
  std::copy(nodes_.begin() + static_cast<std::ptrdiff_t>(old_leaves), nodes_.end(), nodes.begin() + static_cast<std::ptrdiff_t>(leaves));
  for (std::size_t i = leaves - 1; i > 0; --i) nodes[i] = std::min(nodes[2 * i], nodes[2 * i + 1]);
  nodes_ = std::move(nodes);
  slots_.resize(leaves);
  for (std::size_t slot = leaves; slot > old_leaves; --slot) free_slots_.push_back(static_cast<std::uint32_t>(slot - 1));
}

EventQueue::Key EventQueue::first() const {
  if (vacated_ == kNone) return nodes_[1];
  // The smallest of all but the vacated leaf: the winners of the subtrees beside its way to the root.
  Key smallest = kNever;
  for (std::size_t i = slots_.size() + vacated_; i > 1; i /= 2) smallest = std::min(smallest, nodes_[i ^ 1]);
  return smallest;
}

void EventQueue::set(std::uint32_t slot, Key key) {
  Key* nodes = nodes_.data();
  std::size_t i = slots_.size() + slot;
  nodes[i] = key;
  for (; i > 1; i /= 2) {
    key = std::min(key, nodes[i ^ 1]);
    nodes[i / 2] = key;
  }
}

void EventQueue::next_sequence() { SILICAST_CHECK(++sequence_ < kMaxSequence, "{} events", sequence_); }

std::uint32_t EventQueue::take_slot() {
  if (free_slots_.empty()) grow();
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

void EventQueue::release_slot(std::uint32_t slot) {
  slots_[slot].used = false;
  ++slots_[slot].generation;
  free_slots_.push_back(slot);
  --size_;
}

void EventQueue::settle() {
  if (vacated_ == kNone) return;
  set(vacated_, kNever);
  vacated_ = kNone;
}

EventId EventQueue::push(SimTime time, Rank rank, Action action) {
  // The slot released last is taken first, so that a successor finds the vacated one.
  if (free_slots_.empty() || free_slots_.back() != vacated_) settle();
  const std::uint32_t slot = take_slot();
  vacated_ = kNone;
  slots_[slot].action = action;
  slots_[slot].used = true;
  ++size_;
  set(slot, key_of(time, rank, slot));
  next_sequence();
  return {slot, slots_[slot].generation};
}

bool EventQueue::cancel(EventId id) {
  if (!pending(id)) return false;
  settle();
  set(id.slot, kNever);
  release_slot(id.slot);
  return true;
}

void EventQueue::move(EventId id, SimTime time) {
  settle();
  const std::uint64_t order = static_cast<std::uint64_t>(nodes_[slots_.size() + id.slot]);
  set(id.slot, key_of(time, static_cast<Rank>(order >> kRankShift), id.slot));
  next_sequence();
}

Action EventQueue::pop() {
  settle();
  vacated_ = static_cast<std::uint32_t>(nodes_[1]) & (kMaxSlots - 1);
  release_slot(vacated_);
  return slots_[vacated_].action;
}

}  // namespace silicast
