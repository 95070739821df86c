// Max-min fair rates of flows over links, kept exact while flows come and go. Rates are whole numbers of a unit that
// the owner chooses, so what a link carries is an exact sum whatever the order, and nothing drifts.
//
// Max-min fair (Bertsekas & Gallager, Data Networks, 2nd ed., 6.5.2): every flow is at its cap or has a bottleneck, a
// full link on which no flow is faster. A link shared by n flows is full when less than n units are free.
//
// A change is settled by one sweep of a water level from 0 upwards over those flows only whose old rate does not hold:
// progressive filling that lets all other flows keep their rates and opens them (makes them fill again) as the level
// shows that it must:
//   - a link fills up at level L while a kept flow on it is faster than what it can give: the faster ones open;
//   - the level reaches the rate w of the flows bottlenecked at a link, and that link is not full at w: they open.
// Both happen at levels not above the rate of the flow that opens, so the level never has to go back, each flow opens
// at most once per sweep, and when the sweep ends every flow has a bottleneck: the rates are max-min fair.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace silicast {

class MaxMinRates {
 public:
  static constexpr std::int64_t kNoCap = std::numeric_limits<std::int64_t>::max();

  // Capacities by link, in units; positive.
  explicit MaxMinRates(const std::vector<std::int64_t>& capacities);

  // A flow over distinct links, at least one, with a cap in units, positive. The owner numbers flows; numbers are
  // reused. Its rate is 0 until the next settle(). O(links of the flow * log of what changed since).
  void add(std::uint32_t flow, std::span<const std::int32_t> links, std::int64_t cap);
  void remove(std::uint32_t flow);  // one that was added; its rate is 0 from now on

  // Brings the rates up to date and returns the flows that may have another rate than before, each number once or,
  // if it was reused since, more often; valid until the next call. Costs the flows returned, the flows that share a
  // full link with them, and a logarithm.
  std::span<const std::uint32_t> settle();
  bool settled() const { return agenda_.empty(); }

  std::int64_t rate(std::uint32_t flow) const { return flows_[flow].rate; }
  std::span<const std::int32_t> path(std::uint32_t flow) const {
    return {paths_.data() + flows_[flow].first_hop, flows_[flow].hops};
  }
  std::int64_t capacity(std::int32_t link) const { return at(link).capacity; }
  std::int64_t used(std::int32_t link) const { return at(link).capacity - at(link).free; }
  std::int32_t links() const { return static_cast<std::int32_t>(links_.size()); }
  std::uint64_t opened() const { return count_opened_; }  // flows re-rated so far, a measure of the work done

 private:
  static constexpr std::uint32_t kEnd = 0xffffffff;
  static constexpr std::int32_t kNone = -1;
  static constexpr std::int64_t kNoKey = std::numeric_limits<std::int64_t>::max();

  struct Link {
    std::int64_t capacity = 0;
    std::int64_t free = 0;       // capacity less the rates of the flows that are not open
    std::int64_t held = 0;       // the rate of the flows whose bottleneck this is; nobody on the link is faster
    std::int64_t key = kNoKey;   // level of its valid entry in the agenda
    std::int32_t holds = 0;      // how many flows have their bottleneck here
    std::int32_t open = 0;       // how many open flows
    std::uint32_t first = kEnd;  // hop of its first flow
    bool checking = false;       // an entry of kind kCheck is in the agenda
  };
  struct Flow {
    std::int64_t rate = 0;
    std::int64_t cap = kNoCap;
    std::uint32_t first_hop = 0;
    std::int32_t bottleneck = kNone;  // kNone: its cap
    std::uint16_t hops = 0;
    bool open = false;
  };
  struct Hop {  // a flow on a link; the hops of a link are a list, those of a flow lie side by side
    std::uint32_t flow, next, previous;
  };

  // What is to be looked at when the level gets there, in this order at one level. The order among equals is that of
  // their numbers: a sweep depends on nothing else.
  enum Kind : std::uint32_t { kCheck, kCap, kFull };
  __extension__ using Key = unsigned __int128;

  Link& at(std::int32_t link) { return links_[static_cast<std::size_t>(link)]; }
  const Link& at(std::int32_t link) const { return links_[static_cast<std::size_t>(link)]; }
  void push(std::int64_t level, Kind kind, std::uint32_t index);
  Key pop();
  std::uint32_t take_hops(std::size_t count);
  void open(std::uint32_t flow);                             // its links have got its rate back
  void reopen(std::uint32_t flow);                           // one that has a rate
  void check(std::int32_t link);                             // the level is where its flows are held
  void fill(std::int64_t level);                             // everything that is to be fixed at this level
  bool opens_faster(std::int32_t link, std::int64_t level);  // flows too fast for it at this level; whether any
  void fix(std::uint32_t flow, std::int64_t level, std::int32_t bottleneck);

  std::vector<Link> links_;
  std::vector<Flow> flows_;
  std::vector<Hop> hops_;
  std::vector<std::int32_t> paths_;                    // the link of each hop
  std::vector<std::vector<std::uint32_t>> free_hops_;  // first hops of runs to reuse, by length
  std::vector<Key> agenda_;                            // heap, lowest first: level, kind, number of link or flow
  std::vector<std::uint32_t> opened_, settled_, capped_;
  std::vector<std::int32_t> full_;
  std::uint64_t count_opened_ = 0;
};

}  // namespace silicast
