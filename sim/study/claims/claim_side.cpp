#include "sim/study/claims/claim_side.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "sim/io/config_catalogue.hpp"
#include "sim/model/rank_matrices.hpp"
#include "sim/perf/breakdown.hpp"
#include "sim/run/simulation.hpp"

namespace silicast {
namespace {

// Rounds of a closed loop: its first and last, which are unlike the others, weigh an eighth each.
constexpr std::int64_t kRounds = 8;

// Prices are those of the only sheet: power by phase, server factors and PUE stand in it.
Scenario scenario_of(const SideQuestion& question, const std::string& configs_dir) {
  const ClaimWorkload& workload = question.workload;
  const NodeSpec node = read_node(load_entry(configs_dir, "nodes", question.system.node));
  const std::int32_t nodes = (workload.chips + node.chips - 1) / node.chips;
  const std::int32_t used = std::max(nodes * node.chips / workload.chips, 1) * workload.chips;
  const bool serves = workload.kind == ClaimWorkload::Kind::kServe;
  const std::int64_t clients = serves ? question.point.sequences * used : 1;
  const std::string text = fmt::format(
      "name: claim\nmodel: {}\nprices: china-2026\nwarmup: none\n"
      "workload: {{closed_loop: {{concurrency: {}, requests: {}}}, prompt: {{distribution: fixed, tokens: {}}}, "
      "output: {{distribution: fixed, tokens: {}}}}}\n"
      "cluster: {{pools: [{{name: main, node: {}, nodes: {}, engine: {{base: {}}}, maturity: {}}}]}}\n",
      workload.model, clients, serves ? kRounds * clients : 1, serves ? workload.prompt : 8,
      serves ? workload.output : 8, question.system.node, nodes, question.system.engine, question.maturity);
  ConfigNode tree = parse_config(text, question.system.label);
  set_config(tree, "cluster.pools.0.layout", workload.layout, workload.name);
  if (!workload.exchange.empty())
    set_config(tree, "cluster.pools.0.engine.parallel.exchange", workload.exchange, workload.name);
  set_config(tree, "cluster.pools.0.precision", question.precision, question.system.label);
  return read_scenario(std::move(tree), question.system.label, {configs_dir, {}});
}

void add_bounds(SideAnswer& answer, const Breakdown& parts, double weight) {
  for (const BreakdownRow& row : parts.rows) answer.bounds[static_cast<std::size_t>(row.bound)] += weight * row.share;
}

// Sequences of that length that the KV cache of a rank holds and the engine runs.
std::int64_t capacity(const PoolScenario& pool, std::int64_t context) {
  const EngineLimits limits = pool.engine.limits();
  const std::int64_t blocks = (context + limits.block_size - 1) / limits.block_size + pool.memory.sequence_blocks;
  return std::min<std::int64_t>(pool.kv_blocks / blocks, limits.max_sequences);
}

double site_joules(const Scenario& scenario, const Evidence& share) {
  const PriceSheet& sheet = scenario.prices->sheet;
  const PoolScenario& pool = scenario.pools[0];
  return pool.chip.tdp.value * share.value * sheet.server_power_of(pool.node.name).value * sheet.pue.value;
}

// The same pass on all ranks.
void answer_decode(const Scenario& scenario, const SideQuestion& question, SideAnswer& answer) {
  const PoolScenario& pool = scenario.pools[0];
  const ParallelPlan& plan = pool.plan;
  const std::int64_t context = question.point.context, most = capacity(pool, context);
  const std::int64_t per_rank = question.point.sequences * plan.chips() / plan.data;
  answer.sequences = per_rank > 0 ? per_rank : most;
  if (answer.sequences > most || most == 0)
    throw InputError(fmt::format("the KV cache holds {} sequences of {} tokens", most, context));
  const Breakdown parts =
      breakdown(pool.replica, {.decode_sequences = static_cast<std::int32_t>(answer.sequences), .kv_length = context});
  answer.seconds = parts.total.value();
  answer.tokens_per_second = static_cast<double>(answer.sequences * plan.data) / plan.chips() / answer.seconds;
  answer.joules_per_token = site_joules(scenario, scenario.prices->sheet.power.decode) / answer.tokens_per_second;
  add_bounds(answer, parts, 1);
}

// One prompt on every rank, in chunks as the engine cuts it.
void answer_prefill(const Scenario& scenario, const SideQuestion& question, SideAnswer& answer) {
  const PoolScenario& pool = scenario.pools[0];
  const std::int64_t prompt = question.point.context, most = pool.engine.limits().max_batched_tokens;
  std::vector<Breakdown> chunks;
  for (std::int64_t done = 0; done < prompt; done += most) {
    const auto tokens = static_cast<std::int32_t>(std::min(prompt - done, most));
    chunks.push_back(breakdown(pool.replica, {.prefill_tokens = tokens, .prefill_context = done}));
    answer.seconds += chunks.back().total.value();
  }
  answer.sequences = 1;
  answer.tokens_per_second = static_cast<double>(prompt * pool.plan.data) / pool.plan.chips() / answer.seconds;
  answer.joules_per_token = site_joules(scenario, scenario.prices->sheet.power.prefill) / answer.tokens_per_second;
  for (const Breakdown& chunk : chunks) add_bounds(answer, chunk, chunk.total.value() / answer.seconds);
}

void answer_serve(const Scenario& scenario, const SideQuestion& question, SideAnswer& answer) {
  const PoolScenario& pool = scenario.pools[0];
  const RunResult run = simulate(scenario, {});
  const auto state = [&](EndState one) { return run.summary.total.states[static_cast<std::size_t>(one)]; };
  if (state(EndState::kCompleted) != run.summary.total.requests)
    throw InputError(fmt::format("{} of {} requests are not served to their end",
                                 run.summary.total.requests - state(EndState::kCompleted), run.summary.total.requests));
  const ClaimWorkload& workload = question.workload;
  const double tokens = static_cast<double>(run.summary.total.requests * (workload.prompt + workload.output));
  const PoolUse& use = run.summary.use[0];
  answer.tokens_per_second = tokens / run.summary.run_seconds / use.chips;
  answer.joules_per_token = run.summary.energy.whole_run_joules.value * scenario.prices->sheet.pue.value / tokens;
  answer.seconds = run.summary.total.e2e.mean;
  const std::int64_t context = workload.prompt + workload.output / 2;
  answer.sequences = std::min(question.point.sequences * pool.plan.chips() / pool.plan.data, capacity(pool, context));
  const auto chunk =
      static_cast<std::int32_t>(std::min<std::int64_t>(workload.prompt, pool.engine.limits().max_batched_tokens));
  add_bounds(answer, breakdown(pool.replica, {.prefill_tokens = chunk}), use.prefill_time_share);
  add_bounds(
      answer,
      breakdown(pool.replica, {.decode_sequences = static_cast<std::int32_t>(answer.sequences), .kv_length = context}),
      1 - use.prefill_time_share);
}

}  // namespace

double SideAnswer::of(ClaimMetric metric) const {
  switch (metric) {
    case ClaimMetric::kTokensPerSecond:
      return tokens_per_second;
    case ClaimMetric::kJoulesPerToken:
      return joules_per_token;
    case ClaimMetric::kShareOfPeak:
      return share_of_peak;
  }
  return 0;
}

SideAnswer ask_side(const SideQuestion& question, const std::string& configs_dir) {
  SideAnswer answer;
  try {
    const Scenario scenario = scenario_of(question, configs_dir);
    switch (question.workload.kind) {
      case ClaimWorkload::Kind::kDecode:
        answer_decode(scenario, question, answer);
        break;
      case ClaimWorkload::Kind::kPrefill:
        answer_prefill(scenario, question, answer);
        break;
      default:
        answer_serve(scenario, question, answer);
    }
    const PoolScenario& pool = scenario.pools[0];
    const Evidence* peak = pool.chip.peak_of(pool.precision.activations);
    answer.share_of_peak = peak != nullptr
                               ? answer.tokens_per_second * 2 * active_parameters(scenario.model) / peak->value
                               : std::numeric_limits<double>::quiet_NaN();
  } catch (const InputError& error) {
    answer.impossible = error.what();
  }
  return answer;
}

DatasheetFigure datasheet_figure(const ClaimSystem& system, const ClaimWorkload& workload,
                                 const std::string& configs_dir) {
  const NodeSpec node = read_node(load_entry(configs_dir, "nodes", system.node));
  const ChipSpec chip = read_chip(load_entry(configs_dir, "chips", node.chip));
  const auto exactly = [](const Evidence& one) { return DatasheetFigure{one.value, one.low, one.high, ""}; };
  if (workload.figure == "memory_bandwidth") return exactly(chip.memory_bandwidth);
  if (workload.figure == "memory_capacity") return exactly(chip.memory_capacity);
  const Evidence* peak = nullptr;
  for (const NumberFormat format : {NumberFormat::kFp8, NumberFormat::kInt8})
    if (peak == nullptr) peak = chip.peak_of(format);
  if (workload.figure == "bf16") peak = chip.peak_of(NumberFormat::kBf16);
  if (peak == nullptr) return {0, 0, 0, fmt::format("{} has no 8-bit format", chip.name)};
  DatasheetFigure figure = exactly(*peak);
  if (!workload.vector || !system.vector) return figure;
  for (double* part : {&figure.value, &figure.low, &figure.high}) *part += *system.vector;
  return figure;
}

}  // namespace silicast
