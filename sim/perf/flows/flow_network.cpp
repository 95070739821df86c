#include "sim/perf/flows/flow_network.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

// The fastest link gets 59 to 60 bits, so that sums stay in 64; more than 40 binary places would overflow the work.
constexpr int kCapacityBits = 59;
constexpr int kMaxShift = 40;
constexpr double kMaxRatio = 1 << 24;
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 53;
constexpr std::int64_t kMaxTime = std::int64_t{1} << 62;

int shift_for(std::span<const BytesPerSecond> capacities) {
  double fastest = 0;
  for (const BytesPerSecond capacity : capacities) fastest = std::max(fastest, capacity.value());
  if (fastest == 0) return 0;
  SILICAST_CHECK(fastest < std::ldexp(1, kCapacityBits + 1), "a link of {} bytes/s", fastest);
  return std::min(kCapacityBits - std::ilogb(fastest), kMaxShift);
}

std::vector<std::int64_t> in_units(std::span<const BytesPerSecond> capacities, int shift) {
  double fastest = 0;
  for (const BytesPerSecond capacity : capacities) fastest = std::max(fastest, capacity.value());
  std::vector<std::int64_t> units;
  units.reserve(capacities.size());
  for (const BytesPerSecond capacity : capacities) {
    SILICAST_CHECK(capacity.value() * kMaxRatio >= fastest, "links of {} and {} bytes/s", capacity.value(), fastest);
    units.push_back(static_cast<std::int64_t>(std::ldexp(capacity.value(), shift)));
  }
  return units;
}

}  // namespace

FlowNetwork::FlowNetwork(std::span<const BytesPerSecond> capacities)
    : shift_(shift_for(capacities)), rates_(in_units(capacities, shift_)), carried_(capacities.size()) {}

BytesPerSecond FlowNetwork::bytes_per_second(std::int64_t rate) const {
  return BytesPerSecond(std::ldexp(static_cast<double>(rate), -shift_));
}

std::uint32_t FlowNetwork::take_slot() {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(flows_.size()));
    flows_.emplace_back();
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

void FlowNetwork::move_to(SimTime now) {
  if (now == now_) return;
  SILICAST_CHECK(now > now_, "{} ns is past, now {} ns", now.ns, now_.ns);
  settle();
  SILICAST_CHECK(queue_.empty() || queue_.next_time() >= now, "a flow ended at {} ns, before {} ns",
                 queue_.next_time().ns, now.ns);
  now_ = now;
}

FlowId FlowNetwork::start(std::span<const std::int32_t> links, std::int64_t bytes, SimTime now,
                          const FlowOptions& options) {
  const double cap = options.cap.value();
  SILICAST_CHECK(bytes >= 0 && bytes <= kMaxBytes && cap > 0, "{} bytes, cap {}", bytes, cap);
  move_to(now);
  const std::uint32_t slot = take_slot();
  Flow& flow = flows_[slot];
  flow = {work_of(bytes), now, now, 0, bytes, options.tag, started_++, {}, flow.generation, true, false};
  if (links.empty() || bytes == 0) {
    const double wait = std::ceil(static_cast<double>(bytes) / cap * 1e9);
    SILICAST_CHECK(wait < static_cast<double>(kMaxTime - now.ns), "{} bytes at {} bytes/s", bytes, cap);
    due_at(slot, {now.ns + static_cast<std::int64_t>(wait)});
  } else {
    const double units = std::ldexp(cap, shift_);  // a cap above every capacity binds nobody
    const bool binds = units < std::ldexp(1, kCapacityBits + 1);
    SILICAST_CHECK(units >= 1, "cap of {} bytes/s", cap);
    flow.shares = true;
    rates_.add(slot, links, binds ? static_cast<std::int64_t>(units) : MaxMinRates::kNoCap);
  }
  return {slot, flow.generation};
}

std::int64_t FlowNetwork::cancel(FlowId id, SimTime now) {
  SILICAST_CHECK(in_flight(id), "flow {} is not in flight", id.slot);
  move_to(now);
  const std::int64_t bytes = delivered(flows_[id.slot]);
  queue_.cancel(flows_[id.slot].event);
  release(id.slot, bytes);
  return bytes;
}

std::int64_t FlowNetwork::delivered(const Flow& flow) const {
  if (now_ >= flow.end && flow.event.slot != EventId{}.slot) return flow.bytes;
  if (!flow.shares)
    return static_cast<std::int64_t>(Work{flow.bytes} * (now_.ns - flow.since.ns) / (flow.end.ns - flow.since.ns));
  const Work left = flow.left - Work{flow.rate} * (now_.ns - flow.since.ns);
  return static_cast<std::int64_t>((work_of(flow.bytes) - left) / work_of(1));
}

void FlowNetwork::release(std::uint32_t slot, std::int64_t bytes) {
  Flow& flow = flows_[slot];
  if (flow.shares) {
    for (const std::int32_t link : rates_.path(slot)) carried_[static_cast<std::size_t>(link)] += bytes;
    mark_links(slot);
    rates_.remove(slot);
  }
  flow.used = false;
  flow.rate = 0;
  ++flow.generation;
  free_slots_.push_back(slot);
}

void FlowNetwork::due_at(std::uint32_t slot, SimTime end) {
  Flow& flow = flows_[slot];
  flow.end = end;
  if (queue_.pending(flow.event))
    queue_.move(flow.event, end);
  else
    flow.event = queue_.push(end, 0, {nullptr, nullptr, slot});
}

void FlowNetwork::re_rate(std::uint32_t slot, std::int64_t rate) {
  Flow& flow = flows_[slot];
  SILICAST_CHECK(rate > 0, "flow {} stands still", slot);
  flow.left -= Work{flow.rate} * (now_.ns - flow.since.ns);
  flow.since = now_;
  flow.rate = rate;
  // The one rounding point of times: up. A flow that is due now may have nothing left.
  const Work wait = flow.left > 0 ? (flow.left + rate - 1) / rate : 0;
  SILICAST_CHECK(wait < kMaxTime - now_.ns, "flow {} takes longer than time is", slot);
  due_at(slot, {now_.ns + static_cast<std::int64_t>(wait)});
}

void FlowNetwork::settle() {
  if (rates_.settled()) return;
  for (const std::uint32_t slot : rates_.settle())
    if (const std::int64_t rate = rates_.rate(slot); rate != flows_[slot].rate) {
      re_rate(slot, rate);
      mark_links(slot);
    }
}

void FlowNetwork::mark_links(std::uint32_t slot) {
  if (!watched_) return;
  const std::span<const std::int32_t> path = rates_.path(slot);
  changed_.insert(changed_.end(), path.begin(), path.end());
}

std::span<const std::int32_t> FlowNetwork::changed_links() {
  watched_ = true;
  settle();
  told_.clear();
  std::swap(told_, changed_);
  return told_;
}

SimTime FlowNetwork::next_end() {
  settle();
  return queue_.empty() ? SimTime::never() : queue_.next_time();
}

std::span<const FlowEnd> FlowNetwork::advance(SimTime now) {
  SILICAST_CHECK(now >= now_, "{} ns is past, now {} ns", now.ns, now_.ns);
  ends_.clear();
  while (next_end() <= now && !queue_.empty()) {
    now_ = queue_.next_time();
    due_.clear();
    while (!queue_.empty() && queue_.next_time() == now_)
      due_.push_back(static_cast<std::uint32_t>(queue_.pop().argument));
    std::sort(due_.begin(), due_.end(),
              [&](std::uint32_t a, std::uint32_t b) { return flows_[a].sequence < flows_[b].sequence; });
    for (const std::uint32_t slot : due_) {
      ends_.push_back({{slot, flows_[slot].generation}, flows_[slot].tag, now_});
      release(slot, flows_[slot].bytes);
    }
    if (now_ == now) return ends_;  // nothing else is due; what starts now is re-rated together with these ends
  }
  now_ = now;
  return ends_;
}

BytesPerSecond FlowNetwork::rate(FlowId id) {
  SILICAST_CHECK(in_flight(id), "flow {} is not in flight", id.slot);
  settle();
  const Flow& flow = flows_[id.slot];
  if (flow.shares) return bytes_per_second(flow.rate);
  if (flow.end == flow.since) return FlowOptions{}.cap;
  return BytesPerSecond(static_cast<double>(flow.bytes) / (flow.end - flow.since).value());
}

BytesPerSecond FlowNetwork::used(std::int32_t link) {
  settle();
  return bytes_per_second(rates_.used(link));
}

}  // namespace silicast
