#include "sim/perf/flows/max_min_rates.hpp"

#include <algorithm>
#include <functional>

#include "sim/base/check.hpp"

namespace silicast {

MaxMinRates::MaxMinRates(const std::vector<std::int64_t>& capacities) : links_(capacities.size()) {
  for (std::size_t i = 0; i < capacities.size(); ++i) {
    SILICAST_CHECK(capacities[i] > 0, "capacity {} of link {}", capacities[i], i);
    links_[i].capacity = links_[i].free = capacities[i];
  }
}

void MaxMinRates::push(std::int64_t level, Kind kind, std::uint32_t index) {
  agenda_.push_back(Key{static_cast<std::uint64_t>(level)} << 64 | std::uint64_t{kind} << 32 | index);
  std::push_heap(agenda_.begin(), agenda_.end(), std::greater<>());
}

MaxMinRates::Key MaxMinRates::pop() {
  std::pop_heap(agenda_.begin(), agenda_.end(), std::greater<>());
  const Key key = agenda_.back();
  agenda_.pop_back();
  return key;
}

std::uint32_t MaxMinRates::take_hops(std::size_t count) {
  if (free_hops_.size() <= count) free_hops_.resize(count + 1);
  if (!free_hops_[count].empty()) {
    const std::uint32_t first = free_hops_[count].back();
    free_hops_[count].pop_back();
    return first;
  }
  const std::size_t first = hops_.size();
  SILICAST_CHECK(first + count < kEnd, "{} hops", first);
  hops_.resize(first + count);
  paths_.resize(first + count);
  return static_cast<std::uint32_t>(first);
}

void MaxMinRates::add(std::uint32_t number, std::span<const std::int32_t> path, std::int64_t cap) {
  SILICAST_CHECK(!path.empty() && path.size() < 0xffff && cap > 0, "{} links, cap {}", path.size(), cap);
  if (flows_.size() <= number) flows_.resize(number + 1);
  Flow& flow = flows_[number];
  SILICAST_CHECK(flow.hops == 0, "flow {} is there already", number);
  flow = {0, cap, take_hops(path.size()), kNone, static_cast<std::uint16_t>(path.size()), false};
  for (std::size_t i = 0; i < path.size(); ++i) {
    SILICAST_CHECK(path[i] >= 0 && path[i] < links(), "link {} of {}", path[i], links());
    const auto hop = static_cast<std::uint32_t>(flow.first_hop + i);
    Link& link = at(path[i]);
    SILICAST_CHECK(link.first < flow.first_hop || link.first >= hop || link.first == kEnd, "link {} twice", path[i]);
    hops_[hop] = {number, link.first, kEnd};
    paths_[hop] = path[i];
    if (link.first != kEnd) hops_[link.first].previous = hop;
    link.first = hop;
  }
  open(number);
}

void MaxMinRates::remove(std::uint32_t number) {
  Flow& flow = flows_[number];
  SILICAST_CHECK(flow.hops > 0, "flow {} is not there", number);
  if (!flow.open && flow.bottleneck != kNone) --at(flow.bottleneck).holds;
  for (std::uint32_t hop = flow.first_hop; hop < flow.first_hop + flow.hops; ++hop) {
    Link& link = at(paths_[hop]);
    const auto [unused, next, previous] = hops_[hop];
    (previous == kEnd ? link.first : hops_[previous].next) = next;
    if (next != kEnd) hops_[next].previous = previous;
    if (flow.open) {
      --link.open;
      continue;
    }
    link.free += flow.rate;
    if (link.holds == 0 || link.checking) continue;
    link.checking = true;
    push(link.held, kCheck, static_cast<std::uint32_t>(paths_[hop]));
  }
  free_hops_[flow.hops].push_back(flow.first_hop);
  flow = {};
}

void MaxMinRates::open(std::uint32_t number) {
  Flow& flow = flows_[number];
  flow.open = true;
  opened_.push_back(number);
  ++count_opened_;
  if (flow.cap != kNoCap) push(flow.cap, kCap, number);
  for (std::uint32_t hop = flow.first_hop; hop < flow.first_hop + flow.hops; ++hop) {
    const std::int32_t index = paths_[hop];
    Link& link = at(index);
    ++link.open;
    const std::int64_t level = link.free / link.open;
    if (level < link.key) {
      link.key = level;
      push(level, kFull, static_cast<std::uint32_t>(index));
    }
    if (link.holds > 0 && !link.checking) {
      link.checking = true;
      push(link.held, kCheck, static_cast<std::uint32_t>(index));
    }
  }
}

void MaxMinRates::reopen(std::uint32_t number) {
  Flow& flow = flows_[number];
  if (flow.bottleneck != kNone) --at(flow.bottleneck).holds;
  for (const std::int32_t link : path(number)) at(link).free += flow.rate;
  open(number);
}

// The flows held here keep their rate while the link stays full at it. Open flows on it fill it at that very rate, or
// there is none and what is free is less than one unit for each.
void MaxMinRates::check(std::int32_t index) {
  Link& link = at(index);
  const bool full = link.open == 0 ? link.free < link.holds : link.free / link.open <= link.held;
  if (full) return;
  for (std::uint32_t hop = link.first; hop != kEnd && link.holds > 0; hop = hops_[hop].next) {
    const std::uint32_t flow = hops_[hop].flow;
    if (!flows_[flow].open && flows_[flow].bottleneck == index) reopen(flow);
  }
  SILICAST_CHECK(link.holds == 0, "link {} holds {} flows that are not on it", index, link.holds);
}

// What the link can give its open flows if the kept flows above that open as well: the limit is found from below, as
// in projections onto a simplex (Michelot 1986), in few passes because each drops flows for good.
bool MaxMinRates::opens_faster(std::int32_t index, std::int64_t level) {
  Link& link = at(index);
  std::int64_t limit = level, faster = -1;
  while (true) {
    std::int64_t free = link.free, count = 0;
    for (std::uint32_t hop = link.first; hop != kEnd; hop = hops_[hop].next) {
      const Flow& flow = flows_[hops_[hop].flow];
      if (flow.open || flow.rate <= limit) continue;
      free += flow.rate;
      ++count;
    }
    if (count == 0) return false;
    if (count == faster) break;
    faster = count;
    limit = free / (link.open + count);
  }
  for (std::uint32_t hop = link.first; hop != kEnd; hop = hops_[hop].next) {
    const std::uint32_t flow = hops_[hop].flow;
    if (!flows_[flow].open && flows_[flow].rate > limit) reopen(flow);
  }
  return true;
}

void MaxMinRates::fix(std::uint32_t number, std::int64_t level, std::int32_t bottleneck) {
  Flow& flow = flows_[number];
  flow.open = false;
  flow.rate = level;
  flow.bottleneck = bottleneck;
  for (const std::int32_t index : path(number)) {
    Link& link = at(index);
    link.free -= level;
    --link.open;
  }
  if (bottleneck == kNone) return;
  Link& link = at(bottleneck);
  SILICAST_CHECK(link.holds == 0 || link.held == level, "link {} holds at {} and {}", bottleneck, link.held, level);
  ++link.holds;
  link.held = level;
}

// All links that fill up at one level are found before any flow is fixed, because a flow that is fixed leaves a
// remainder of the division to the others: the order among links would show in the last unit.
void MaxMinRates::fill(std::int64_t level) {
  full_.clear();
  capped_.clear();
  while (!agenda_.empty() && static_cast<std::int64_t>(agenda_.front() >> 64) == level) {
    const Key entry = pop();
    const auto index = static_cast<std::uint32_t>(entry);
    const auto kind = static_cast<Kind>(static_cast<std::uint64_t>(entry) >> 32);
    SILICAST_CHECK(kind != kCheck, "link {} to be checked at level {}, too late", index, level);
    if (kind == kCap) {
      // An entry of a flow that is gone is as good for one that took its number and has this cap.
      if (flows_[index].open && flows_[index].cap == level) capped_.push_back(index);
      continue;
    }
    Link& link = links_[index];
    if (link.key != level) continue;
    std::int64_t now = link.open == 0 ? kNoKey : link.free / link.open;
    // Its key stays while flows open, so that they don't write it into the agenda at every step.
    if (now == level && opens_faster(static_cast<std::int32_t>(index), level)) now = link.free / link.open;
    link.key = now;
    if (now == level) {
      full_.push_back(static_cast<std::int32_t>(index));
    } else if (now != kNoKey) {
      push(now, kFull, index);
    }
  }
  for (const std::uint32_t flow : capped_)
    if (flows_[flow].open) fix(flow, level, kNone);
  for (const std::int32_t index : full_) {
    for (std::uint32_t hop = at(index).first; hop != kEnd && at(index).open > 0; hop = hops_[hop].next)
      if (flows_[hops_[hop].flow].open) fix(hops_[hop].flow, level, index);
    at(index).key = kNoKey;
  }
}

std::span<const std::uint32_t> MaxMinRates::settle() {
  while (!agenda_.empty()) {
    const Key first = agenda_.front();
    const auto level = static_cast<std::int64_t>(first >> 64);
    if (static_cast<Kind>(static_cast<std::uint64_t>(first) >> 32) != kCheck) {
      fill(level);
      continue;
    }
    const auto index = static_cast<std::int32_t>(static_cast<std::uint32_t>(pop()));
    Link& link = at(index);
    link.checking = false;
    if (link.holds > 0 && link.held == level) check(index);
  }
  settled_.swap(opened_);
  opened_.clear();
  return settled_;
}

}  // namespace silicast
