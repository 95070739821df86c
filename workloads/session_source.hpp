// Sessions that begin by an arrival process and go on as they are answered. Memory is O(sessions in progress).
#pragma once

#include <memory>
#include <vector>

#include "workloads/arrival_process.hpp"
#include "workloads/generated_source.hpp"
#include "workloads/session_script.hpp"
#include "workloads/session_start.hpp"

namespace silicast {

class SessionSource final : public RequestSource {
 public:
  // `in_progress`: those that are there at time 0. A request that would arrive at bounds.end or later is not made.
  // A call that is not answered (refused, timed out, given up) ends its session. InputError at `at`: more sessions at
  // once than kMaxConcurrency, arrivals past kLastArrival.
  SessionSource(SessionScript script, std::unique_ptr<ArrivalProcess> beginnings,
                const std::vector<SessionInProgress>& in_progress, SourceBounds bounds, ConfigValue at);

  std::optional<SimTime> next_time() override;
  RequestSpec take() override;
  std::span<const std::uint64_t> blocks() const override { return blocks_; }
  std::int32_t block_tokens() const override { return script_.shape().block_tokens; }
  bool more_after_ends() const override { return bounds_.requests > 0 && in_progress() > asking_count(); }
  SimTime closes() const override { return bounds_.end; }
  void ended(const RequestSpec& request, SimTime now, bool answered) override;

  std::int64_t in_progress() const { return static_cast<std::int64_t>(sessions_.size() - free_.size()); }

 private:
  // A session whose step is to be asked; the one that began first among those of one instant.
  struct Asking {
    SimTime time;
    std::int64_t order = 0;
    std::int32_t place = 0;  // in sessions_
    bool operator>(const Asking& other) const { return time != other.time ? time > other.time : order > other.order; }
  };

  std::int64_t asking_count() const { return static_cast<std::int64_t>(asking_.size()); }
  std::int32_t add(const Session& session);
  void ask(std::int32_t place, SimTime from, double pause);
  void go_on(std::int32_t place, SimTime now);

  SessionScript script_;
  std::unique_ptr<ArrivalProcess> beginnings_;
  std::optional<SimTime> next_beginning_;
  std::int64_t begun_ = 0;    // since time 0
  std::int64_t entered_ = 0;  // those in progress at time 0 as well
  SourceBounds bounds_;
  ConfigValue at_;
  std::vector<Session> sessions_;
  std::vector<std::int64_t> order_;  // of the sessions, by place: in which they began
  std::vector<std::int32_t> free_;   // places
  std::vector<Asking> asking_;       // a heap, the first to ask in front
  std::vector<std::uint64_t> blocks_;
};

}  // namespace silicast
