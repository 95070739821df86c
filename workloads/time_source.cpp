#include "workloads/time_source.hpp"

#include <cmath>

#include "sim/base/check.hpp"
#include "workloads/limits.hpp"

namespace silicast {

TimeSource::TimeSource(std::unique_ptr<RequestSource> source, TimeEdits edits, ConfigValue at)
    : source_(std::move(source)), edits_(edits), at_(std::move(at)) {}

std::optional<SimTime> TimeSource::next_time() {
  if (edits_.first == 0) return std::nullopt;
  std::optional<SimTime> time = source_->next_time();
  while (time && *time < edits_.from) {
    source_->take();
    time = source_->next_time();
  }
  if (!time) return std::nullopt;  // not for good: a closed loop's clients may wait
  if (*time >= edits_.to) {
    edits_.first = 0;
    return std::nullopt;
  }
  return edited(*time);
}

RequestSpec TimeSource::take() {
  const std::optional<SimTime> time = next_time();
  SILICAST_CHECK(time.has_value(), "take() of an exhausted source");
  --edits_.first;
  RequestSpec request = source_->take();
  // A client's patience is real time: it moves with the arrival and does not shrink with the gaps.
  if (request.deadline != SimTime::never()) request.deadline.ns += time->ns - request.arrival.ns;
  request.arrival = *time;
  return request;
}

// Monotone, because rounding is.
SimTime TimeSource::edited(SimTime time) const {
  const std::int64_t ns = time.ns - edits_.from.ns;
  if (edits_.speed == 1) return {ns};
  const double scaled = static_cast<double>(ns) / edits_.speed;
  if (scaled > static_cast<double>(kLastArrival.ns)) at_.fail("arrivals run past 63 years at this speed");
  return {std::llround(scaled)};
}

}  // namespace silicast
