// The wires within nodes and pods.
#include <algorithm>

#include "sim/base/check.hpp"
#include "topology/fabric_draft.hpp"

namespace silicast {
namespace {

using Vertex = FabricDraft::Vertex;

void mesh(FabricDraft& draft, Vertex first, std::int32_t count, const NodeSpec& node) {
  const LinkSpec& link = node.scale_up.link;
  const std::int32_t source = draft.source("scale_up", link.bandwidth, node.mark);
  for (Vertex a = first; a < first + count; ++a)
    for (Vertex b = a + 1; b < first + count; ++b)
      draft.join(a, b, link.bandwidth.value / (count - 1), link.latency.value, source);
}

void star(FabricDraft& draft, Tier tier, Vertex first, std::int32_t count, Vertex hub, double bandwidth, double latency,
          std::int32_t source) {
  for (Vertex chip = first; chip < first + count; ++chip) {
    draft.join(chip, hub, bandwidth, latency / 2, source);
    draft.set_up(tier, chip, hub);
  }
}

void wire_groups(FabricDraft& draft, const NodeSpec& node, Vertex first) {
  const ScaleUp& wires = node.scale_up;
  SILICAST_CHECK(wires.group > 0 && node.chips % wires.group == 0, "{} chips in groups of {}", node.chips, wires.group);
  for (Vertex group = first; group < first + node.chips; group += wires.group) mesh(draft, group, wires.group, node);
  if (!wires.hosts) return;
  const LinkSpec &within = wires.hosts->within, &between = wires.hosts->between;
  const std::int32_t per_host = wires.group * wires.hosts->groups_per_host;
  std::vector<Vertex> hosts;
  for (Vertex chip = first; chip < first + node.chips; chip += per_host) {
    hosts.push_back(draft.add_vertex(VertexKind::kHost, Tier::kNode));
    star(draft, Tier::kNode, chip, per_host, hosts.back(), within.bandwidth.value, within.latency.value,
         draft.source("scale_up.hosts.within", within.bandwidth, node.mark));
  }
  for (std::size_t a = 0; a < hosts.size(); ++a)
    for (std::size_t b = a + 1; b < hosts.size(); ++b)
      draft.join(hosts[a], hosts[b], between.bandwidth.value * per_host, between.latency.value - within.latency.value,
                 draft.source("scale_up.hosts.between", between.bandwidth, node.mark));
}

void wire_node(FabricDraft& draft, std::size_t i) {
  const NodeSpec& node = *draft.nodes()[i];
  const LinkSpec& link = node.scale_up.link;
  const Vertex first = draft.first_chip(i);
  switch (node.scale_up.wiring) {
    case Wiring::kMesh:
      mesh(draft, first, node.chips, node);
      break;
    case Wiring::kSwitch: {
      const bool own_level = node.pod && !node.pod->levels.empty() && node.pod->levels[0].nodes == 1;
      const std::int32_t switches = own_level ? node.pod->levels[0].switches : 1;
      star(draft, Tier::kNode, first, node.chips, draft.add_vertex(VertexKind::kNodeSwitch, Tier::kNode, switches),
           link.bandwidth.value, link.latency.value, draft.source("scale_up", link.bandwidth, node.mark));
      break;
    }
    case Wiring::kGroups:
      wire_groups(draft, node, first);
      break;
  }
}

// The groups of switches of a level over `nodes` nodes.
std::vector<Vertex> add_level(FabricDraft& draft, const PodLevel& level, std::int32_t nodes, bool last) {
  std::vector<Vertex> groups;
  for (std::int32_t node = 0; node < nodes; node += level.nodes)
    groups.push_back(
        draft.add_vertex(last ? VertexKind::kPodSwitch : VertexKind::kPodLeaf, Tier::kPod, level.switches));
  return groups;
}

void wire_levels(FabricDraft& draft, std::size_t first_node, std::int32_t nodes) {
  const NodeSpec& node = *draft.nodes()[first_node];
  const std::vector<PodLevel>& levels = node.pod->levels;
  const double rate = node.pod->link.bandwidth.value;
  const std::int32_t chip_source = draft.source("pod", node.pod->link.bandwidth, node.mark);
  std::vector<Vertex> below;
  double share = 1;  // of a chip's rate that goes on above the level
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const PodLevel& level = levels[l];
    const bool last = l + 1 == levels.size();
    std::vector<Vertex> groups;
    if (level.nodes == 1) {
      const Vertex first = draft.first_chip(first_node);
      for (Vertex chip = first; chip < first + nodes * node.chips; ++chip) {
        const Vertex own = draft.up_of(Tier::kNode, chip);
        if ((chip - first) % node.chips == 0) groups.push_back(own);
        draft.set_up(Tier::kPod, chip, own);
      }
    } else {
      groups = add_level(draft, level, nodes, last);
    }
    if (l == 0 && level.nodes > 1) {
      for (std::size_t g = 0; g < groups.size(); ++g) {
        const std::int32_t from = static_cast<std::int32_t>(g) * level.nodes;
        star(draft, Tier::kPod, draft.first_chip(first_node) + from * node.chips,
             std::min(level.nodes, nodes - from) * node.chips, groups[g], rate, level.latency.value, chip_source);
      }
    }
    if (l > 0) {
      const PodLevel& lower = levels[l - 1];
      const double latency = (level.latency.value - lower.latency.value) / 2;
      const std::int32_t source = lower.oversubscription.value > 1
                                      ? draft.source("pod.levels.oversubscription", lower.oversubscription, node.mark)
                                      : chip_source;
      for (std::size_t g = 0; g < below.size(); ++g)
        draft.join(below[g], groups[g / static_cast<std::size_t>(level.nodes / lower.nodes)],
                   rate * lower.nodes * node.chips * share, latency, source);
    }
    if (groups.size() == 1) return;
    if (!last) share /= level.oversubscription.value;
    below = std::move(groups);
  }
}

}  // namespace

void wire_nodes(FabricDraft& draft) {
  for (std::size_t i = 0; i < draft.nodes().size(); ++i) wire_node(draft, i);
}

void wire_pods(FabricDraft& draft) {
  const std::size_t nodes = draft.nodes().size();
  for (std::size_t i = 0, end = 0; i < nodes; i = end) {
    for (end = i + 1; end < nodes && draft.pod_of_node(end) == draft.pod_of_node(i);) ++end;
    if (end - i == 1) continue;
    const NodeSpec& node = *draft.nodes()[i];
    if (!node.pod->levels.empty()) {
      wire_levels(draft, i, static_cast<std::int32_t>(end - i));
      continue;
    }
    star(draft, Tier::kPod, draft.first_chip(i), draft.first_chip(end) - draft.first_chip(i),
         draft.add_vertex(VertexKind::kPodSwitch, Tier::kPod), node.pod->link.bandwidth.value,
         node.pod->link.latency.value, draft.source("pod", node.pod->link.bandwidth, node.mark));
  }
}

}  // namespace silicast
