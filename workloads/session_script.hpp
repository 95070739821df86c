// What a session says, call by call, whoever answers and however fast: every session draws from a stream of its own.
// A turn is one call of the model, or with agents several with tools between; each call's prompt is the whole
// conversation so far and what is new.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/request_source.hpp"
#include "workloads/session_shape.hpp"

namespace silicast {

// Where a session stands: its step, which is one call or the branches of one.
struct Session {
  RandomStream draws{0, ""};
  std::uint64_t key = 0;        // of the ids of its blocks
  std::int32_t group = 0;       // whose shared prefix it begins with
  std::int32_t turns_left = 0;  // behind this one
  std::int32_t steps_left = 0;  // of this turn, behind this one
  std::int32_t context = 0;     // tokens of the conversation before this step
  std::int32_t added = 0;       // that the step's calls add, each the same number
  std::int32_t output = 0;      // of the step's call, where it is one
  std::int32_t width = 1;       // calls of the step
  std::int32_t to_ask = 0;      // of these, not asked yet
  std::int32_t waiting = 0;     // asked and not answered
  std::int64_t answers = 0;     // tokens of their answers
  std::uint32_t branches = 0;   // begun in this session so far, the present step's among them
  bool in_branches = false;     // the step is one of branches
  bool broken = false;          // a call was not answered
  double pause = 0;             // s, from the last answer of the step before to this step
};

class SessionScript {
 public:
  // `base`: seed of all sessions; unlike numbers begin unlike sessions.
  SessionScript(SessionShape shape, std::uint64_t base) : shape_(std::move(shape)), base_(base) {}

  const SessionShape& shape() const { return shape_; }

  Session begin(std::int64_t number) const;

  // The next call of the step: prompt and output; session.to_ask must be over 0.
  RequestSpec call(Session& session) const;

  // All calls of the step are answered, with session.answers tokens: the next step and its pause. False when the
  // session is over: it has said all, or does not fit the context any more.
  bool go_on(Session& session) const;

  // Ids of the blocks of the call that call() gave last, its answer included, as RequestSource::blocks().
  void blocks(const Session& session, const RequestSpec& call, std::vector<std::uint64_t>& ids) const;

 private:
  bool prepare(Session& session, const ThinkTime& pause, std::int64_t added) const;
  bool fits(const Session& session) const;

  SessionShape shape_;
  std::uint64_t base_;
};

}  // namespace silicast
