#include "sim/run/disaggregation.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace silicast {
namespace {

const PoolScenario* first_of(const Scenario& scenario, PoolRole role) {
  for (const PoolScenario& pool : scenario.pools)
    if (pool.role == role) return &pool;
  return nullptr;
}

// The chips of every rank of every replica, in the order of the cluster's places.
std::vector<std::vector<std::int32_t>> chips_of_places(const Scenario& scenario, const Fabric& fabric) {
  std::vector<std::vector<std::int32_t>> groups;
  std::int32_t first_node = 0;
  for (const PoolScenario& pool : scenario.pools) {
    const std::int32_t per_rank = pool.plan.tensor * pool.plan.context;
    for (std::int32_t replica = 0; replica < pool.replicas; ++replica) {
      const std::int32_t first = fabric.first_chip(first_node) + replica * pool.plan.chips();
      for (std::int32_t rank = 0; rank < pool.plan.data; ++rank) {
        groups.emplace_back();
        for (std::int32_t stage = 0; stage < pool.plan.stages(); ++stage)
          for (std::int32_t i = 0; i < per_rank; ++i)
            groups.back().push_back(first + stage * pool.plan.ranks() + rank * per_rank + i);
      }
    }
    first_node += pool.nodes;
  }
  return groups;
}

}  // namespace

void read_disaggregation(ConfigMap& map, Scenario& scenario) {
  const auto given = map.optional("disaggregation");
  const PoolScenario *prefill = first_of(scenario, PoolRole::kPrefill), *decode = first_of(scenario, PoolRole::kDecode);
  if (prefill == nullptr && decode == nullptr) {
    if (given) given->fail("no pool prefills for others; give pools 'role: prefill' and 'role: decode'");
    return;
  }
  if (prefill == nullptr || decode == nullptr) {
    const PoolScenario& alone = prefill != nullptr ? *prefill : *decode;
    throw InputError(
        alone.mark, "role",
        fmt::format("pool '{}' is there to {}, and no pool to {}; give another pool 'role: {}', or this one "
                    "none",
                    alone.name, name_of(alone.role), prefill ? "decode" : "prefill", prefill ? "decode" : "prefill"));
  }
  for (const PoolScenario& pool : scenario.pools)
    if (pool.role != PoolRole::kWhole && pool.precision.kv != prefill->precision.kv)
      throw InputError(
          pool.mark, "precision.kv",
          fmt::format("pool '{}' keeps KV as {}, and pool '{}' as {}: caches are not converted on their "
                      "way; give both the same",
                      pool.name, name_of(pool.precision.kv), prefill->name, name_of(prefill->precision.kv)));
  scenario.disaggregation.emplace();
  if (!given) return;
  ConfigMap keys = given->map();
  if (const auto transfer = keys.optional("transfer"))
    scenario.disaggregation->by_layers = transfer->choice({"whole", "layers"}, "transfer") == 1;
  if (const auto most = keys.optional("max_local_prefill"))
    scenario.disaggregation->max_local_prefill = static_cast<std::int32_t>(most->integer(0, 1 << 30));
  keys.done();
}

KvSize kv_size(const PoolScenario& pool) {
  KvSize size;
  const double ranks = pool.plan.tensor * pool.plan.context;
  for (const StageMemory& stage : pool.memory.stages) {
    size.per_token += stage.kv_block * (ranks / pool.engine.limits().block_size);
    size.per_sequence += stage.kv_sequence * ranks;
  }
  return size;
}

TransferSetup transfer_setup(const Scenario& scenario) {
  std::vector<const NodeSpec*> nodes;
  for (const PoolScenario& pool : scenario.pools)
    nodes.insert(nodes.end(), static_cast<std::size_t>(pool.nodes), &pool.node);
  const Fabric fabric = Fabric::build(nodes, scenario.fabric);
  TransferSetup setup(TransferPaths(fabric, chips_of_places(scenario, fabric)));
  const EngineTransfer& transfer = first_of(scenario, PoolRole::kDecode)->engine.transfer;
  setup.efficiency = transfer.efficiency.value;
  setup.start = Seconds(transfer.start.value);
  setup.by_layers = scenario.disaggregation->by_layers;
  setup.max_local_prefill = scenario.disaggregation->max_local_prefill;
  setup.layers = static_cast<std::int32_t>(scenario.model.layers.size());
  return setup;
}

}  // namespace silicast
