// Pending events in a total order: (time, rank, order of scheduling). A 4-ary heap of small entries; the
// actions lie in reused slots, so nothing is allocated once the queue has grown. Cancelling removes the event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

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

// Who goes first at one instant: the lower rank. The user of the engine names its ranks.
using Rank = std::uint8_t;

// A safe handle: holding one of an event that has run or was cancelled does no harm.
struct EventId {
  std::uint32_t slot = 0xffffffff;
  std::uint32_t generation = 0;
};

class EventQueue {
 public:
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  SimTime next_time() const { return heap_.front().time; }                              // not empty
  Rank next_rank() const { return static_cast<Rank>(heap_.front().order >> kRankShift); }  // not empty

  EventId push(SimTime time, Rank rank, Action action);       // O(log n)
  bool pending(EventId id) const;
  bool cancel(EventId id);                                    // O(log n); false when it is not pending
  Action pop();                                               // the first event; not empty

 private:
  static constexpr int kRankShift = 56;
  struct Entry {
    SimTime time;
    std::uint64_t order;  // rank in the top byte, then the sequence number
    std::uint32_t slot;
    bool before(const Entry& other) const {
      return time.ns != other.time.ns ? time.ns < other.time.ns : order < other.order;
    }
  };
  struct Slot {
    Action action;
    std::uint32_t position = 0;  // in the heap
    std::uint32_t generation = 0;
    bool used = false;
  };

  void place(std::size_t position, const Entry& entry);
  void sift_up(std::size_t position, Entry entry);
  void sift_down(std::size_t position, Entry entry);
  void remove_at(std::size_t position);

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::uint64_t sequence_ = 0;
};

}  // namespace silicast
