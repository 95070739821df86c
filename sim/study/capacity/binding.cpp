#include "sim/study/capacity/binding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "sim/perf/breakdown.hpp"

namespace silicast {
namespace {

constexpr double kFull = 0.95;  // of KV blocks
constexpr double kIdle = 0.7;   // of time busy: a queue that hurts before chips are used up

struct TimeShares {
  std::array<double, 5> by_bound{};  // of Bound
  double sequences = 0;              // decoding, on a rank
};

// Of a pool's busy time: prompts in full chunks as long as they take, the rest decodes of the mean batch.
TimeShares time_shares(const PoolScenario& pool, const PoolUse& use, const Summary& summary, double output_share) {
  TimeShares shares;
  const auto add = [&](const BreakdownBatch& batch, double weight) {
    if (!(weight > 0)) return;
    for (const BreakdownRow& row : breakdown(pool.replica, batch).rows)
      shares.by_bound[static_cast<std::size_t>(row.bound)] += weight * row.share;
  };
  const double ranks = use.replicas * static_cast<double>(pool.plan.data);
  const double tokens = output_share * summary.total.throughput.output_tokens;
  shares.sequences = std::max(1.0, tokens / std::max(use.iterations * ranks, 1e-9));
  const double prompt = summary.total.throughput.requests > 0
                            ? summary.total.throughput.prompt_tokens / summary.total.throughput.requests
                            : 1;
  const double output = summary.total.throughput.requests > 0
                            ? summary.total.throughput.output_tokens / summary.total.throughput.requests
                            : 1;
  const EngineLimits limits = pool.engine.limits();
  const auto chunk = static_cast<std::int32_t>(std::clamp(prompt, 1.0, static_cast<double>(limits.max_batched_tokens)));
  const auto batch = static_cast<std::int32_t>(std::min<double>(std::round(shares.sequences), limits.max_sequences));
  add({.prefill_tokens = chunk}, use.prefill_time_share);
  add({.decode_sequences = batch, .kv_length = static_cast<std::int64_t>(prompt + output / 2)},
      1 - use.prefill_time_share);
  return shares;
}

// The busiest, but one that prefills for others only where no time per token is missed and it has little room: those
// that decode are busy as soon as they have a sequence.
std::size_t binding_pool(const Scenario& scenario, const Summary& summary, const std::string& target) {
  const auto busiest = [&](bool prefills) {
    std::optional<std::size_t> at;
    for (std::size_t i = 0; i < summary.use.size(); ++i)
      if ((scenario.pools[i].role == PoolRole::kPrefill) == prefills &&
          (!at || summary.use[i].busy > summary.use[*at].busy))
        at = i;
    return at;
  };
  const std::optional<std::size_t> prefill = busiest(true);
  const bool of_tokens = target.starts_with("tpot") || target.starts_with("itl");
  if (prefill && !of_tokens && summary.use[*prefill].busy >= kIdle) return *prefill;
  return busiest(false).value_or(0);
}

}  // namespace

Binding binding_of(const Scenario& scenario, const Summary& summary, const std::string& target) {
  constexpr std::array<const char*, 5> kNames = {"compute", "HBM bandwidth", "links", "launches and host",
                                                 "measured kernels"};
  const std::size_t at = binding_pool(scenario, summary, target);
  const PoolUse& use = summary.use[at];
  const PoolScenario& pool = scenario.pools[at];
  const bool prefills = pool.role == PoolRole::kPrefill;
  double decoding = 0;  // seconds of all pools that do
  for (std::size_t i = 0; i < summary.use.size(); ++i)
    if (scenario.pools[i].role != PoolRole::kPrefill) decoding += summary.use[i].busy_seconds;
  const TimeShares shares = time_shares(pool, use, summary,
                                        prefills       ? 0
                                        : decoding > 0 ? use.busy_seconds / decoding
                                                       : 1);
  const auto most = static_cast<std::size_t>(std::max_element(shares.by_bound.begin(), shares.by_bound.end()) -
                                             shares.by_bound.begin());
  const std::string where = fmt::format(
      "{}busy {:.0f}% of the time, {:.0f}% of it with prompts; {:.0f}% of an iteration is bound by {}; "
      "{}KV cache {:.0f}% full on average, {:.0f}% at its peak",
      scenario.pools.size() > 1 ? "pool " + pool.name + ": " : "", 100 * use.busy, 100 * use.prefill_time_share,
      100 * shares.by_bound[most], kNames[most],
      prefills ? "" : fmt::format("{:.0f} sequences decode at once on a rank; ", shares.sequences), 100 * use.kv_mean,
      100 * use.kv_peak);
  if (use.kv_peak >= kFull && (summary.total.preemptions > 0 || use.kv_mean > 0.8)) return {"KV memory", where};
  const bool waits = target.starts_with("ttft") || target.starts_with("share") || target == "stability";
  if (waits && use.busy < kIdle) return {"queueing", where};
  return {kNames[most], where};
}

}  // namespace silicast
