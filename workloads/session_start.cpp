#include "workloads/session_start.hpp"

namespace silicast {
namespace {

struct Played {
  double time = 0;  // s since the first step was asked
  bool over = false;
};

// Plays a session from its first step, all calls of a step at once and answered after the guess, until it is over or
// `goes_on` says no of the time at which the next step is asked.
template <class OnCall, class GoesOn>
Played play(const SessionScript& script, Session& session, double guess, OnCall on_call, GoesOn goes_on) {
  double time = 0;
  while (true) {
    while (session.to_ask > 0) {
      const RequestSpec call = script.call(session);
      session.answers += call.output_tokens;
      on_call(call);
    }
    session.waiting = 0;
    time += guess;
    if (!script.go_on(session)) return {time, true};
    time += session.pause;
    if (!goes_on(time)) return {time, false};
  }
}

constexpr auto kNoMatter = [](const RequestSpec&) {};

}  // namespace

SessionMeans session_means(const SessionScript& script, Seconds answer_time, std::int64_t count,
                           std::int64_t most_calls) {
  SessionMeans means;
  std::int64_t calls = 0, played = 0;
  double prompt = 0, output = 0, time = 0;
  for (; played < count && calls < most_calls && !means.cut; ++played) {
    Session session = script.begin(-1 - played);
    const std::int64_t before = calls;
    const auto count_call = [&](const RequestSpec& call) {
      ++calls;
      prompt += call.prompt_tokens;
      output += call.output_tokens;
    };
    const Played all =
        play(script, session, answer_time.value(), count_call, [&](double) { return calls - before < most_calls; });
    time += all.time;
    means.cut = !all.over;
  }
  const auto sessions = static_cast<double>(played), all_calls = static_cast<double>(calls);
  means.calls = all_calls / sessions;
  means.prompt = prompt / all_calls;
  means.output = output / all_calls;
  means.holding = Seconds(time / sessions);
  return means;
}

std::vector<SessionInProgress> sessions_in_progress(const SessionScript& script, double rate, Seconds answer_time,
                                                    std::int64_t count, RandomStream draws) {
  const double guess = answer_time.value();
  std::vector<SessionInProgress> found;
  for (std::int64_t number = -1; number >= -count; --number) {
    Session whole = script.begin(number);
    const double length = play(script, whole, guess, kNoMatter, [](double) { return true; }).time;
    const double mean = rate * length / static_cast<double>(count);
    for (double sum = draws.exponential(); sum < mean; sum += draws.exponential()) {
      Session session = script.begin(number);
      // One that is there twice says other words.
      session.key = draws.next();
      const double age = length * draws.uniform();
      const Played up_to = play(script, session, guess, kNoMatter, [&](double time) { return time <= age; });
      if (!up_to.over) found.push_back({session, up_to.time - age});
    }
  }
  return found;
}

}  // namespace silicast
