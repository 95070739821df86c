// Which kind of config file a file is, and what it resolves to.
#include <fmt/format.h>

#include <filesystem>

#include "sim/base/errors.hpp"
#include "sim/io/config_catalogue.hpp"
#include "sim/model/rank_matrices.hpp"
#include "sim/run/anchor.hpp"
#include "sim/run/catalogue.hpp"
#include "sim/run/scenario.hpp"
#include "sim/run/use_case_targets.hpp"

namespace silicast {
namespace {

std::string bytes(double value) {
  return format_quantity(value, Dimension::kBytes, 4);
}

std::string describe_pool(const PoolScenario& pool) {
  std::string text = fmt::format("  pool {}: {} x {} ({} x {}), {} replica{} of {} chip{} (tensor {}, {} stage{})\n",
                                 pool.name, pool.nodes, pool.node.name, pool.node.chips, pool.chip.name, pool.replicas,
                                 pool.replicas == 1 ? "" : "s", pool.plan.chips(), pool.plan.chips() == 1 ? "" : "s",
                                 pool.plan.tensor, pool.plan.stages(), pool.plan.stages() == 1 ? "" : "s");
  const EngineLimits limits = pool.engine.limits();
  text += fmt::format("    engine {}, scheduler {}: {} sequences, {} tokens an iteration\n", pool.engine.name,
                      pool.scheduler->name, limits.max_sequences, limits.max_batched_tokens);
  text += fmt::format("    weights {}, activations {}, KV {}\n", name_of(pool.precision.weights),
                      name_of(pool.precision.activations), name_of(pool.precision.kv));
  text += fmt::format(
      "    KV cache {} blocks of {} tokens per replica ({})\n", pool.kv_blocks, limits.block_size,
      pool.kv_blocks_given ? "given" : fmt::format("{} spare per chip", bytes(pool.memory.headroom.value())));
  const std::int32_t used = pool.replicas * pool.plan.chips(), all = pool.nodes * pool.node.chips;
  if (used < all) text += fmt::format("    {} of {} chips stay unused\n", all - used, all);
  return text;
}

std::string describe_workload(const WorkloadInfo& info) {
  std::string text = fmt::format("  workload: {}\n", info.description);
  if (info.requests) text += fmt::format("    {} requests{}\n", *info.requests, info.generated ? " (expected)" : "");
  if (info.mean_rate) text += fmt::format("    {:.4g} requests/s on average\n", *info.mean_rate);
  if (info.mean_prompt && info.mean_output)
    text +=
        fmt::format("    {:.4g} prompt and {:.4g} output tokens on average\n", *info.mean_prompt, *info.mean_output);
  return text + assumptions_of(info);
}

std::string describe_prices(const PriceScenario& prices) {
  return fmt::format("  prices {}, tariff of {}, {}\n", prices.sheet.name, prices.region,
                     prices.load_factor ? fmt::format("load factor {} of {}",
                                                      format_evidence(prices.load_factor->factor, Dimension::kNumber),
                                                      prices.load_factor->of)
                                        : "the same load all day");
}

std::string describe_scenario(const Scenario& scenario) {
  std::string text =
      fmt::format("  {}: {} ({:.2f} B parameters), at most {} tokens of context, seed {}\n", scenario.name,
                  scenario.model.name, parameters(scenario.model) / 1e9, scenario.max_context, scenario.seed);
  for (const PoolScenario& pool : scenario.pools) text += describe_pool(pool);
  text += fmt::format("  router {} over {} replicas\n", scenario.router->name, scenario.replicas());
  text += describe_workload(scenario.workload_info);
  if (scenario.prices) text += describe_prices(*scenario.prices);
  for (const std::string& note : scenario.notes) text += fmt::format("  {}\n", note);
  for (const std::string& key : scenario.without_effect) text += fmt::format("  without effect: {}\n", key);
  return text;
}

}  // namespace

std::string check_config(const std::string& path, const std::string& configs_dir,
                         const std::vector<std::string>& settings) {
  ConfigNode tree = load_config(path);
  const auto has = [&](std::string_view key) { return tree.find(key) != nullptr; };
  if (has("cluster") || has("pools") || (has("workload") && has("model")))
    return fmt::format("{}: a valid scenario\n{}", path,
                       describe_scenario(read_scenario(std::move(tree), path, {configs_dir, settings})));
  if (!settings.empty()) throw InputError({path, 0, 0}, "", "--set applies to scenarios only");
  const ConfigValue value = ConfigValue::of(tree);
  std::string_view kind;
  if (has("peak")) {
    kind = "chip";
    read_chip(value);
  } else if (has("scale_up")) {
    kind = "node";
    read_node(value);
    read_chip(load_named(configs_dir, "chips", value.map().required("chip")));
  } else if (has("porting_delay")) {
    kind = "software stack";
    read_stack(value);
  } else if (has("accepted") && has("network")) {
    kind = "draft";
    read_draft_spec(value);
  } else if (has("hop_latency")) {
    kind = "cluster fabric";
    read_cluster_fabric(value);
  } else if (has("layers")) {
    kind = "model";
    read_model_spec(value);
  } else if (has("max_sequences") || has("scheduler") || has("base")) {
    kind = "engine";
    read_engine_spec(value, configs_dir);
    if (has("scheduler")) value.map().required("scheduler").entry_of(schedulers);
  } else if (has("gemm") || has("collective")) {
    kind = "calibration";
    read_calibration(value);
  } else if (has("anchor")) {
    kind = "anchor";
    read_anchor(value);
  } else if (has("tariffs")) {
    kind = "price sheet";
    read_price_sheet(value);
  } else if (has("peak_factor")) {
    kind = "use case";
    targets_of(read_use_case(value));
  } else if (has("users") || has("arrivals") || has("trace") || has("closed_loop") || has("merge") || has("preset") ||
             has("sessions")) {
    kind = "workload";
    WorkloadContext context;
    context.base_dir = std::filesystem::path(path).parent_path().string();
    context.configs_dir = configs_dir;
    context.class_names = {"all"};
    return fmt::format("{}: a valid workload\n{}", path, describe_workload(make_workload(value, context).info));
  } else {
    value.fail(
        "not recognised: a scenario has 'cluster', a chip 'peak', a node 'scale_up', a cluster fabric 'hop_latency', a "
        "model 'layers', "
        "an engine 'max_sequences', a calibration 'gemm', a stack 'porting_delay', a draft 'network', a price sheet "
        "'tariffs', an anchor 'anchor', a use case 'peak_factor', a workload 'arrivals', "
        "'trace', 'closed_loop', 'merge', 'preset', 'sessions' or 'users'");
  }
  return fmt::format("{}: a valid {}\n{}", path, kind, to_yaml(tree));
}

}  // namespace silicast
