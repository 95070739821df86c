// Routes and group rates over the frozen graph.
#include "topology/fabric.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

std::size_t at(std::int32_t i) {
  return static_cast<std::size_t>(i);
}

// Least capacity per flow over the links that carry any.
double rate_per_flow(const std::vector<FabricLink>& links, const std::vector<std::int64_t>& flows) {
  double rate = kInfinite;
  for (std::size_t l = 0; l < links.size(); ++l)
    if (flows[l] > 0) rate = std::min(rate, links[l].capacity.value() / static_cast<double>(flows[l]));
  return rate;
}

}  // namespace

Fabric Fabric::build(const std::vector<const NodeSpec*>& nodes, const ClusterFabric& cluster) {
  return Fabric(build_fabric_graph(nodes, cluster));
}

Tier Fabric::tier_between(std::int32_t a, std::int32_t b) const {
  if (node_of(a) == node_of(b)) return Tier::kNode;
  return pod_of(a) == pod_of(b) ? Tier::kPod : Tier::kScaleOut;
}

template <class Visit>
void Fabric::walk(std::int32_t a, std::int32_t b, Visit visit) const {
  const Tier tier = tier_between(a, b);
  std::array<std::int32_t, kMostPodLevels> down;  // links of b's side, from b up
  static_assert(kMostPodLevels >= 4, "NIC, leaf, spine and core");
  std::size_t depth = 0;
  std::int64_t pick = std::int64_t{a} + b;
  for (std::int32_t left = a, right = b; left != right;) {
    // Chips of a mesh, hosts of a node: neighbours at one height.
    if (const std::int32_t level = tier == Tier::kNode ? graph_.link_between(left, right) : -1; level >= 0) {
      visit(level);
      break;
    }
    const auto uplink = [&](std::int32_t v) {
      if (v < chips()) return graph_.up[static_cast<std::size_t>(tier)][at(v)];
      const std::int32_t first = graph_.first_up[at(v)], end = graph_.first_out[at(v) + 1];
      return first < end ? first + static_cast<std::int32_t>(pick % (end - first)) : -1;
    };
    const std::int32_t there = uplink(left), back = uplink(right);
    SILICAST_CHECK(there >= 0 && back >= 0 && depth < down.size(), "no route from chip {} to chip {}", a, b);
    if (left >= chips()) pick /= graph_.first_out[at(left) + 1] - graph_.first_up[at(left)];
    visit(there);
    down[depth++] = graph_.reverse[at(back)];
    left = graph_.links[at(there)].to;
    right = graph_.links[at(back)].to;
  }
  while (depth > 0) visit(down[--depth]);
}

std::vector<std::int32_t> Fabric::switches_above(std::int32_t chip, Tier tier) const {
  std::vector<std::int32_t> switches;
  std::int32_t link = graph_.up[static_cast<std::size_t>(tier)][at(chip)];
  while (link >= 0) {
    const std::int32_t v = graph_.links[at(link)].to;
    switches.push_back(v);
    link = graph_.first_up[at(v)] < graph_.first_out[at(v) + 1] ? graph_.first_up[at(v)] : -1;
  }
  return switches;
}

std::int32_t Fabric::leaf_of(std::int32_t chip) const {
  const std::int32_t link = graph_.up[static_cast<std::size_t>(Tier::kScaleOut)][at(chip)];
  return link < 0 ? -1 : graph_.links[at(graph_.first_up[at(graph_.links[at(link)].to)])].to;
}

Route Fabric::route(std::int32_t a, std::int32_t b) const {
  SILICAST_CHECK(a >= 0 && a < chips() && b >= 0 && b < chips(), "route {} to {} of {} chips", a, b, chips());
  Route route;
  route.bandwidth = BytesPerSecond(kInfinite);
  if (a == b) return route;
  walk(a, b, [&](std::int32_t l) {
    const FabricLink& link = graph_.links[at(l)];
    route.links.push_back(l);
    route.bandwidth = std::min(route.bandwidth, link.capacity);
    route.latency += link.latency;
  });
  return route;
}

GroupLinks Fabric::empty_group(std::span<const std::int32_t> chips) const {
  SILICAST_CHECK(!chips.empty(), "a group needs a rank");
  std::vector<std::int32_t> sorted(chips.begin(), chips.end());
  std::sort(sorted.begin(), sorted.end());
  SILICAST_CHECK(sorted.front() >= 0 && sorted.back() < this->chips(), "a rank outside the {} chips", this->chips());
  SILICAST_CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end(), "a chip twice in a group");
  GroupLinks group;
  group.size = static_cast<std::int32_t>(chips.size());
  group.all_to_all = group.ring = BytesPerSecond(kInfinite);
  for (const std::int32_t chip : chips) {
    group.within_node = group.within_node && node_of(chip) == node_of(chips[0]);
    group.within_pod = group.within_pod && pod_of(chip) == pod_of(chips[0]);
  }
  return group;
}

std::int32_t Fabric::ranks_per_node(std::span<const std::int32_t> chips) const {
  std::size_t count = 1;
  while (count < chips.size() && node_of(chips[count]) == node_of(chips[0])) ++count;
  if (count == 1 || count == chips.size() || chips.size() % count != 0) return 0;
  for (std::size_t i = 0; i < chips.size(); ++i) {
    if (node_of(chips[i]) != node_of(chips[i - i % count])) return 0;
    if (i >= count && i % count == 0 && node_of(chips[i]) == node_of(chips[i - 1])) return 0;
  }
  return static_cast<std::int32_t>(count);
}

GroupLinks Fabric::group(std::span<const std::int32_t> chips) const {
  GroupLinks group = empty_group(chips);
  if (chips.size() == 1) return group;
  group.per_node = ranks_per_node(chips);
  const auto per_node = static_cast<std::size_t>(std::max(1, group.per_node));
  std::vector<std::int64_t> pair_flows(graph_.links.size(), 0);
  std::vector<std::int64_t> ring_flows(graph_.links.size(), 0);
  std::vector<std::int64_t> inner_flows(graph_.links.size(), 0);
  std::vector<std::int64_t> rail_flows(graph_.links.size(), 0);
  for (std::size_t to = 0; to < chips.size(); ++to) {
    const std::int32_t b = chips[to];
    const std::int32_t before = chips[(to + chips.size() - 1) % chips.size()];
    const std::int32_t inner_before = chips[to - to % per_node + (to % per_node + per_node - 1) % per_node];
    const std::int32_t rail_before = chips[(to + chips.size() - per_node) % chips.size()];
    for (const std::int32_t a : chips) {
      if (a == b) continue;
      Seconds latency;
      walk(a, b, [&](std::int32_t l) {
        ++pair_flows[at(l)];
        if (a == before) ++ring_flows[at(l)];
        if (a == inner_before) ++inner_flows[at(l)];
        if (a == rail_before) ++rail_flows[at(l)];
        latency += graph_.links[at(l)].latency;
      });
      group.latency = std::max(group.latency, latency);
      if (node_of(a) == node_of(b)) group.inner_latency = std::max(group.inner_latency, latency);
    }
  }
  group.narrowest = BytesPerSecond(kInfinite);
  for (std::size_t l = 0; l < pair_flows.size(); ++l) {
    if (pair_flows[l] == 0) continue;
    ++group.links;
    if (!(graph_.links[l].capacity < group.narrowest)) continue;
    group.narrowest = graph_.links[l].capacity;
    group.narrowest_from = graph_.vertices[at(graph_.links[l].from)].kind;
    group.narrowest_to = graph_.vertices[at(graph_.links[l].to)].kind;
  }
  const double peers = static_cast<double>(chips.size() - 1);
  group.all_to_all = BytesPerSecond(peers * rate_per_flow(graph_.links, pair_flows));
  group.ring = BytesPerSecond(rate_per_flow(graph_.links, ring_flows));
  if (group.per_node > 0) {
    group.inner_ring = BytesPerSecond(rate_per_flow(graph_.links, inner_flows));
    group.rail = BytesPerSecond(rate_per_flow(graph_.links, rail_flows));
  }
  return group;
}

}  // namespace silicast
