// Transfers in flight over shared links. Each moves at its max-min fair rate, which changes whenever a flow that it
// shares full links with comes or goes. The caller has the clock: it keeps one event at next_end() and calls advance().
//
// Everything is counted in whole numbers: rates in 2^-shift bytes/s, what is left of a flow in that unit times
// nanoseconds (128 bits). So no error piles up however often a flow is re-rated, and the only rounding of times is
// that of a flow's end, up to the next nanosecond: bytes are never there early.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "sim/base/sim_time.hpp"
#include "sim/base/units.hpp"
#include "sim/engine/event_queue.hpp"
#include "sim/perf/flows/max_min_rates.hpp"

namespace silicast {

// A safe handle: none of a flow that has ended is taken for another's.
struct FlowId {
  std::uint32_t slot = 0xffffffff;
  std::uint32_t generation = 0;
  constexpr auto operator<=>(const FlowId&) const = default;
};

struct FlowOptions {
  // What an end of the flow can inject, whatever the links leave it; positive.
  BytesPerSecond cap{std::numeric_limits<double>::infinity()};
  std::int64_t tag = 0;  // the caller's own; comes back with the end
};

struct FlowEnd {
  FlowId flow;  // no longer in flight
  std::int64_t tag = 0;
  SimTime time;
};

// Calls come in the order of time, and never later than next_end() without advance() first (broken invariant else).
class FlowNetwork {
 public:
  // Capacities by link; positive, finite, below 2^60 bytes/s and within a factor of 2^24 (1.7e7) of each other: the
  // slowest link then has 2^35 steps between 0 and its capacity (where the fastest has 2^19 bytes/s at least).
  explicit FlowNetwork(std::span<const BytesPerSecond> capacities);

  // A transfer of 0 to 2^53 bytes over distinct links. With no bytes it is due at once. Without links (both ends are
  // one chip) it shares with nobody: due at once, or after bytes / cap where it has a cap. O(links * log).
  FlowId start(std::span<const std::int32_t> links, std::int64_t bytes, SimTime now, const FlowOptions& options = {});

  // Takes a flow in flight out; returns how many whole bytes have been delivered.
  std::int64_t cancel(FlowId flow, SimTime now);

  // The earliest end as things stand, SimTime::never() when nothing is in flight. What came and went since the last
  // question is re-rated here, all of one instant together: the cost is that of the flows whose rates it changes
  // (MaxMinRates::settle), and O(log flows) for each of them.
  SimTime next_end();

  // Moves the clock on and returns the flows that ended up to `now`, by end and then by start; valid until the next
  // advance(), whatever is started or cancelled meanwhile.
  std::span<const FlowEnd> advance(SimTime now);

  bool in_flight(FlowId flow) const {
    return flow.slot < flows_.size() && flows_[flow.slot].used && flows_[flow.slot].generation == flow.generation;
  }
  std::size_t size() const { return flows_.size() - free_slots_.size(); }  // flows in flight
  SimTime now() const { return now_; }
  std::int32_t links() const { return rates_.links(); }

  BytesPerSecond rate(FlowId flow);        // of one in flight; infinite where it is due at once
  BytesPerSecond used(std::int32_t link);  // by all flows on it; never above the capacity
  BytesPerSecond capacity(std::int32_t link) const { return bytes_per_second(rates_.capacity(link)); }
  // Whole bytes that flows which have ended, or were cancelled, took over this link.
  std::int64_t carried(std::int32_t link) const { return carried_[static_cast<std::size_t>(link)]; }
  // Links whose use may have changed since the last call, some more than once; valid until the next. None before the
  // first call, which is to be made before the first flow.
  std::span<const std::int32_t> changed_links();
  std::uint64_t rated() const { return rates_.opened(); }  // how often a flow was rated so far: the work done

 private:
  __extension__ using Work = __int128;  // rate units * nanoseconds

  struct Flow {
    Work left = 0;  // at `since`
    SimTime since;
    SimTime end;
    std::int64_t rate = 0;  // units, since then; 0: not over links, waits for its end
    std::int64_t bytes = 0;
    std::int64_t tag = 0;
    std::uint64_t sequence = 0;  // of its start
    EventId event;
    std::uint32_t generation = 0;
    bool used = false;
    bool shares = false;  // is in rates_
  };

  Work work_of(std::int64_t bytes) const { return (Work{bytes} << shift_) * 1'000'000'000; }
  BytesPerSecond bytes_per_second(std::int64_t rate) const;
  std::uint32_t take_slot();
  void move_to(SimTime now);
  void settle();
  void mark_links(std::uint32_t slot);
  void re_rate(std::uint32_t slot, std::int64_t rate);
  void due_at(std::uint32_t slot, SimTime end);
  std::int64_t delivered(const Flow& flow) const;
  void release(std::uint32_t slot, std::int64_t bytes);

  int shift_;
  MaxMinRates rates_;
  std::vector<std::int64_t> carried_;
  std::vector<Flow> flows_;
  std::vector<std::uint32_t> free_slots_, due_;
  std::vector<FlowEnd> ends_;
  bool watched_ = false;  // somebody asks for changed links
  std::vector<std::int32_t> changed_, told_;
  EventQueue queue_;  // of ends; their actions are only read
  SimTime now_;
  std::uint64_t started_ = 0;
};

}  // namespace silicast
