#include "workloads/closed_loop_source.hpp"

#include "sim/base/check.hpp"
#include "workloads/limits.hpp"

namespace silicast {
namespace {
constexpr double kNotWaiting = -1;

// When a client asks again; never() past the last arrival that a workload may hold.
SimTime next_turn(SimTime now, double pause) {
  return now.seconds() + pause <= kLastArrivalSeconds ? now + Seconds(pause) : SimTime::never();
}
}  // namespace

ClosedLoopSource::ClosedLoopSource(std::int32_t concurrency, ThinkTime think_time, RandomStream think_stream,
                                   RequestLengths lengths, SourceBounds bounds, ConfigValue at)
    : pause_(static_cast<std::size_t>(concurrency), kNotWaiting),
      think_time_(think_time),
      think_stream_(think_stream),
      lengths_(std::move(lengths)),
      bounds_(bounds),
      at_(std::move(at)) {
  for (std::int32_t client = 0; client < concurrency; ++client) asking_.push({SimTime{}, client});
}

std::optional<SimTime> ClosedLoopSource::next_time() {
  if (bounds_.requests == 0 || asking_.empty()) return std::nullopt;
  const bool timed = bounds_.end != SimTime::never();
  if (!timed && asking_.top().time == SimTime::never())
    at_.fail("arrivals run past 63 years; ask for fewer requests or a shorter think_time");
  if (asking_.top().time >= bounds_.end) return std::nullopt;
  return asking_.top().time;
}

RequestSpec ClosedLoopSource::take() {
  SILICAST_CHECK(next_time().has_value(), "take() of a closed loop where nobody asks");
  const Asking asking = asking_.top();
  asking_.pop();
  --bounds_.requests;
  ++waiting_;
  RequestSpec request;
  request.arrival = asking.time;
  request.client = asking.client;
  lengths_.draw(request);
  pause_[static_cast<std::size_t>(asking.client)] = think_time_.draw(think_stream_);
  return request;
}

bool ClosedLoopSource::more_after_ends() const {
  return waiting_ > 0 && bounds_.requests > static_cast<std::int64_t>(asking_.size());
}

void ClosedLoopSource::ended(const RequestSpec& request, SimTime now, bool) {
  const auto client = static_cast<std::size_t>(request.client);
  SILICAST_CHECK(client < pause_.size() && pause_[client] >= 0, "client {} waits for no answer", request.client);
  // Each client's turn ends once at an instant, unless requests are refused on arrival and nobody pauses.
  ends_at_once_ = now == last_end_ ? ends_at_once_ + 1 : 0;
  last_end_ = now;
  if (ends_at_once_ > 100 * pause_.size() && bounds_.requests > kMaxRequests)
    at_.fail(
        "every request ends as it arrives (too long for the context or the KV cache?), so the clients never "
        "reach the end of "
        "'duration'; give requests or think_time");
  asking_.push({next_turn(now, pause_[client]), request.client});
  pause_[client] = kNotWaiting;
  --waiting_;
}

}  // namespace silicast
