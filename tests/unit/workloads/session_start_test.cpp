// Sessions in progress at the start are a sample of what would be there if the run had begun long ago.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <map>

#include "workload_test_support.hpp"
#include "workloads/session_workload.hpp"
#include "workloads/workload_scope.hpp"

namespace silicast {
namespace {

// Means over the windows of a run that answers each call after `service` seconds.
struct Window {
  double live = 0;    // sessions in progress, at the arrivals of the window
  double prompt = 0;  // tokens of a call
  double calls = 0;
};

std::vector<Window> windows_of(const std::string& sessions, double service, double width, int count,
                               std::uint64_t seed) {
  WorkloadContext context = context_of();
  context.seed = seed;
  const WorkloadScope scope{context, "workload", "", 0};
  const SessionWorkload made = make_sessions(
      ConfigValue::from_text(fmt::format("{{{}, duration: {} s}}", sessions, width * count), "w.yaml"), scope);
  SessionSource& source = *made.source;
  std::vector<Window> windows(static_cast<std::size_t>(count));
  std::multimap<SimTime, RequestSpec> in_flight;
  while (true) {
    const auto next = source.next_time();
    if (!next && in_flight.empty()) break;
    if (next && (in_flight.empty() || *next <= in_flight.begin()->first)) {
      const RequestSpec request = source.take();
      in_flight.emplace(request.arrival + Seconds(service), request);
      Window& window = windows[static_cast<std::size_t>(request.arrival.seconds() / width)];
      ++window.calls;
      window.prompt += request.prompt_tokens;
      window.live += static_cast<double>(source.in_progress());
      continue;
    }
    source.ended(in_flight.begin()->second, in_flight.begin()->first, true);
    in_flight.erase(in_flight.begin());
  }
  for (Window& window : windows) window.live /= window.calls, window.prompt /= window.calls;
  return windows;
}

// The difference of the first window from the mean of the last half, over its standard error across seeds.
struct Drift {
  double live = 0, prompt = 0, calls = 0;
};

Drift drift_of(const std::string& sessions, double service, int seeds = 40) {
  constexpr int kWindows = 20;
  std::vector<double> live, prompt, calls;
  for (int seed = 1; seed <= seeds; ++seed) {
    const auto windows = windows_of(sessions, service, 60, kWindows, static_cast<std::uint64_t>(seed));
    Window later;
    for (std::size_t i = kWindows / 2; i < kWindows; ++i) {
      later.live += windows[i].live / (kWindows / 2);
      later.prompt += windows[i].prompt / (kWindows / 2);
      later.calls += windows[i].calls / (kWindows / 2);
    }
    live.push_back(windows[0].live / later.live - 1);
    prompt.push_back(windows[0].prompt / later.prompt - 1);
    calls.push_back(windows[0].calls / later.calls - 1);
  }
  const auto deviate = [](const std::vector<double>& values) {
    double mean = 0, square = 0;
    for (const double value : values) mean += value / static_cast<double>(values.size());
    for (const double value : values) square += (value - mean) * (value - mean);
    return mean / std::sqrt(square / static_cast<double>(values.size() * (values.size() - 1)));
  };
  return {deviate(live), deviate(prompt), deviate(calls)};
}

constexpr char kChat[] =
    "rate: 2 /s, turns: {distribution: geometric, mean: 5}, shared_prefix: 200, "
    "first_prompt: {distribution: lognormal, mean: 300, cv: 1}, user_tokens: {distribution: geometric, mean: 60}, "
    "output: {distribution: lognormal, mean: 200, cv: 1}, think_time: {mean: 40 s, cv: 1.5}";
constexpr char kAgents[] =
    "rate: 1 /s, turns: {distribution: geometric, mean: 2}, first_prompt: 500, user_tokens: 100, output: 150, "
    "think_time: {mean: 60 s}, max_context: 20000, agents: {steps: {distribution: geometric, mean: 6}, "
    "tool_tokens: {distribution: lognormal, mean: 800, cv: 1.5}, tool_gap: {mean: 5 s, cv: 2}, "
    "branches: {probability: 0.2, width: 3, prompt: 50, output: 100}}";

TEST_CASE("a stationary start has as many sessions, calls and tokens of context in its first minute as later") {
  for (const std::string sessions : {kChat, kAgents}) {
    INFO(sessions);
    const Drift drift = drift_of(sessions + ", answer_time: 8 s", 8);
    CHECK(std::abs(drift.live) < 3.5);
    CHECK(std::abs(drift.prompt) < 3.5);
    // Calls that are under way at the start are not made again: an eighth of a minute's are missing at most.
    CHECK(std::abs(drift.calls) < 3.5);
  }
}

TEST_CASE("an empty start drifts for minutes where a stationary one does not") {
  for (const std::string sessions : {kChat, kAgents}) {
    INFO(sessions);
    const Drift drift = drift_of(sessions + ", start: empty", 8, 20);
    CHECK(drift.live < -20);
    CHECK(drift.prompt < -20);
    CHECK(drift.calls < -10);
  }
}

TEST_CASE("sessions in progress are Poisson in number, and stand evenly in all their pauses") {
  std::vector<double> counts, positions(3);
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    WorkloadContext context = context_of();
    context.seed = seed;
    const WorkloadScope scope{context, "workload", "", 0};
    const SessionWorkload made = make_sessions(
        ConfigValue::from_text("{rate: 2 /s, duration: 1 ns, turns: 4, first_prompt: 100, user_tokens: 10, output: 10, "
                               "think_time: 10 s}",
                               "w.yaml"),
        scope);
    counts.push_back(static_cast<double>(made.source->in_progress()));
  }
  const Moments moments = moments_of(counts);
  CHECK(std::abs(moments.mean - 60) < 3.5 * std::sqrt(60 / 300.0));  // rate x (4 - 1) x 10 s
  CHECK(moments.cv * moments.mean == Approx(std::sqrt(60)).epsilon(0.15));
  // Those that come next are of turns 2, 3 and 4 alike, evenly over the ten seconds of a pause.
  double time = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    WorkloadContext context = context_of();
    context.seed = seed;
    for (const RequestSpec& call :
         requests_of("sessions: {rate: 2 /s, duration: 10 s, turns: 4, first_prompt: 100, user_tokens: 10, output: 10, "
                     "think_time: 10 s}",
                     context)) {
      if (call.prompt_tokens == 100) continue;  // has just begun
      ++positions[static_cast<std::size_t>((call.prompt_tokens - 120) / 20)];
      time += call.arrival.seconds();
    }
  }
  const double all = positions[0] + positions[1] + positions[2];
  for (const double position : positions) CHECK(std::abs(position - all / 3) < 3.5 * std::sqrt(all / 3));
  CHECK(std::abs(time / all - 5) < 3.5 * std::sqrt(100 / 12.0 / all));
}

TEST_CASE("longer sessions are in progress in proportion to their length") {
  // Of 1 and 21 turns alike: only the long ones have pauses, so what comes next is of them.
  std::int64_t later = 0, first = 0;
  WorkloadContext context = context_of();
  for (const RequestSpec& call :
       requests_of("sessions: {rate: 1 /s, duration: 10 s, turns: {distribution: histogram, values: [1, 21], weights: "
                   "[1, 1]}, first_prompt: 100, user_tokens: 10, output: 10, think_time: 10 s}",
                   context))
    ++(call.prompt_tokens > 100 ? later : first);
  CHECK(first < 25);
  CHECK(std::abs(static_cast<double>(later) - 100) < 40);  // rate x 1/2 x 20 pauses x 10 s, each ends in these 10 s
}

}  // namespace
}  // namespace silicast
