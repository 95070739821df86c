#include "sim/run/explain_balance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "sim/perf/breakdown.hpp"
#include "sim/run/disaggregation.hpp"
#include "sim/run/lone_prompt.hpp"

namespace silicast {
namespace {

struct MeanRequest {
  double prompt = 0, output = 0;  // tokens
};

double seconds_of_token(const PoolScenario& pool, std::int32_t sequences, const MeanRequest& request) {
  const auto length = static_cast<std::int64_t>(std::ceil(request.prompt + 0.5 * request.output));
  return breakdown(pool.replica, {.decode_sequences = sequences, .kv_length = length}).total.value();
}

// What the classes of the pool's model allow for a token; infinite where they say nothing.
double tpot_limit(const Scenario& scenario, const PoolScenario& pool) {
  double limit = std::numeric_limits<double>::infinity();
  for (const ClassFacts& one : scenario.classes)
    if (one.model == pool.model)
      for (const PercentileTarget& target : one.targets.percentiles)
        if (target.metric == LatencyMetric::kTpot) limit = std::min(limit, target.limit);
  return limit;
}

struct DecodeBatch {
  std::int32_t sequences = 1;
  std::string_view because;
};

DecodeBatch largest_batch(const Scenario& scenario, const PoolScenario& pool, const MeanRequest& request) {
  const EngineLimits limits = pool.engine.limits();
  const double tokens = static_cast<double>(pool.kv_blocks * limits.block_size);
  const auto held = static_cast<std::int32_t>(
      std::clamp(tokens / (request.prompt + 0.5 * request.output), 1.0, static_cast<double>(limits.max_sequences)));
  DecodeBatch batch{held, held < limits.max_sequences ? "as many as its KV cache holds" : "as many as the engine runs"};
  const double limit = tpot_limit(scenario, pool);
  if (seconds_of_token(pool, held, request) <= limit) return batch;
  std::int32_t low = 1, high = held;
  while (high - low > 1) {
    const std::int32_t middle = low + (high - low) / 2;
    (seconds_of_token(pool, middle, request) <= limit ? low : high) = middle;
  }
  return {low, low > 1 ? "as many as the TPOT target allows" : "one misses the TPOT target"};
}

// What the pools of one role carry together.
struct Side {
  double requests = 0;  // per second
  std::int32_t replicas = 0;
  std::vector<std::int32_t> places;  // of their ranks
};

// Of the first link of the ways from some places to another, or of the last one of the ways back, all taken together.
double bandwidth_at(TransferPaths& paths, const std::vector<std::int32_t>& places, std::int32_t other, bool sends) {
  double sum = 0;
  for (const std::int32_t place : places) {
    const auto links = sends ? paths.links(place, other) : paths.links(other, place);
    sum += paths.capacities()[static_cast<std::size_t>(sends ? links.front() : links.back())].value();
  }
  return sum;
}

std::string section_of(const Scenario& scenario, const MeanRequest& request) {
  std::string text = fmt::format("\nbalance of {}, for prompts of {:.0f} tokens and answers of {:.0f}\n",
                                 scenario.models[0].name, request.prompt, request.output);
  Side prefill, decode;
  double bytes = 0;  // of a request's KV
  std::int32_t place = 0;
  for (const PoolScenario& pool : scenario.pools) {
    const std::int32_t ranks = pool.replicas * pool.plan.data, first = std::exchange(place, place + ranks);
    if (pool.model != 0 || pool.role == PoolRole::kWhole) continue;
    Side& side = pool.role == PoolRole::kPrefill ? prefill : decode;
    for (std::int32_t rank = first; rank < place; ++rank) side.places.push_back(rank);
    side.replicas += pool.replicas;
    double rate = 0;
    if (pool.role == PoolRole::kPrefill) {
      const double seconds = lone_prompt(pool, static_cast<std::int64_t>(std::ceil(request.prompt))).value();
      rate = ranks / seconds;
      text += fmt::format("  pool {} prefills in {}", pool.name, format_quantity(seconds, Dimension::kTime));
    } else {
      const DecodeBatch batch = largest_batch(scenario, pool, request);
      const double seconds = seconds_of_token(pool, batch.sequences, request);
      rate = ranks * batch.sequences / (seconds * std::max(1.0, request.output - 1));
      text += fmt::format("  pool {} decodes {} sequences ({}), a token in {}", pool.name, batch.sequences,
                          batch.because, format_quantity(seconds, Dimension::kTime));
      bytes = static_cast<double>(kv_size(pool).of(static_cast<std::int64_t>(request.prompt)));
    }
    side.requests += rate;
    text += fmt::format(": {} replicas carry {:.4g} requests/s\n", pool.replicas, rate);
  }
  TransferSetup transfers = transfer_setup(scenario);
  TransferPaths& paths = transfers.paths;
  const std::int32_t from = prefill.places.front(), to = decode.places.front();
  double narrowest = std::numeric_limits<double>::infinity();
  for (const std::int32_t link : paths.links(from, to))
    narrowest = std::min(narrowest, paths.capacities()[static_cast<std::size_t>(link)].value());
  const double alone = transfers.start.value() + paths.latency(paths.links(from, to)).value() +
                       bytes / (narrowest * transfers.efficiency);
  const double links =
      std::min(bandwidth_at(paths, prefill.places, to, true), bandwidth_at(paths, decode.places, from, false)) *
      transfers.efficiency / bytes;
  text += fmt::format("  between them {} a request, alone in {}: the links at their ends carry {:.4g} requests/s\n",
                      format_quantity(bytes, Dimension::kBytes), format_quantity(alone, Dimension::kTime), links);
  const double least = std::min({prefill.requests, decode.requests, links});
  const std::string_view what = least == prefill.requests  ? "prefill binds"
                                : least == decode.requests ? "decode binds"
                                                           : "the links bind";
  text += fmt::format("  {} at {:.4g} requests/s", what, least);
  if (scenario.workload_info.mean_rate) text += fmt::format(", and {:.4g} arrive", *scenario.workload_info.mean_rate);
  return text + fmt::format("; {:.2g} prefill replicas for each that decodes would be in balance\n",
                            decode.requests / decode.replicas / (prefill.requests / prefill.replicas));
}

}  // namespace

std::string balance_section(const Scenario& scenario) {
  const WorkloadInfo& info = scenario.workload_info;
  if (!scenario.disaggregation || !info.mean_prompt || !info.mean_output) return "";
  // Lengths are known of all requests together: of several models each has its own.
  if (scenario.models.size() > 1) return "\nbalance: not told of several models, whose lengths are not known apart\n";
  return section_of(scenario, {*info.mean_prompt, *info.mean_output});
}

}  // namespace silicast
