#include "sim/study/plan/option.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/io/config_catalogue.hpp"

namespace silicast {
namespace {

ConfigNode yaml(const std::string& text) {
  return parse_config(text, "plan");
}

// Powers of two within a node; of mixtures also attention in data ranks with the experts over all of them, and, where
// one node is too small, stages and wider groups over several.
std::vector<ConfigNode> all_layouts(const ModelSpec& model, std::int32_t node_chips) {
  std::set<std::string> texts;
  std::vector<ConfigNode> layouts;
  const auto add = [&](const std::string& text) {
    if (texts.insert(text).second) layouts.push_back(yaml(text));
  };
  for (std::int32_t tensor = 1; tensor <= node_chips; tensor *= 2) {
    add(fmt::format("{{tensor: {}}}", tensor));
    if (!model.mixture()) continue;
    if (tensor > 1) add(fmt::format("{{tensor: {0}, expert: {0}}}", tensor));
    for (const std::int32_t ranks : {node_chips, 2 * node_chips, 4 * node_chips})
      if (ranks / tensor > 1 && tensor <= 8)
        add(fmt::format("{{tensor: {}, data: {}, expert: {}}}", tensor, ranks / tensor, ranks));
  }
  for (const std::int32_t stages : {2, 4}) add(fmt::format("{{tensor: {}, pipeline: {}}}", node_chips, stages));
  return layouts;
}

// The engine's own, then less work in an iteration: shorter gaps between tokens for longer prompts.
std::vector<EngineLimitsChoice> all_limits(const EngineSpec& engine) {
  const EngineLimits own = engine.limits();
  std::vector<EngineLimitsChoice> limits = {{0, 0}};
  for (const std::int64_t tokens : {4096, 2048, 1024, 512})
    if (tokens < own.max_batched_tokens) limits.push_back({own.max_sequences > tokens ? tokens : 0, tokens});
  for (const std::int64_t sequences : {128, 32})
    if (sequences < own.max_sequences) limits.push_back({sequences, 0});
  return limits;
}

std::int32_t chips_of(const ConfigNode& layout) {
  double chips = 1;
  for (const ConfigEntry& entry : layout.entries) {
    double factor = 1;
    if (entry.key != "expert" && entry.key != "redundant_experts" && parse_number(entry.value.scalar, factor))
      chips *= factor;
  }
  return static_cast<std::int32_t>(std::clamp(chips, 1.0, 1e6));
}

}  // namespace

std::string PlanOption::name() const {
  std::string text = fmt::format("{} {}", flow_text(layout), flow_text(precision));
  if (limits.max_sequences > 0) text += fmt::format(", {} sequences", limits.max_sequences);
  if (limits.max_batched_tokens > 0) text += fmt::format(", {} tokens", limits.max_batched_tokens);
  return text;
}

std::vector<PlanOption> plan_options(const PlanSpec& plan, const std::string& configs_dir) {
  std::vector<PlanOption> options;
  for (const PlanService& service : plan.services) {
    const ModelSpec model = read_model(ConfigValue(service.at, &service.model, "model"), configs_dir);
    for (const PlanCandidate& candidate : plan.candidates) {
      const NodeSpec node = read_node(load_entry(configs_dir, "nodes", candidate.node));
      const EngineSpec engine = read_engine(ConfigValue::of(yaml(candidate.engine)), configs_dir);
      const auto layouts = candidate.layouts.empty() ? all_layouts(model, node.chips) : candidate.layouts;
      const auto limits = candidate.limits.empty() ? all_limits(engine) : candidate.limits;
      for (const ConfigNode& precision : candidate.precisions)
        for (const ConfigNode& layout : layouts)
          for (const EngineLimitsChoice& choice : limits) {
            PlanOption option{&service, &candidate, layout, precision, choice, chips_of(layout), node.chips, 1};
            option.nodes_per_step = (option.chips + node.chips - 1) / node.chips;
            options.push_back(std::move(option));
          }
    }
  }
  return options;
}

ConfigNode scenario_of(const PlanSpec& plan, const PlanOption& option, std::int64_t nodes) {
  ConfigNode tree = yaml(fmt::format(
      "name: {}-{}\nseed: {}\ncluster: {{pools: [{{name: {}, node: {}, nodes: {}, engine: {{base: {}}}}}]}}\n"
      "router: least_loaded\n",
      option.service->name, option.candidate->node, plan.seed, option.candidate->node, option.candidate->node, nodes,
      option.candidate->engine));
  const auto set_pool = [&](const std::string& key, const ConfigNode& value) {
    set_config(tree, "cluster.pools.0." + key, to_yaml(value), plan.path);
  };
  set_pool("layout", option.layout);
  set_pool("precision", option.precision);
  if (option.candidate->maturity) set_pool("maturity", *option.candidate->maturity);
  if (option.limits.max_sequences > 0)
    set_config(tree, "cluster.pools.0.engine.max_sequences", fmt::format("{}", option.limits.max_sequences), "plan");
  if (option.limits.max_batched_tokens > 0)
    set_config(tree, "cluster.pools.0.engine.max_batched_tokens", fmt::format("{}", option.limits.max_batched_tokens),
               "plan");
  const auto add = [&](const std::string& key, const ConfigNode& value) {
    tree.entries.push_back({key, value.mark, value});
  };
  add("model", option.service->model);
  if (option.service->max_context) add("max_context", *option.service->max_context);
  add("workload", option.service->workload);
  if (option.service->targets) add("targets", *option.service->targets);
  add("prices", plan.prices);
  scale_load(tree, plan.traffic.value, plan.path);
  return tree;
}

void scale_load(ConfigNode& scenario, double factor, const std::string& origin) {
  if (factor == 1) return;
  const ConfigNode* speed = scenario.at({"workload", "speed"});
  const double given = speed != nullptr ? ConfigValue::of(*speed).number(kPositive) : 1;
  set_config(scenario, "workload.speed", fmt::format("{:.17g}", given * factor), origin);
}

}  // namespace silicast
