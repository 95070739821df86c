// Routes and group rates over the frozen graph. Hops to one chip are found by a breadth-first search
// backwards from it, and every route to that chip walks down them.
#include "topology/fabric.hpp"

#include <algorithm>
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

void Fabric::hops_to(std::int32_t to, Tier tier, std::vector<std::int32_t>& hops) const {
  hops.assign(graph_.vertices.size(), -1);
  std::vector<std::int32_t> queue{to};
  hops[at(to)] = 0;
  for (std::size_t next = 0; next < queue.size(); ++next) {
    const std::int32_t v = queue[next];
    for (std::int32_t i = graph_.first_in[at(v)]; i < graph_.first_in[at(v) + 1]; ++i) {
      const std::int32_t from = graph_.links[at(graph_.in[at(i)])].from;
      const FabricVertex& vertex = graph_.vertices[at(from)];
      const bool chip = vertex.kind == VertexKind::kChip;
      if (hops[at(from)] >= 0 || (!chip && vertex.tier != tier)) continue;
      hops[at(from)] = hops[at(v)] + 1;
      if (!chip) queue.push_back(from);  // chips end routes, they forward nothing
    }
  }
}

template <class Visit>
void Fabric::walk(std::int32_t a, std::int32_t b, const std::vector<std::int32_t>& hops, Visit visit) const {
  SILICAST_CHECK(hops[at(a)] >= 0, "no route from chip {} to chip {}", a, b);
  for (std::int32_t v = a; v != b;) {
    const auto leads = [&](std::int32_t l) {
      const std::int32_t to = graph_.links[at(l)].to;
      // Another chip may be as near, but does not forward.
      return hops[at(to)] == hops[at(v)] - 1 && (to == b || graph_.vertices[at(to)].kind != VertexKind::kChip);
    };
    std::int32_t choices = 0;
    for (std::int32_t l = graph_.first_out[at(v)]; l < graph_.first_out[at(v) + 1]; ++l) choices += leads(l);
    SILICAST_CHECK(choices > 0, "the way from chip {} to chip {} ends at vertex {}", a, b, v);
    std::int32_t pick = static_cast<std::int32_t>((std::int64_t{a} + b) % choices);
    for (std::int32_t l = graph_.first_out[at(v)];; ++l) {
      if (!leads(l) || pick-- > 0) continue;
      visit(l);
      v = graph_.links[at(l)].to;
      break;
    }
  }
}

Route Fabric::route(std::int32_t a, std::int32_t b) const {
  SILICAST_CHECK(a >= 0 && a < chips() && b >= 0 && b < chips(), "route {} to {} of {} chips", a, b, chips());
  Route route;
  route.bandwidth = BytesPerSecond(kInfinite);
  if (a == b) return route;
  std::vector<std::int32_t> hops;
  hops_to(b, tier_between(a, b), hops);
  walk(a, b, hops, [&](std::int32_t l) {
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
  std::vector<std::int32_t> hops;
  for (std::size_t to = 0; to < chips.size(); ++to) {
    const std::int32_t b = chips[to];
    const std::int32_t before = chips[(to + chips.size() - 1) % chips.size()];
    const std::int32_t inner_before = chips[to - to % per_node + (to % per_node + per_node - 1) % per_node];
    const std::int32_t rail_before = chips[(to + chips.size() - per_node) % chips.size()];
    for (const Tier tier : {Tier::kNode, Tier::kPod, Tier::kScaleOut}) {
      const auto uses = [&](std::int32_t a) { return a != b && tier_between(a, b) == tier; };
      if (std::none_of(chips.begin(), chips.end(), uses)) continue;
      hops_to(b, tier, hops);
      for (const std::int32_t a : chips) {
        if (!uses(a)) continue;
        Seconds latency;
        walk(a, b, hops, [&](std::int32_t l) {
          ++pair_flows[at(l)];
          if (a == before) ++ring_flows[at(l)];
          if (a == inner_before) ++inner_flows[at(l)];
          if (a == rail_before) ++rail_flows[at(l)];
          latency += graph_.links[at(l)].latency;
        });
        group.latency = std::max(group.latency, latency);
        if (tier == Tier::kNode) group.inner_latency = std::max(group.inner_latency, latency);
      }
    }
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
