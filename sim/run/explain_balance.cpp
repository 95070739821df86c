#include "sim/run/explain_balance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/perf/breakdown.hpp"
#include "sim/run/disaggregation.hpp"

namespace silicast {
namespace {

struct MeanRequest {
  double prompt = 0, output = 0;  // tokens
};

// A prompt alone, in chunks as large as the engine takes.
double prefill_seconds(const PoolScenario& pool, double prompt) {
  const EngineLimits limits = pool.engine.limits();
  const std::int32_t chunk = limits.max_chunk > 0 ? limits.max_chunk : limits.max_batched_tokens;
  const auto tokens = static_cast<std::int64_t>(std::ceil(prompt));
  double seconds = 0;
  for (std::int64_t done = 0; done < tokens; done += chunk)
    seconds += breakdown(pool.replica,
                         {.prefill_tokens = static_cast<std::int32_t>(std::min<std::int64_t>(chunk, tokens - done)),
                          .prefill_context = done})
                   .total.value();
  return seconds;
}

double decode_seconds(const PoolScenario& pool, std::int32_t sequences, const MeanRequest& request) {
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
  if (decode_seconds(pool, held, request) <= limit) return batch;
  std::int32_t low = 1, high = held;
  while (high - low > 1) {
    const std::int32_t middle = low + (high - low) / 2;
    (decode_seconds(pool, middle, request) <= limit ? low : high) = middle;
  }
  return {low, low > 1 ? "as many as the TPOT target allows" : "one misses the TPOT target"};
}

std::string amount(double value, Dimension dimension) {
  return format_quantity(value, dimension);
}

std::string section_of(const Scenario& scenario, std::int32_t model, const MeanRequest& request) {
  std::string text = fmt::format("\nbalance of {}, for prompts of {:.0f} tokens and answers of {:.0f}\n",
                                 scenario.models[static_cast<std::size_t>(model)].name, request.prompt, request.output);
  double prefills = 0, decodes = 0, prefill_replicas = 0, decode_replicas = 0;
  TransferSetup transfers = transfer_setup(scenario);
  double sent = 0, received = 0, bytes = 0;
  std::int32_t place = 0, first_prefill = -1, first_decode = -1;
  for (const PoolScenario& pool : scenario.pools) {
    const std::int32_t ranks = pool.replicas * pool.plan.data;
    if (pool.model == model && pool.role == PoolRole::kPrefill) {
      const double seconds = prefill_seconds(pool, request.prompt), rate = ranks / seconds;
      text += fmt::format("  pool {} prefills in {}: {} replicas carry {:.4g} requests/s\n", pool.name,
                          amount(seconds, Dimension::kTime), pool.replicas, rate);
      prefills += rate;
      prefill_replicas += pool.replicas;
      first_prefill = place;
    } else if (pool.model == model && pool.role == PoolRole::kDecode) {
      const DecodeBatch batch = largest_batch(scenario, pool, request);
      const double seconds = decode_seconds(pool, batch.sequences, request);
      const double rate = ranks * batch.sequences / (seconds * std::max(1.0, request.output - 1));
      text += fmt::format("  pool {} decodes {} sequences ({}), a token in {}: {} replicas carry {:.4g} requests/s\n",
                          pool.name, batch.sequences, batch.because, amount(seconds, Dimension::kTime), pool.replicas,
                          rate);
      decodes += rate;
      decode_replicas += pool.replicas;
      first_decode = place;
      bytes = static_cast<double>(kv_size(pool).of(static_cast<std::int64_t>(request.prompt)));
    }
    place += ranks;
  }
  // What leaves the prefill replicas together, and what reaches the others; between them the narrowest link counts.
  place = 0;
  double narrowest = std::numeric_limits<double>::infinity();
  for (const std::int32_t link : transfers.paths.links(first_prefill, first_decode))
    narrowest = std::min(narrowest, transfers.paths.capacities()[static_cast<std::size_t>(link)].value());
  const auto end = [&](bool first, std::int32_t from, std::int32_t to) {
    const auto links = transfers.paths.links(from, to);
    return transfers.paths.capacities()[static_cast<std::size_t>(first ? links.front() : links.back())].value();
  };
  for (const PoolScenario& pool : scenario.pools)
    for (std::int32_t rank = 0; rank < pool.replicas * pool.plan.data; ++rank, ++place) {
      if (pool.model != model) continue;
      if (pool.role == PoolRole::kPrefill) sent += end(true, place, first_decode);
      if (pool.role == PoolRole::kDecode) received += end(false, first_prefill, place);
    }
  const double alone = bytes / (narrowest * transfers.efficiency) + transfers.start.value();
  const double carried = std::min(sent, received) * transfers.efficiency / bytes;
  text += fmt::format("  between them {} a request, alone in {}: the links at their ends carry {:.4g} requests/s\n",
                      amount(bytes, Dimension::kBytes), amount(alone, Dimension::kTime), carried);
  const double least = std::min({prefills, decodes, carried});
  text += fmt::format("  {} at {:.4g} requests/s",
                      least == prefills  ? "prefill binds"
                      : least == decodes ? "decode binds"
                                         : "the links bind",
                      least);
  if (scenario.workload_info.mean_rate) text += fmt::format(", and {:.4g} arrive", *scenario.workload_info.mean_rate);
  return text + fmt::format("; {:.2g} prefill replicas for each that decodes would be in balance\n",
                            (decodes / decode_replicas) / (prefills / prefill_replicas));
}

}  // namespace

std::string balance_section(const Scenario& scenario) {
  const WorkloadInfo& info = scenario.workload_info;
  if (!scenario.disaggregation || !info.mean_prompt || !info.mean_output) return "";
  // Lengths are known of all requests together: of several models each has its own.
  if (scenario.models.size() > 1) return "\nbalance: not told of several models, whose lengths are not known apart\n";
  return section_of(scenario, 0, {*info.mean_prompt, *info.mean_output});
}

}  // namespace silicast
