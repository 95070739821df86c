#include "sim/run/place_pools.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <span>

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
  kept.links = std::max(kept.links, other.links);
  if (!(other.narrowest < kept.narrowest)) return;
  kept.narrowest = other.narrowest;
  kept.narrowest_from = other.narrowest_from;
  kept.narrowest_to = other.narrowest_to;
}

using Ranks = std::span<const std::int32_t>;

// Whether both groups stand within one node each, on the same places of it.
bool alike(const Fabric& fabric, Ranks a, Ranks b) {
  const auto place = [&](std::int32_t c) { return c - fabric.first_chip(fabric.node_of(c)); };
  for (std::size_t i = 0; i < a.size(); ++i)
    if (place(a[i]) != place(b[i]) || fabric.node_of(a[i]) != fabric.node_of(a[0]) ||
        fabric.node_of(b[i]) != fabric.node_of(b[0]))
      return false;
  return true;
}

ReplicaLinks links_of(const Fabric& fabric, const ParallelPlan& plan, Ranks chips) {
  ReplicaLinks links;
  const auto ranks = static_cast<std::size_t>(plan.ranks()), tensor = static_cast<std::size_t>(plan.tensor);
  for (std::size_t from = 0; from < chips.size(); from += ranks) {
    const Ranks stage = chips.subspan(from, ranks);
    links.stage_groups.push_back(fabric.group(stage));
    const Ranks first = stage.first(tensor);
    GroupLinks slowest = fabric.group(first);
    for (std::size_t at = tensor; at < ranks; at += tensor)
      if (!alike(fabric, first, stage.subspan(at, tensor)))
        keep_slower(slowest, fabric.group(stage.subspan(at, tensor)));
    links.tensor_groups.push_back(slowest);
    if (from + ranks < chips.size())
      links.stage_links.push_back(fabric.group(std::vector<std::int32_t>{stage[0], chips[from + ranks]}));
  }
  return links;
}

// Numbers things in the order in which they first come up.
class Appearances {
 public:
  std::int32_t of(std::int32_t thing) {
    return seen_.emplace(thing, static_cast<std::int32_t>(seen_.size())).first->second;
  }

 private:
  std::map<std::int32_t, std::int32_t> seen_;
};

// Equal ways up from a leaf: to spines, and from those to cores.
std::int32_t ways_up(const ClusterFabric& cluster) {
  if (!cluster.is_clos()) return 1;
  return cluster.leaf_up_ports() * (cluster.kind == FabricKind::kClos3 ? cluster.ports / 2 : 1);
}

// What decides the links of a replica: its chips' places in their nodes; which of them share nodes, pods and what
// stands over them there and in the scale-out fabric (the first spine tells the block); and their distances, on which
// it depends which of their routes take the same way up.
std::vector<std::int32_t> position_of(const Fabric& fabric, const ClusterFabric& cluster, Ranks chips) {
  std::vector<std::int32_t> position;
  const std::int32_t ways = ways_up(cluster);
  Appearances nodes, pods, switches;
  for (const std::int32_t chip : chips) {
    position.push_back(chip - fabric.first_chip(fabric.node_of(chip)));
    position.push_back(nodes.of(fabric.node_of(chip)));
    position.push_back(pods.of(fabric.pod_of(chip)));
    for (const Tier tier : {Tier::kPod, Tier::kScaleOut})
      for (const std::int32_t above : fabric.switches_above(chip, tier)) position.push_back(switches.of(above));
    position.push_back((chip - chips[0] % ways + ways) % ways);
  }
  return position;
}

// Of all replicas.
ReplicaLinks slowest_links(const Fabric& fabric, const ClusterFabric& cluster, const ParallelPlan& plan,
                           const ReplicaChips& replicas) {
  ReplicaLinks slowest = links_of(fabric, plan, replicas[0]);
  std::set<std::vector<std::int32_t>> seen{position_of(fabric, cluster, replicas[0])};
  for (const std::vector<std::int32_t>& chips : replicas) {
    if (!seen.insert(position_of(fabric, cluster, chips)).second) continue;
    const ReplicaLinks links = links_of(fabric, plan, chips);
    for (std::size_t i = 0; i < links.tensor_groups.size(); ++i) {
      keep_slower(slowest.tensor_groups[i], links.tensor_groups[i]);
      keep_slower(slowest.stage_groups[i], links.stage_groups[i]);
    }
    for (std::size_t i = 0; i < links.stage_links.size(); ++i)
      keep_slower(slowest.stage_links[i], links.stage_links[i]);
  }
  return slowest;
}

// Nothing beyond the node matters: no NICs, no switches.
ReplicaLinks links_within_node(const PoolScenario& pool, const ClusterFabric& cluster) {
  ReplicaChips within;
  for (std::vector<std::int32_t> chips : pool.replica_chips) {
    for (std::int32_t& chip : chips) chip = (chip - pool.first_chip) % pool.node.chips;
    within.push_back(std::move(chips));
  }
  return slowest_links(Fabric::build({&pool.node}, cluster), ClusterFabric{}, pool.plan, within);
}

void set_links(PoolScenario& pool, ReplicaLinks links) {
  pool.replica.tensor_groups = std::move(links.tensor_groups);
  pool.replica.stage_groups = std::move(links.stage_groups);
  pool.replica.stage_links = std::move(links.stage_links);
}

}  // namespace

std::vector<const NodeSpec*> nodes_of(const std::vector<PoolScenario>& pools) {
  std::vector<const NodeSpec*> nodes;
  for (const PoolScenario& pool : pools) nodes.insert(nodes.end(), static_cast<std::size_t>(pool.nodes), &pool.node);
  return nodes;
}

bool spans_nodes(const PoolScenario& pool) {
  const std::int32_t first = pool.first_chip;
  return std::any_of(pool.replica_chips.begin(), pool.replica_chips.end(), [&](const std::vector<std::int32_t>& chips) {
    return std::any_of(chips.begin(), chips.end(), [&](std::int32_t chip) {
      return (chip - first) / pool.node.chips != (chips[0] - first) / pool.node.chips;
    });
  });
}

bool leaves_nodes(const PoolScenario& pool) {
  return spans_nodes(pool) || pool.role != PoolRole::kWhole;
}

void place_pools(std::vector<PoolScenario>& pools, const ClusterFabric& cluster) {
  const std::vector<const NodeSpec*> nodes = nodes_of(pools);
  const std::vector<std::int32_t> pods = pods_of(nodes);
  auto pod = pods.begin();
  std::int32_t first_chip = 0;
  for (PoolScenario& pool : pools) {
    pool.first_chip = first_chip;
    pool.replica_chips = place(pool, std::vector<std::int32_t>(pod, pod + pool.nodes));
    for (std::vector<std::int32_t>& chips : pool.replica_chips)
      for (std::int32_t& chip : chips) chip += first_chip;
    pod += pool.nodes;
    first_chip += pool.nodes * pool.node.chips;
    if (!spans_nodes(pool)) set_links(pool, links_within_node(pool, cluster));
  }
  if (std::none_of(pools.begin(), pools.end(), leaves_nodes)) return;
  const Fabric fabric = Fabric::build(nodes, cluster);
  for (PoolScenario& pool : pools)
    if (spans_nodes(pool)) set_links(pool, slowest_links(fabric, cluster, pool.plan, pool.replica_chips));
}

}  // namespace silicast
