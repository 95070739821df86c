#include "sim/run/place_pools.hpp"

#include <algorithm>
#include <set>

#include "topology/fabric.hpp"

namespace silicast {
namespace {

// The links of one replica: of each stage a tensor group and all ranks, and between stages.
struct ReplicaLinks {
  std::vector<GroupLinks> tensor_groups, stage_groups, stage_links;
};

void keep_slower(GroupLinks& kept, const GroupLinks& other) {
  kept.all_to_all = std::min(kept.all_to_all, other.all_to_all);
  kept.ring = std::min(kept.ring, other.ring);
  kept.latency = std::max(kept.latency, other.latency);
  kept.within_node = kept.within_node && other.within_node;
  kept.within_pod = kept.within_pod && other.within_pod;
  kept.per_node = kept.per_node == other.per_node ? kept.per_node : 0;
  kept.inner_ring = std::min(kept.inner_ring, other.inner_ring);
  kept.rail = std::min(kept.rail, other.rail);
  kept.inner_latency = std::max(kept.inner_latency, other.inner_latency);
}

GroupLinks group_of(const Fabric& fabric, std::int32_t first, std::int32_t count) {
  std::vector<std::int32_t> ranks;
  for (std::int32_t rank = 0; rank < count; ++rank) ranks.push_back(first + rank);
  return fabric.group(ranks);
}

// Whether a group of `count` chips from `chip` + `first` on stands within its node just as the one from `chip` on does.
bool tensor_groups_alike(const Fabric& fabric, std::int32_t chip, std::int32_t first, std::int32_t count) {
  const auto place = [&](std::int32_t c) { return c - fabric.first_chip(fabric.node_of(c)); };
  return place(chip) == place(chip + first) &&
         fabric.node_of(chip + first) == fabric.node_of(chip + first + count - 1) &&
         fabric.node_of(chip) == fabric.node_of(chip + count - 1);
}

ReplicaLinks links_of(const Fabric& fabric, const ParallelPlan& plan, std::int32_t chip) {
  ReplicaLinks links;
  const std::int32_t ranks = plan.ranks();
  for (std::int32_t stage = 0; stage < plan.stages(); ++stage, chip += ranks) {
    links.stage_groups.push_back(group_of(fabric, chip, ranks));
    GroupLinks tensor = group_of(fabric, chip, plan.tensor);
    for (std::int32_t first = plan.tensor; first < ranks; first += plan.tensor)
      if (!tensor_groups_alike(fabric, chip, first, plan.tensor))
        keep_slower(tensor, group_of(fabric, chip + first, plan.tensor));
    links.tensor_groups.push_back(tensor);
    if (stage + 1 < plan.stages())
      links.stage_links.push_back(fabric.group(std::vector<std::int32_t>{chip, chip + ranks}));
  }
  return links;
}

// What decides the links of a replica: where pods end within it, and where its first chip stands on its leaf.
std::vector<std::int32_t> position_of(const Fabric& fabric, const ClusterFabric& cluster, std::int32_t chip,
                                      std::int32_t chips) {
  std::vector<std::int32_t> position;
  for (std::int32_t i = chip; i < chip + chips; ++i) position.push_back(fabric.pod_of(i) - fabric.pod_of(chip));
  position.push_back(cluster.kind == FabricKind::kClos2 ? chip % cluster.leaf_down_ports() : 0);
  return position;
}

ReplicaLinks slowest_links(const Fabric& fabric, const ClusterFabric& cluster, const PoolScenario& pool,
                           std::int32_t first_chip) {
  const std::int32_t chips = pool.plan.chips();
  ReplicaLinks slowest = links_of(fabric, pool.plan, first_chip);
  std::set<std::vector<std::int32_t>> seen{position_of(fabric, cluster, first_chip, chips)};
  for (std::int32_t replica = 1; replica < pool.replicas; ++replica) {
    const std::int32_t chip = first_chip + replica * chips;
    if (!seen.insert(position_of(fabric, cluster, chip, chips)).second) continue;
    const ReplicaLinks links = links_of(fabric, pool.plan, chip);
    for (std::size_t i = 0; i < links.tensor_groups.size(); ++i) {
      keep_slower(slowest.tensor_groups[i], links.tensor_groups[i]);
      keep_slower(slowest.stage_groups[i], links.stage_groups[i]);
    }
    for (std::size_t i = 0; i < links.stage_links.size(); ++i)
      keep_slower(slowest.stage_links[i], links.stage_links[i]);
  }
  return slowest;
}

bool spans_nodes(const PoolScenario& pool) {
  return pool.plan.chips() > pool.node.chips;
}

void set_links(PoolScenario& pool, ReplicaLinks links) {
  pool.replica.tensor_groups = std::move(links.tensor_groups);
  pool.replica.stage_groups = std::move(links.stage_groups);
  pool.replica.stage_links = std::move(links.stage_links);
}

}  // namespace

void place_pools(std::vector<PoolScenario>& pools, const ClusterFabric& cluster) {
  std::vector<const NodeSpec*> nodes;
  std::vector<std::int32_t> first_node;
  for (const PoolScenario& pool : pools) {
    first_node.push_back(static_cast<std::int32_t>(nodes.size()));
    nodes.insert(nodes.end(), static_cast<std::size_t>(pool.nodes), &pool.node);
  }
  // Within a node all replicas sit alike, and nothing beyond it matters: no NICs, no switches.
  for (PoolScenario& pool : pools)
    if (!spans_nodes(pool)) set_links(pool, links_of(Fabric::build({&pool.node}, cluster), pool.plan, 0));
  if (std::none_of(pools.begin(), pools.end(), spans_nodes)) return;
  const Fabric fabric = Fabric::build(nodes, cluster);
  for (std::size_t p = 0; p < pools.size(); ++p)
    if (spans_nodes(pools[p]))
      set_links(pools[p], slowest_links(fabric, cluster, pools[p], fabric.first_chip(first_node[p])));
}

}  // namespace silicast
