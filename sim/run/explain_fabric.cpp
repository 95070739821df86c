#include "sim/run/explain_fabric.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "sim/run/place_pools.hpp"
#include "topology/bisection.hpp"
#include "topology/fabric_dot.hpp"

namespace silicast {
namespace {

std::string rate(BytesPerSecond value) {
  return format_quantity(value.value(), Dimension::kByteRate);
}

std::string_view reach_of(const GroupLinks& group) {
  return group.within_node ? "node" : group.within_pod ? "pod" : "fabric";
}

std::string used_links(const GroupLinks& group) {
  return fmt::format("over {} links, the narrowest {} ({} to {})", group.links, rate(group.narrowest),
                     name_of(group.narrowest_from), name_of(group.narrowest_to));
}

std::string group_line(std::string_view what, const std::string& where, const GroupLinks& group) {
  return fmt::format(
      "  {} of {}{}: {} per chip when all talk to all, {} around a ring, {} latency, within one {}; {}\n", what,
      group.size, where, rate(group.all_to_all), rate(group.ring),
      format_quantity(group.latency.value(), Dimension::kTime), reach_of(group), used_links(group));
}

std::string placement_line(const PoolScenario& pool) {
  std::map<std::int32_t, std::int32_t> replicas_on;  // by node
  for (const std::vector<std::int32_t>& chips : pool.replica_chips) {
    std::vector<std::int32_t> nodes;
    for (const std::int32_t chip : chips) nodes.push_back((chip - pool.first_chip) / pool.node.chips);
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    for (const std::int32_t node : nodes) ++replicas_on[node];
  }
  std::int32_t most = 0;
  for (const auto& [node, replicas] : replicas_on) most = std::max(most, replicas);
  return fmt::format("  placement {}: {} on {} of {} node{}, at most {} on one\n", name_of(pool.placement.kind),
                     pool.replicas == 1 ? "one replica" : fmt::format("{} replicas", pool.replicas), replicas_on.size(),
                     pool.nodes, pool.nodes == 1 ? "" : "s", most);
}

// One line for all links between the same kinds with the same figures.
std::string link_kinds(const Fabric& fabric) {
  using Like = std::tuple<VertexKind, VertexKind, Grade, std::string, double, double>;  // ..., capacity, latency
  std::map<Like, std::int32_t> count;
  const auto kind = [&](std::int32_t v) { return fabric.vertices()[static_cast<std::size_t>(v)].kind; };
  for (const FabricLink& link : fabric.links()) {
    if (link.from > link.to) continue;
    const LinkSource& said = fabric.graph().sources[static_cast<std::size_t>(link.source)];
    ++count[{kind(link.from), kind(link.to), said.grade, said.source, link.capacity.value(), link.latency.value()}];
  }
  std::string text = fmt::format("  {:<26}{:>8}{:>14}{:>10}  {}\n", "links, one way", "number", "each", "latency",
                                 "grade and source of the capacity");
  for (const auto& [like, number] : count) {
    const auto& [from, to, grade, source, capacity, latency] = like;
    text += fmt::format("  {:<26}{:>8}{:>14}{:>10}  {}{}{}\n", fmt::format("{} to {}", name_of(from), name_of(to)),
                        number, format_quantity(capacity, Dimension::kByteRate),
                        format_quantity(latency, Dimension::kTime), name_of(grade), source.empty() ? "" : ": ", source);
  }
  return text;
}

std::string bisection_line(const std::string& what, const Bisection& cut) {
  const auto nodes = [](std::int32_t from, std::int32_t to) {
    return to - from == 1 ? fmt::format("node {}", from) : fmt::format("nodes {} to {}", from, to - 1);
  };
  const auto& [first, middle, end, chips, most] = cut;
  return fmt::format("  bisection {}, {}: {} each way by max-flow, {} per chip\n", what,
                     end - first == 1
                         ? fmt::format("the first half of the chips of {} against the rest", nodes(first, end))
                         : fmt::format("{} against {}", nodes(first, middle), nodes(middle, end)),
                     rate(most), rate(most / static_cast<double>(chips)));
}

std::string bisections(const Fabric& fabric, const Scenario& scenario) {
  std::string text;
  std::set<std::int32_t> said;  // pods
  if (fabric.nodes() > 1) {
    text += bisection_line("of the cluster", bisect_cluster(fabric));
    if (fabric.pod_of(fabric.chips() - 1) == 0) said.insert(0);  // that was its only pod
  }
  for (const PoolScenario& pool : scenario.pools) {
    const std::int32_t pod = fabric.pod_of(pool.first_chip);
    if (!said.insert(pod).second) continue;
    const Bisection cut = bisect_pod(fabric, pod);
    if (cut.chips > 0)
      text += bisection_line(
          fmt::format("of pool {}'s first {}", pool.name, cut.end_node - cut.first_node > 1 ? "pod" : "node"), cut);
  }
  return text;
}

}  // namespace

std::string links_section(const PoolScenario& pool, bool mixture) {
  std::string text = placement_line(pool);
  for (std::int32_t stage = 0; stage < pool.plan.stages(); ++stage) {
    const std::string where = pool.plan.stages() > 1 ? fmt::format(" (stage {})", stage + 1) : "";
    const auto i = static_cast<std::size_t>(stage);
    if (pool.plan.tensor > 1) text += group_line("tensor group", where, pool.replica.tensor_groups[i]);
    if (pool.plan.ranks() > pool.plan.tensor)
      text += group_line(mixture ? "expert group" : "all ranks", where, pool.replica.stage_groups[i]);
    if (i < pool.replica.stage_links.size()) {
      const GroupLinks& link = pool.replica.stage_links[i];
      text += fmt::format("  stage {} to {}: {} per chip, {} latency, within one {}; {}\n", stage + 1, stage + 2,
                          rate(link.ring), format_quantity(link.latency.value(), Dimension::kTime), reach_of(link),
                          used_links(link));
    }
  }
  return text;
}

std::string fabric_section(const Scenario& scenario) {
  std::string text = fmt::format("\nfabric {}", scenario.fabric.name);
  try {
    const Fabric fabric = Fabric::build(nodes_of(scenario.pools), scenario.fabric);
    const std::int32_t pods = fabric.pod_of(fabric.chips() - 1) + 1;
    text += fmt::format(": {} chips in {} node{} and {} scale-up domain{}{}\n", fabric.chips(), fabric.nodes(),
                        fabric.nodes() == 1 ? "" : "s", pods, pods == 1 ? ", whose NICs nobody needs" : "s",
                        pods == 1 ? "" : " over NICs");
    return text + link_kinds(fabric) + bisections(fabric, scenario);
  } catch (const InputError& error) {
    return text + fmt::format(": cannot be built, and no replica reaches into it: {}\n", error.what());
  }
}

std::string fabric_dot(const Scenario& scenario) {
  return dot_of(Fabric::build(nodes_of(scenario.pools), scenario.fabric), scenario.fabric.name);
}

}  // namespace silicast
