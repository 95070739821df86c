#include "sim/run/pool_placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sim/run/scenario.hpp"

namespace silicast {
namespace {

ReplicaChips packed(const PoolScenario& pool) {
  const std::int32_t chips = pool.plan.chips(), per_node = std::max(1, pool.node.chips / chips);
  ReplicaChips replicas;
  for (std::int32_t r = 0; r < pool.replicas; ++r) {
    const std::int32_t first =
        chips > pool.node.chips ? r * chips : r / per_node * pool.node.chips + r % per_node * chips;
    replicas.emplace_back();
    for (std::int32_t rank = 0; rank < chips; ++rank) replicas.back().push_back(first + rank);
  }
  return replicas;
}

// Runs of nodes in one pod: first node and how many.
std::vector<std::pair<std::int32_t, std::int32_t>> runs_of(const std::vector<std::int32_t>& pods) {
  std::vector<std::pair<std::int32_t, std::int32_t>> runs;
  for (std::size_t node = 0; node < pods.size(); ++node) {
    if (node == 0 || pods[node] != pods[node - 1]) runs.emplace_back(static_cast<std::int32_t>(node), 0);
    ++runs.back().second;
  }
  return runs;
}

// The first node of every `span` within a pod, pod by pod in turn.
std::vector<std::int32_t> dealt_nodes(const std::vector<std::int32_t>& pods, std::int32_t span) {
  const auto runs = runs_of(pods);
  std::int32_t longest = 0;
  for (const auto& run : runs) longest = std::max(longest, run.second);
  std::vector<std::int32_t> nodes;
  for (std::int32_t within = 0; within + span <= longest; within += span)
    for (const auto& [first, count] : runs)
      if (within + span <= count) nodes.push_back(first + within);
  return nodes;
}

// Nodes that no whole span within a pod takes.
std::vector<std::int32_t> left_over(const std::vector<std::int32_t>& pods, std::int32_t span) {
  std::vector<std::int32_t> nodes;
  for (const auto& [first, count] : runs_of(pods))
    for (std::int32_t node = first + count / span * span; node < first + count; ++node) nodes.push_back(node);
  return nodes;
}

void append_node(std::vector<std::int32_t>& chips, std::int32_t node, std::int32_t of_node) {
  for (std::int32_t chip = 0; chip < of_node; ++chip) chips.push_back(node * of_node + chip);
}

ReplicaChips spread(const PoolScenario& pool, const std::vector<std::int32_t>& pods) {
  const std::int32_t chips = pool.plan.chips(), of_node = pool.node.chips;
  const auto wanted = static_cast<std::size_t>(pool.replicas);
  ReplicaChips replicas;
  if (chips <= of_node) {
    const std::vector<std::int32_t> nodes = dealt_nodes(pods, 1);
    for (std::int32_t slot = 0; replicas.size() < wanted; ++slot)
      for (std::size_t n = 0; n < nodes.size() && replicas.size() < wanted; ++n) {
        replicas.emplace_back();
        for (std::int32_t rank = 0; rank < chips; ++rank)
          replicas.back().push_back(nodes[n] * of_node + slot * chips + rank);
      }
    return replicas;
  }
  const std::int32_t span = chips / of_node;
  for (const std::int32_t first : dealt_nodes(pods, span)) {
    if (replicas.size() == wanted) return replicas;
    replicas.emplace_back();
    for (std::int32_t node = first; node < first + span; ++node) append_node(replicas.back(), node, of_node);
  }
  for (const std::int32_t node : left_over(pods, span)) {
    if (replicas.empty() || replicas.back().size() == static_cast<std::size_t>(chips)) {
      if (replicas.size() == wanted) return replicas;
      replicas.emplace_back();
    }
    append_node(replicas.back(), node, of_node);
  }
  return replicas;
}

std::vector<std::int32_t> read_replica(const ConfigValue& value, std::size_t replica, const PoolScenario& pool,
                                       std::map<std::int32_t, std::size_t>& taken) {
  const std::vector<ConfigValue> list = value.list();
  const std::int32_t chips = pool.plan.chips(), all = pool.nodes * pool.node.chips;
  if (list.size() != static_cast<std::size_t>(chips))
    value.fail(fmt::format("lists {} chips for a replica of {}", list.size(), chips));
  std::vector<std::int32_t> ranks;
  for (const ConfigValue& at : list) {
    const auto chip = static_cast<std::int32_t>(at.integer(0, all - 1));
    ranks.push_back(chip);
    const auto [before, fresh] = taken.emplace(chip, replica);
    if (!fresh)
      at.fail(before->second == replica
                  ? fmt::format("chip {} is listed twice", chip)
                  : fmt::format("chip {} is taken by replica {} of the list", chip, before->second + 1));
  }
  return ranks;
}

}  // namespace

std::string_view name_of(PlacementKind kind) {
  constexpr std::string_view kNames[] = {"packed", "spread", "given"};
  return kNames[static_cast<std::size_t>(kind)];
}

PoolPlacement read_placement(const ConfigValue& value, const PoolScenario& pool) {
  PoolPlacement placement;
  if (!value.is_list()) {
    placement.kind = static_cast<PlacementKind>(value.choice({"packed", "spread"}, "placement"));
    return placement;
  }
  placement.kind = PlacementKind::kGiven;
  std::map<std::int32_t, std::size_t> taken;
  for (const ConfigValue& replica : value.list())
    placement.given.push_back(read_replica(replica, placement.given.size(), pool, taken));
  if (placement.given.empty()) value.fail("lists no replica; a pool needs one at least");
  return placement;
}

ReplicaChips place(const PoolScenario& pool, const std::vector<std::int32_t>& pods) {
  if (pool.placement.kind == PlacementKind::kGiven) return pool.placement.given;
  return pool.placement.kind == PlacementKind::kSpread ? spread(pool, pods) : packed(pool);
}

bool spreads_nothing(const PoolScenario& pool) {
  if (pool.placement.kind != PlacementKind::kSpread) return false;
  ReplicaChips as_packed = packed(pool);
  for (std::vector<std::int32_t>& chips : as_packed)
    for (std::int32_t& chip : chips) chip += pool.first_chip;
  return as_packed == pool.replica_chips;
}

}  // namespace silicast
