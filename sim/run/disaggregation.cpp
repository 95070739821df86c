#include "sim/run/disaggregation.hpp"

#include <fmt/format.h>

#include "sim/run/place_pools.hpp"

namespace silicast {
namespace {

const PoolScenario* first_of(const Scenario& scenario, PoolRole role) {
  for (const PoolScenario& pool : scenario.pools)
    if (pool.role == role) return &pool;
  return nullptr;
}

// The chips of every rank of every replica, in the order of the cluster's places.
std::vector<std::vector<std::int32_t>> chips_of_places(const Scenario& scenario) {
  std::vector<std::vector<std::int32_t>> groups;
  for (const PoolScenario& pool : scenario.pools) {
    const auto per_rank = static_cast<std::size_t>(pool.plan.tensor * pool.plan.context);
    const auto per_stage = static_cast<std::size_t>(pool.plan.ranks());
    for (const std::vector<std::int32_t>& chips : pool.replica_chips)
      for (std::size_t rank = 0; rank < per_stage; rank += per_rank) {
        groups.emplace_back();
        for (std::size_t stage = rank; stage < chips.size(); stage += per_stage)
          for (std::size_t i = stage; i < stage + per_rank; ++i) groups.back().push_back(chips[i]);
      }
  }
  return groups;
}

// Whoever prefills has somebody who decodes the same model, and the other way round, and keeps KV in the same format.
void check_other_end(const Scenario& scenario, const PoolScenario& pool) {
  const std::string& model = pool.replica.model.name;
  const PoolRole role = pool.role == PoolRole::kPrefill ? PoolRole::kDecode : PoolRole::kPrefill;
  bool found = false;
  for (const PoolScenario& other : scenario.pools) {
    if (other.role != role || other.replica.model.name != model) continue;
    found = true;
    if (other.precision.kv != pool.precision.kv)
      throw InputError(other.mark, "precision.kv",
                       fmt::format("pool '{}' keeps KV as {}, and pool '{}' as {}: caches are not converted on their "
                                   "way; give both the same",
                                   other.name, name_of(other.precision.kv), pool.name, name_of(pool.precision.kv)));
  }
  if (!found)
    throw InputError(pool.mark, "role",
                     fmt::format("pool '{}' is there to {} {}, and no pool to {} it; give another pool 'role: {}', or "
                                 "this one none",
                                 pool.name, name_of(pool.role), model, name_of(role), name_of(role)));
}

}  // namespace

void read_disaggregation(ConfigMap& map, Scenario& scenario) {
  const auto given = map.optional("disaggregation");
  if (first_of(scenario, PoolRole::kPrefill) == nullptr && first_of(scenario, PoolRole::kDecode) == nullptr) {
    if (given) given->fail("no pool prefills for others; give pools 'role: prefill' and 'role: decode'");
    return;
  }
  for (const PoolScenario& pool : scenario.pools)
    if (pool.role != PoolRole::kWhole) check_other_end(scenario, pool);
  scenario.disaggregation.emplace();
  const PoolScenario& first = *first_of(scenario, PoolRole::kDecode);
  for (const PoolScenario& pool : scenario.pools)
    if (pool.role == PoolRole::kDecode &&
        (pool.engine.transfer.start.value != first.engine.transfer.start.value ||
         pool.engine.transfer.efficiency.value != first.engine.transfer.efficiency.value))
      scenario.notes.push_back(fmt::format(
          "all KV transfers take what the engine of pool {} takes, those to pool {} too", first.name, pool.name));
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
  size.layers = static_cast<std::int32_t>(pool.replica.model.layers.size());
  return size;
}

TransferSetup transfer_setup(const Scenario& scenario) {
  const Fabric fabric = Fabric::build(nodes_of(scenario.pools), scenario.fabric);
  TransferSetup setup(TransferPaths(fabric, chips_of_places(scenario)));
  const EngineTransfer& transfer = first_of(scenario, PoolRole::kDecode)->engine.transfer;
  setup.efficiency = transfer.efficiency.value;
  setup.start = Seconds(transfer.start.value);
  setup.by_layers = scenario.disaggregation->by_layers;
  setup.max_local_prefill = scenario.disaggregation->max_local_prefill;
  return setup;
}

}  // namespace silicast
