#include "workloads/session_start.hpp"

namespace silicast {
namespace {

// Asks all calls of the step at once and answers them after the guess.
void answer(const SessionScript& script, Session& session) {
  while (session.to_ask > 0) session.answers += script.call(session).output_tokens;
  session.waiting = 0;
}

double holding(const SessionScript& script, std::int64_t number, double guess) {
  Session session = script.begin(number);
  double time = 0;
  while (true) {
    answer(script, session);
    time += guess;
    if (!script.go_on(session)) return time;
    time += session.pause;
  }
}

// Up to the first step that it asks after `age`; false when there is none.
bool play_to(const SessionScript& script, double age, double guess, Session& session, double& asks) {
  double time = 0;
  while (true) {
    answer(script, session);
    time += guess;
    if (!script.go_on(session)) return false;
    time += session.pause;
    if (time > age) break;
  }
  asks = time - age;
  return true;
}

}  // namespace

SessionMeans session_means(const SessionScript& script, Seconds answer_time, std::int64_t count) {
  double calls = 0, prompt = 0, output = 0, time = 0;
  for (std::int64_t i = 1; i <= count; ++i) {
    Session session = script.begin(-i);
    do {
      if (session.answers == 0) time += session.pause;
      while (session.to_ask > 0) {
        const RequestSpec call = script.call(session);
        ++calls;
        prompt += call.prompt_tokens;
        output += call.output_tokens;
        session.answers += call.output_tokens;
      }
      time += answer_time.value();
    } while (script.go_on(session));
  }
  const auto sessions = static_cast<double>(count);
  return {calls / sessions, prompt / calls, output / calls, Seconds(time / sessions)};
}

std::vector<SessionInProgress> sessions_in_progress(const SessionScript& script, double rate, Seconds answer_time,
                                                    std::int64_t count, RandomStream draws) {
  const double guess = answer_time.value();
  std::vector<SessionInProgress> found;
  for (std::int64_t number = -1; number >= -count; --number) {
    const double length = holding(script, number, guess);
    const double mean = rate * length / static_cast<double>(count);
    for (double sum = draws.exponential(); sum < mean; sum += draws.exponential()) {
      Session session = script.begin(number);
      // One that is there twice says other words.
      session.key = draws.next();
      double asks = 0;
      if (play_to(script, length * draws.uniform(), guess, session, asks)) found.push_back({session, asks});
    }
  }
  return found;
}

}  // namespace silicast
