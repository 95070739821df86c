#include "workloads/session_source.hpp"

#include <algorithm>

#include "sim/base/check.hpp"
#include "workloads/limits.hpp"

namespace silicast {

SessionSource::SessionSource(SessionScript script, std::unique_ptr<ArrivalProcess> beginnings,
                             const std::vector<SessionInProgress>& in_progress, SourceBounds bounds, ConfigValue at)
    : script_(std::move(script)), beginnings_(std::move(beginnings)), bounds_(bounds), at_(std::move(at)) {
  for (const SessionInProgress& one : in_progress) ask(add(one.session), SimTime{}, one.asks);
  next_beginning_ = beginnings_->next();
}

std::int32_t SessionSource::add(const Session& session) {
  if (in_progress() == kMaxConcurrency) at_.fail("over 1000000 sessions are in progress at once; lower the rate");
  std::int32_t place = 0;
  if (free_.empty()) {
    place = static_cast<std::int32_t>(sessions_.size());
    sessions_.emplace_back();
    order_.push_back(0);
    free_.reserve(sessions_.size());
  } else {
    place = free_.back();
    free_.pop_back();
  }
  sessions_[static_cast<std::size_t>(place)] = session;
  order_[static_cast<std::size_t>(place)] = entered_++;
  return place;
}

void SessionSource::ask(std::int32_t place, SimTime from, double pause) {
  const SimTime time = from.seconds() + pause <= kLastArrivalSeconds ? from + Seconds(pause) : SimTime::never();
  asking_.push_back({time, order_[static_cast<std::size_t>(place)], place});
  std::push_heap(asking_.begin(), asking_.end(), std::greater<>());
}

std::optional<SimTime> SessionSource::next_time() {
  if (bounds_.requests == 0) return std::nullopt;
  SimTime time = next_beginning_.value_or(SimTime::never());
  if (!asking_.empty()) {
    if (asking_.front().time == SimTime::never() && !next_beginning_ && bounds_.end == SimTime::never())
      at_.fail("arrivals run past 63 years; ask for fewer requests or a shorter think_time");
    time = std::min(time, asking_.front().time);
  }
  if (time >= bounds_.end) return std::nullopt;
  return time;
}

// Sessions in progress come ahead of one that begins at the same instant.
RequestSpec SessionSource::take() {
  const std::optional<SimTime> time = next_time();
  SILICAST_CHECK(time.has_value(), "take() of sessions of which none asks");
  if (asking_.empty() || asking_.front().time > *time) {
    const Session session = script_.begin(begun_++);
    ask(add(session), *next_beginning_, 0);
    next_beginning_ = beginnings_->next();
  }
  const std::int32_t place = asking_.front().place;
  Session& session = sessions_[static_cast<std::size_t>(place)];
  RequestSpec request = script_.call(session);
  request.arrival = *time;
  request.client = place;
  script_.blocks(session, request, blocks_);
  --bounds_.requests;
  if (session.to_ask == 0) {
    std::pop_heap(asking_.begin(), asking_.end(), std::greater<>());
    asking_.pop_back();
  }
  return request;
}

void SessionSource::ended(const RequestSpec& request, SimTime now, bool answered) {
  const auto place = static_cast<std::size_t>(request.client);
  SILICAST_CHECK(place < sessions_.size() && sessions_[place].waiting > 0, "session {} waits for no answer",
                 request.client);
  Session& session = sessions_[place];
  --session.waiting;
  session.answers += request.output_tokens;
  session.broken |= !answered;
  if (session.waiting == 0 && session.to_ask == 0) go_on(request.client, now);
}

void SessionSource::go_on(std::int32_t place, SimTime now) {
  Session& session = sessions_[static_cast<std::size_t>(place)];
  if (!session.broken && script_.go_on(session))
    ask(place, now, session.pause);
  else
    free_.push_back(place);
}

}  // namespace silicast
