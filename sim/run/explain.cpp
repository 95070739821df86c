#include "sim/run/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/model/rank_matrices.hpp"
#include "sim/perf/breakdown.hpp"
#include "sim/run/explain_balance.hpp"
#include "sim/run/explain_fabric.hpp"
#include "sim/run/fleet.hpp"
#include "sim/run/use_case_targets.hpp"

namespace silicast {
namespace {

std::string bytes(Bytes value) {
  const double magnitude = std::abs(value.value());
  return fmt::format("{}{:.3f} GiB", value.value() < 0 ? "-" : "", magnitude / 1073741824.0);
}

std::string memory_of(const PoolScenario& pool, std::int32_t stage) {
  const StageMemory& part = pool.memory.stages[static_cast<std::size_t>(stage)];
  std::string text;
  const auto line = [&](std::string_view what, const std::string& value) {
    text += fmt::format("    {:<28}{:>14}\n", what, value);
  };
  if (pool.plan.stages() > 1)
    text +=
        fmt::format("    stage {} ({} layers)\n", stage + 1, pool.plan.stage_layers[static_cast<std::size_t>(stage)]);
  line("weights", bytes(part.weights));
  line("activations, at peak", bytes(part.activation));
  line("runtime reserve", bytes(part.runtime));
  line("captured graphs", bytes(part.graphs));
  line("KV cache", part.kv.value() > 0 ? bytes(part.kv) : "none");
  line("left of the chip", bytes(part.spare));
  return text;
}

std::string memory_section(const PoolScenario& pool) {
  std::string text = fmt::format("  memory per chip, of {} ({}; engine {} takes {:g} by the rule {})\n",
                                 bytes(pool.memory.capacity), pool.chip.name, pool.engine.name,
                                 pool.engine.memory.utilisation.value, name_of(pool.engine.memory.budget));
  for (std::int32_t stage = 0; stage < pool.plan.stages(); ++stage) text += memory_of(pool, stage);
  if (!pool.memory.fits())
    return text + fmt::format("    does not fit: {} short per chip\n", bytes(pool.memory.shortfall));
  return text +
         fmt::format("    fits: {} KV blocks of {} tokens per replica, {} tokens{}\n", pool.memory.blocks,
                     pool.engine.limits().block_size, pool.memory.kv_tokens,
                     pool.kv_blocks_given ? fmt::format("; the scenario gives {} blocks instead", pool.kv_blocks) : "");
}

std::string rate(const BreakdownRow& row) {
  std::string text;
  if (row.flops_rate.value() > 0) text = format_quantity(row.flops_rate.value(), Dimension::kFlopRate);
  if (row.bytes_rate.value() > 0)
    text +=
        fmt::format("{}{}", text.empty() ? "" : ", ", format_quantity(row.bytes_rate.value(), Dimension::kByteRate));
  return text;
}

std::string iteration_section(const PoolScenario& pool, const BreakdownBatch& batch, const std::string& title) {
  const Breakdown parts = breakdown(pool.replica, batch);
  std::string text = fmt::format(
      "  {}: {} (chips {}, host {}{})\n", title, format_quantity(parts.total.value(), Dimension::kTime),
      format_quantity(parts.device.value(), Dimension::kTime), format_quantity(parts.host.value(), Dimension::kTime),
      pool.replica.host.overlapped ? ", side by side" : "");
  text += fmt::format("    {:<22}{:<20}{:>12}{:>8}  {:<10}{}\n", "kernel", "class", "time", "share", "bound by",
                      "achieved per chip");
  double by_bound[5] = {};
  for (const BreakdownRow& row : parts.rows) {
    text += fmt::format("    {:<22}{:<20}{:>12}{:>7.1f}%  {:<10}{}\n", row.kernel, row.kernel_class,
                        format_quantity(row.time.value(), Dimension::kTime), 100 * row.share, name_of(row.bound),
                        rate(row));
    by_bound[static_cast<std::size_t>(row.bound)] += row.share;
  }
  text += "    what binds:";
  for (const Bound bound : {Bound::kCompute, Bound::kMemory, Bound::kLink, Bound::kOverhead, Bound::kMeasured})
    if (bound != Bound::kMeasured || pool.replica.measured)
      text += fmt::format(" {} {:.0f}%", name_of(bound), 100 * by_bound[static_cast<std::size_t>(bound)]);
  const double tokens = batch.prefill_tokens > 0 ? batch.prefill_tokens : batch.decode_sequences;
  return text + fmt::format("; {:.4g} tokens/s per replica, {:.4g} per chip\n", tokens / parts.total.value(),
                            tokens / parts.total.value() / pool.plan.chips());
}

}  // namespace

std::string explain(const Scenario& scenario, const ExplainBatch& batch) {
  std::string text = fmt::format("{}: {}, {:.2f} B parameters\n", scenario.name, scenario.model.name,
                                 parameters(scenario.model) / 1e9);
  if (!scenario.workload_info.use_cases.empty())
    text +=
        fmt::format("\nworkload: {}\n{}", scenario.workload_info.description, assumptions_of(scenario.workload_info));
  for (const PoolScenario& pool : scenario.pools) {
    text +=
        fmt::format("\npool {}: {} replicas of {} x {} on {} x {}; weights {}, activations {}, KV {}\n", pool.name,
                    pool.replicas, pool.plan.chips(), pool.chip.name, pool.nodes, pool.node.name,
                    name_of(pool.precision.weights), name_of(pool.precision.activations), name_of(pool.precision.kv));
    text += fmt::format("  {}: {}\n", name_of(pool.badge.kind), pool.badge.reason);
    text += memory_section(pool) + links_section(pool, pool.replica.model.mixture());
    const EngineLimits limits = pool.engine.limits();
    const std::int32_t prompt =
        std::min({batch.prompt_tokens, limits.max_batched_tokens, max_context_of(scenario, pool.replica.model)});
    const auto cut = [](bool is_cut, std::string_view limit) { return is_cut ? fmt::format(" ({})", limit) : ""; };
    text += iteration_section(
        pool, {.prefill_tokens = prompt},
        fmt::format("prefill of {} tokens{}", prompt,
                    cut(prompt < batch.prompt_tokens, "as many as an iteration or the context takes")));
    const std::int32_t sequences = std::min(batch.decode_sequences, limits.max_sequences);
    const bool fits = sequences * batch.kv_length <= pool.kv_blocks * limits.block_size;
    text += iteration_section(pool, {.decode_sequences = sequences, .kv_length = batch.kv_length},
                              fmt::format("decode of {} sequences{} of {} tokens{}", sequences,
                                          cut(sequences < batch.decode_sequences, "as many as the engine runs"),
                                          batch.kv_length, cut(!fits, "more than the KV cache holds")));
  }
  text += balance_section(scenario);
  text += fabric_section(scenario);
  for (const std::string& note : scenario.notes) text += fmt::format("\n{}\n", note);
  for (const std::string& key : scenario.without_effect) text += fmt::format("\nwithout effect: {}\n", key);
  return text;
}

}  // namespace silicast
