#include "workloads/session_trace_source.hpp"

#include <algorithm>

#include "sim/base/check.hpp"
#include "workloads/limits.hpp"

namespace silicast {

SessionTraceSource::SessionTraceSource(std::unique_ptr<TraceSource> trace) {
  while (trace->next_time()) {
    const auto index = static_cast<std::int32_t>(turns_.size());
    Turn turn;
    turn.spec = trace->take();
    turn.spec.client = index;
    turn.first_block = ids_.size();
    turn.blocks = trace->blocks().size();
    ids_.insert(ids_.end(), trace->blocks().begin(), trace->blocks().end());
    const TraceTurn& from = trace->turn();
    turn.think_ns = from.think_ns;
    turns_.push_back(turn);
    if (from.parent < 0) {
      ask(index, turn.spec.arrival);
      continue;
    }
    ++waiting_;
    Turn& parent = turns_[static_cast<std::size_t>(from.parent)];
    ++parent.children;
    (parent.first_child < 0 ? parent.first_child : turns_[static_cast<std::size_t>(parent.last_child)].next) = index;
    parent.last_child = index;
  }
  block_tokens_ = trace->block_tokens();
}

void SessionTraceSource::ask(std::int32_t turn, SimTime time) {
  asking_.push_back({time, turn});
  std::push_heap(asking_.begin(), asking_.end(), std::greater<>());
}

std::optional<SimTime> SessionTraceSource::next_time() {
  if (asking_.empty()) return std::nullopt;
  return asking_.front().time;
}

RequestSpec SessionTraceSource::take() {
  SILICAST_CHECK(!asking_.empty(), "take() of a trace of which nobody asks");
  const Asking asking = asking_.front();
  std::pop_heap(asking_.begin(), asking_.end(), std::greater<>());
  asking_.pop_back();
  const Turn& turn = turns_[static_cast<std::size_t>(asking.turn)];
  awaited_ += turn.children;
  const auto first = ids_.begin() + static_cast<std::ptrdiff_t>(turn.first_block);
  blocks_.assign(first, first + static_cast<std::ptrdiff_t>(turn.blocks));
  RequestSpec request = turn.spec;
  // A client's patience counts from when it asks.
  if (request.deadline != SimTime::never()) request.deadline.ns += asking.time.ns - request.arrival.ns;
  request.arrival = asking.time;
  return request;
}

void SessionTraceSource::ended(const RequestSpec& request, SimTime now, bool answered) {
  const Turn& turn = turns_[static_cast<std::size_t>(request.client)];
  awaited_ -= turn.children;
  if (!answered) return;
  for (std::int32_t child = turn.first_child; child >= 0; child = turns_[static_cast<std::size_t>(child)].next)
    ask(child, {std::min(now.ns + turns_[static_cast<std::size_t>(child)].think_ns, kLastArrival.ns)});
}

}  // namespace silicast
