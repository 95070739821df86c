// Sessions that are in progress when a run begins. In an infinite past sessions began at the same rate, so what is in
// progress at an instant is a sample of sessions by length: a session of holding time H is there with a chance in
// proportion to H, and has come evenly far (the inspection paradox; for Poisson beginnings the number in progress is
// Poisson with mean rate x E[H], as in M/G/infinity). H is made of pauses and of answers whose time nobody knows before
// the run: a guess stands for it.
#pragma once

#include <cstdint>
#include <vector>

#include "workloads/session_script.hpp"

namespace silicast {

// What sessions come to, over many of them.
struct SessionMeans {
  double calls = 0;               // of one session
  double prompt = 0, output = 0;  // tokens of a call
  Seconds holding;                // from its first call to its last answer
  bool cut = false;               // one had no end: the means are of what was played, and calls and holding too small
};

struct SessionInProgress {
  Session session;  // ready to ask its next step
  double asks = 0;  // s from now
};

// Over `count` sessions numbered from -1 down, which no run begins; over fewer where these have `most_calls` calls. A
// session is played until it alone has so many.
SessionMeans session_means(const SessionScript& script, Seconds answer_time, std::int64_t count,
                           std::int64_t most_calls);

// `count` sessions are drawn and each is put in as often as its holding time says, Poisson, so that the means over all
// that may be in progress are right; an answer that is under way comes after what is left of the guess, and is not
// served again. Sessions that only wait for their last answer are left out: nothing follows.
std::vector<SessionInProgress> sessions_in_progress(const SessionScript& script, double rate, Seconds answer_time,
                                                    std::int64_t count, RandomStream draws);

}  // namespace silicast
