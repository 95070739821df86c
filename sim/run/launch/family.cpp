#include "sim/run/launch/family.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "sim/io/config_catalogue.hpp"

namespace silicast {

void fail_at(const PoolScenario& pool, std::string_view what) {
  throw InputError(pool.mark, fmt::format("pool {}", pool.name), what);
}

ConfigValue read_json(const Said<std::string>& text) {
  const Mark& mark = text.mark;
  return ConfigValue::of(
      parse_json(text.value, fmt::format("{}:{}:{}: {}", mark.file, mark.line, mark.column, text.by)));
}

void check_dies(const NodeSpec& node, const std::string& configs_dir, const Mark& at) {
  const std::string dies = node.name + "-die";
  const std::vector<std::string> names = config_names(configs_dir + "/nodes");
  if (std::find(names.begin(), names.end(), dies) == names.end()) return;
  throw InputError(
      at, "node",
      fmt::format("'{}' counts packages and engines place ranks on dies; use '{}', whose sizes are those of "
                  "flags",
                  node.name, dies));
}

std::string weights_of(const ModelSpec& model) {
  return model.huggingface_ids.empty() ? model.name : model.huggingface_ids.front();
}

std::string uneven_stages(const ParallelPlan& plan) {
  const std::vector<std::int32_t>& layers = plan.stage_layers;
  const bool even = std::all_of(layers.begin(), layers.end(), [&](std::int32_t count) { return count == layers[0]; });
  return even ? "" : fmt::format("{}", fmt::join(layers, ","));
}

double equal_utilisation(KvBudget budget, const PoolScenario& pool) {
  const std::vector<StageMemory>& stages = pool.memory.stages;
  const StageMemory& poorest = *std::min_element(
      stages.begin(), stages.end(), [](const StageMemory& a, const StageMemory& b) { return a.blocks < b.blocks; });
  const Bytes all = pool.memory.capacity;
  switch (budget) {
    case KvBudget::kTotalLessPeak:
      return (poorest.weights + poorest.activation + poorest.runtime + poorest.kv) / all;
    case KvBudget::kStaticShare:
      return (poorest.weights + poorest.kv) / (all - poorest.runtime);
    case KvBudget::kShareOfFree:
      return poorest.kv / (all - poorest.weights - poorest.activation - poorest.runtime - poorest.graphs);
  }
  return 0;
}

double utilisation_by(KvBudget budget, const PoolScenario& pool, std::vector<std::string>& notes) {
  const EngineMemory& memory = pool.engine.memory;
  if (memory.budget == budget) return memory.utilisation.value;
  // Down: a share that is a hair too large may not start.
  const double share = std::floor(1e4 * equal_utilisation(budget, pool)) / 1e4;
  if (!(share > 0 && share <= 1))
    fail_at(pool, fmt::format("no share of memory by the rule {} gives the KV cache that {:g} by {} gives",
                              name_of(budget), memory.utilisation.value, name_of(memory.budget)));
  notes.push_back(
      fmt::format("the scenario takes {:g} of memory by the rule {}; {:g} by this engine's own ({}) gives "
                  "the same KV cache, by silicast's memory plan",
                  memory.utilisation.value, name_of(memory.budget), share, name_of(budget)));
  return share;
}

void put(ConfigNode& map, std::string_view key, ConfigNode value) {
  map.kind = ConfigNode::Kind::kMap;
  for (ConfigEntry& entry : map.entries)
    if (entry.key == key) {
      entry.value = std::move(value);
      return;
    }
  const Mark mark = value.mark;
  map.entries.push_back({std::string(key), mark, std::move(value)});
}

void put(ConfigNode& map, std::string_view key, std::string value, const Mark& mark) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::kScalar;
  node.scalar = std::move(value);
  node.mark = mark;
  put(map, key, std::move(node));
}

}  // namespace silicast
