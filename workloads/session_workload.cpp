#include "workloads/session_workload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "workloads/limits.hpp"
#include "workloads/workload_scope.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kPilot = 4096;            // sessions that the means are taken over,
constexpr std::int64_t kPilotCalls = 1'000'000;  // or fewer that have so many calls
constexpr std::int64_t kDrawnForOne = 8;         // for each that is expected in progress: a path is there twice seldom
constexpr std::int64_t kMostDrawn = 4'000'000;
constexpr double kMostDrawnCalls = 5e7;  // of all that are drawn

const RegistryEntry<ArrivalFactory>& process_of(ConfigMap& map) {
  const auto process = map.optional("process");
  return process ? process->entry_of(arrival_processes()) : *arrival_processes().find("poisson");
}

bool rate_moves(const RegistryEntry<ArrivalFactory>& process) {
  return process.name == "diurnal" || process.name == "piecewise";
}

bool starts_stationary(ConfigMap& map, const RegistryEntry<ArrivalFactory>& process) {
  const auto start = map.optional("start");
  if (!start) return !rate_moves(process);
  if (start->choice({"stationary", "empty"}, "start") == 1) return false;
  if (rate_moves(process))
    start->fail(fmt::format("the rate of a {} process moves, so nothing is stationary; start: empty", process.name));
  return true;
}

}  // namespace

SessionWorkload make_sessions(const ConfigValue& value, const WorkloadScope& scope) {
  ConfigMap map = value.map();
  const RegistryEntry<ArrivalFactory>& process = process_of(map);
  const SourceBounds bounds = read_bounds(map);
  std::unique_ptr<ArrivalProcess> beginnings = process.make(map, scope.stream("arrivals"));
  const bool counted = map.has("requests"), timed = map.has("duration") || beginnings->end().has_value();
  const bool stationary = starts_stationary(map, process);
  const auto guess = map.optional("answer_time");
  const Seconds answer_time(guess ? guess->quantity(Dimension::kTime, {0, 1e6}) : 0);
  SessionScript script(read_session_shape(map, scope), scope.stream("sessions").next());
  map.done();
  if (!counted && !timed) value.fail("needs an end: give requests, duration or both");
  if (guess && !stationary) guess->fail("is a guess for sessions in progress at the start, which is empty");

  const double rate = beginnings->mean_rate();
  const SessionMeans means = session_means(script, answer_time, kPilot, kPilotCalls);
  const double present = stationary ? rate * means.holding.value() : 0;
  if (present > kMaxConcurrency)
    value.fail(
        fmt::format("{:.0f} sessions are in progress at the start; at most {} may be", present, kMaxConcurrency));
  if (stationary && means.cut)
    value.fail(fmt::format(
        "a session has over {} calls, so those in progress at the start cannot be drawn; start: empty", kPilotCalls));
  const std::int64_t drawn = std::min(std::clamp(kDrawnForOne * static_cast<std::int64_t>(present), kPilot, kMostDrawn),
                                      static_cast<std::int64_t>(std::ceil(kMostDrawnCalls / means.calls)));
  std::vector<SessionInProgress> in_progress;
  if (stationary) in_progress = sessions_in_progress(script, rate, answer_time, drawn, scope.stream("in progress"));

  SessionWorkload made;
  made.info.open_loop = false;
  if (counted && !timed) made.info.requests = bounds.requests;
  if (!means.cut) made.info.mean_rate = rate * means.calls;
  made.info.mean_prompt = means.prompt;
  made.info.mean_output = means.output;
  made.info.block_tokens = script.shape().block_tokens;
  made.info.description = fmt::format(
      "sessions: {} at {:.4g}/s, {}{:.4g} calls each, prompt mean {:.4g}, output mean {:.4g} tokens; {} in progress at "
      "the start",
      process.name, rate, means.cut ? "over " : "", means.calls, means.prompt, means.output, in_progress.size());
  made.source = std::make_unique<SessionSource>(std::move(script), std::move(beginnings), in_progress, bounds, value);
  return made;
}

}  // namespace silicast
