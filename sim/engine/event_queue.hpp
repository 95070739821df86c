// Pending events in a total order: (time, rank, order of scheduling). Each event has a slot, a leaf of a winner tree
// (Knuth, The Art of Computer Programming 3, 5.4.1): whatever happens to an event, one walk from its leaf to the root
// puts the tree in order. Slots are reused, so nothing is allocated once the queue has grown.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/base/check.hpp"
#include "sim/base/sim_time.hpp"

namespace silicast {

// What an event does: a member function of a long-lived object, with one number for it.
struct Action {
  void (*call)(void* target, std::int64_t argument) = nullptr;
  void* target = nullptr;
  std::int64_t argument = 0;

  template <auto Method, class T>
  static Action of(T* target, std::int64_t argument = 0) {
    return {[](void* object, std::int64_t value) { (static_cast<T*>(object)->*Method)(value); }, target, argument};
  }
  void operator()() const { call(target, argument); }
};

// Who goes first at one instant: the lower rank, at most 15. The user of the engine names its ranks.
using EventRank = std::uint8_t;

// A safe handle: holding one of an event that has run or was cancelled does no harm.
struct EventId {
  std::uint32_t slot = 0xffffffff;
  std::uint32_t generation = 0;
};

// Times are not negative.
class EventQueue {
 public:
  EventQueue();

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  SimTime next_time() const { return {static_cast<std::int64_t>(first() >> 64)}; }  // not empty
  // Whether an event is due before one of this rank that would be scheduled now for `time`.
  bool due_before(SimTime time, EventRank rank) const;

  EventId push(SimTime time, EventRank rank, Action action);  // O(log n)
  bool pending(EventId id) const {
    return id.slot < slots_.size() && slots_[id.slot].used && slots_[id.slot].generation == id.generation;
  }
  bool cancel(EventId id);  // O(log n); false when it is not pending
  // A pending event happens at another time, after what was scheduled for that time and rank before. O(log n).
  void move(EventId id, SimTime time);
  Action pop();  // the first event; not empty. O(log n)

 private:
  // Time in the upper half; below it the rank (4 bits), the sequence number (36) and the slot (24): one comparison
  // decides the order, and a node of the tree is nothing but a key.
  __extension__ using Key = unsigned __int128;
  static constexpr Key kNever = ~Key{0};
  static constexpr int kRankShift = 60;
  static constexpr int kSequenceShift = 24;
  static constexpr std::uint64_t kMaxSequence = std::uint64_t{1} << (kRankShift - kSequenceShift);
  static constexpr std::size_t kMaxSlots = std::size_t{1} << kSequenceShift;
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Slot {
    Action action;
    std::uint32_t generation = 0;
    bool used = false;
  };

  // Of an event that would be scheduled now.
  Key key_of(SimTime time, EventRank rank, std::uint32_t slot) const {
    return Key{static_cast<std::uint64_t>(time.ns)} << 64 |
           (static_cast<std::uint64_t>(rank) << kRankShift | sequence_ << kSequenceShift | slot);
  }
  Key first() const;                        // kNever when empty
  void set(std::uint32_t slot, Key key);    // and puts the way to the root in order
  void lower(std::uint32_t slot, Key key);  // the same for a key below the one that the leaf holds
  void settle();
  void next_sequence();
  void grow();
  std::uint32_t take_slot();
  void release_slot(std::uint32_t slot);

  std::vector<Key> nodes_;   // [1] is the root, node i has children 2i and 2i+1, the leaves come last
  std::vector<Slot> slots_;  // as many as leaves
  std::vector<std::uint32_t> free_slots_;
  std::size_t size_ = 0;
  std::uint64_t sequence_ = 0;
  // The slot of the event popped last, while its leaf still holds its key: most events schedule a successor, which
  // takes that slot and saves a walk.
  std::uint32_t vacated_ = kNone;
};

// ---- Inline, because every event of every run passes here ------------------------------------------------------

inline EventQueue::Key EventQueue::first() const {
  if (vacated_ == kNone) return nodes_[1];
  // The smallest of all but the vacated leaf: the winners of the subtrees beside its way to the root.
  Key smallest = kNever;
  for (std::size_t i = slots_.size() + vacated_; i > 1; i /= 2) smallest = std::min(smallest, nodes_[i ^ 1]);
  return smallest;
}

inline void EventQueue::set(std::uint32_t slot, Key key) {
  Key* nodes = nodes_.data();
  std::size_t i = slots_.size() + slot;
  nodes[i] = key;
  for (; i > 1; i /= 2) {
    key = std::min(key, nodes[i ^ 1]);
    nodes[i / 2] = key;
  }
}

inline void EventQueue::lower(std::uint32_t slot, Key key) {
  Key* nodes = nodes_.data();
  for (std::size_t i = slots_.size() + slot; i > 0 && key < nodes[i]; i /= 2) nodes[i] = key;
}

inline bool EventQueue::due_before(SimTime time, EventRank rank) const {
  const Key key = key_of(time, rank, 0);
  if (vacated_ == kNone) return nodes_[1] < key;
  for (std::size_t i = slots_.size() + vacated_; i > 1; i /= 2)
    if (nodes_[i ^ 1] < key) return true;
  return false;
}

inline void EventQueue::next_sequence() {
  SILICAST_CHECK(++sequence_ < kMaxSequence, "{} events", sequence_);
}

inline std::uint32_t EventQueue::take_slot() {
  if (free_slots_.empty()) grow();
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

inline void EventQueue::release_slot(std::uint32_t slot) {
  slots_[slot].used = false;
  ++slots_[slot].generation;
  free_slots_.push_back(slot);
  --size_;
}

inline void EventQueue::settle() {
  if (vacated_ == kNone) return;
  set(vacated_, kNever);
  vacated_ = kNone;
}

inline EventId EventQueue::push(SimTime time, EventRank rank, Action action) {
  // The slot released last is taken first, so that a successor finds the vacated one.
  const bool succeeds = vacated_ != kNone && free_slots_.back() == vacated_;
  if (!succeeds) settle();
  const std::uint32_t slot = take_slot();
  vacated_ = kNone;
  slots_[slot].action = action;
  slots_[slot].used = true;
  ++size_;
  if (succeeds)
    set(slot, key_of(time, rank, slot));
  else
    lower(slot, key_of(time, rank, slot));
  next_sequence();
  return {slot, slots_[slot].generation};
}

inline bool EventQueue::cancel(EventId id) {
  if (!pending(id)) return false;
  settle();
  set(id.slot, kNever);
  release_slot(id.slot);
  return true;
}

inline void EventQueue::move(EventId id, SimTime time) {
  settle();
  const Key before = nodes_[slots_.size() + id.slot];
  const auto rank = static_cast<EventRank>(static_cast<std::uint64_t>(before) >> kRankShift);
  const Key key = key_of(time, rank, id.slot);
  if (key < before)
    lower(id.slot, key);
  else
    set(id.slot, key);
  next_sequence();
}

inline Action EventQueue::pop() {
  settle();
  vacated_ = static_cast<std::uint32_t>(nodes_[1]) & (kMaxSlots - 1);
  release_slot(vacated_);
  return slots_[vacated_].action;
}

}  // namespace silicast
