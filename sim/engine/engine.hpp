// The clock and what is to come. Only the engine advances time; it knows nothing of language models.
#pragma once

#include <cstdint>

#include "sim/base/check.hpp"
#include "sim/engine/event_queue.hpp"

namespace silicast {

class Engine {
 public:
  SimTime now() const { return now_; }
  std::uint64_t events() const { return events_; }  // run so far

  // An event at an instant that is not past.
  EventId at(SimTime time, EventRank rank, Action action) {
    SILICAST_CHECK(time >= now_, "event at {} ns, now {} ns", time.ns, now_.ns);
    return queue_.push(time, rank, action);
  }
  bool pending(EventId id) const { return queue_.pending(id); }
  bool cancel(EventId id) { return queue_.cancel(id); }

  // A pending event is to happen at another instant, not past either.
  void move(EventId id, SimTime time) {
    SILICAST_CHECK(time >= now_ && queue_.pending(id));
    queue_.move(id, time);
  }

  // Whether an event of this rank scheduled now for this very instant would be the next to run. Then its
  // action may be called at once instead of going through the queue.
  bool next_now(EventRank rank) const { return !queue_.due_before(now_, rank); }

  bool idle() const { return queue_.empty(); }
  SimTime next_time() const { return queue_.next_time(); }  // not idle

  // Moves the clock to an instant before which nothing is pending.
  void advance_to(SimTime time) {
    SILICAST_CHECK(time >= now_ && (idle() || next_time() > time));
    now_ = time;
  }

  // Runs events up to and including `until`; false when none is left at all. `steps` bounds how many.
  bool run(SimTime until, std::uint64_t steps) {
    while (!queue_.empty()) {
      const SimTime next = queue_.next_time();
      if (next > until || steps-- == 0) return true;
      now_ = next;
      ++events_;
      queue_.pop()();
    }
    return false;
  }

 private:
  EventQueue queue_;
  SimTime now_;
  std::uint64_t events_ = 0;
};

}  // namespace silicast
