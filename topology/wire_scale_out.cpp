// NICs, leaves, spines and cores.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sim/base/errors.hpp"
#include "topology/fabric_draft.hpp"

namespace silicast {
namespace {

using Vertex = FabricDraft::Vertex;

double fastest_nic(const FabricDraft& draft) {
  double fastest = 0;
  for (const NodeSpec* node : draft.nodes()) {
    if (!node->nic)
      throw InputError(node->mark, "nic",
                       fmt::format("node '{}' has no NIC, but must reach nodes outside its {}", node->name,
                                   node->pod ? "pod" : "own chassis"));
    fastest = std::max(fastest, node->nic->bandwidth.value);
  }
  return fastest;
}

// Which leaf each chip's NIC hangs on. Leaves are numbered in the order of the chips, of rails in that of groups of
// nodes, and rail by rail within one.
std::vector<std::int32_t> leaves_of(const FabricDraft& draft) {
  const ClusterFabric& cluster = draft.cluster();
  const std::vector<std::int32_t>& node_of = draft.graph().node_of_chip;
  const std::int32_t down = cluster.is_clos() ? cluster.leaf_down_ports() : static_cast<std::int32_t>(node_of.size());
  const auto chips = static_cast<Vertex>(node_of.size());
  // Group of nodes and rail, or run of chips.
  const auto key = [&](Vertex chip) {
    const std::int32_t node = node_of[static_cast<std::size_t>(chip)];
    return cluster.rails ? std::pair(node / down, chip - draft.first_chip(static_cast<std::size_t>(node)))
                         : std::pair(chip / down, 0);
  };
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> number;
  for (Vertex chip = 0; chip < chips; ++chip) number.emplace(key(chip), 0);
  std::int32_t next = 0;
  for (auto& [of, leaf] : number) leaf = next++;
  std::vector<std::int32_t> leaves;
  for (Vertex chip = 0; chip < chips; ++chip) leaves.push_back(number.at(key(chip)));
  return leaves;
}

// The spines of one block, one link from each leaf to each of them.
std::vector<Vertex> add_spines(FabricDraft& draft, const std::vector<Vertex>& leaves, std::size_t from, std::size_t end,
                               double uplink) {
  const ClusterFabric& cluster = draft.cluster();
  const std::int32_t source = draft.source("fabric", cluster.oversubscription, cluster.mark);
  std::vector<Vertex> spines;
  for (std::int32_t s = 0; s < cluster.leaf_up_ports(); ++s) {
    spines.push_back(draft.add_vertex(VertexKind::kSpine, Tier::kScaleOut));
    for (std::size_t leaf = from; leaf < end; ++leaf)
      draft.join(leaves[leaf], spines.back(), uplink, cluster.hop_latency.value, source);
  }
  return spines;
}

// Plane i joins spine i of every block: non-blocking, as many links up as a spine has down.
void add_cores(FabricDraft& draft, const std::vector<std::vector<Vertex>>& blocks, double uplink) {
  const ClusterFabric& cluster = draft.cluster();
  const std::int32_t source = draft.source("fabric", cluster.oversubscription, cluster.mark);
  for (std::size_t plane = 0; plane < blocks[0].size(); ++plane)
    for (std::int32_t c = 0; c < cluster.ports / 2; ++c) {
      const Vertex core = draft.add_vertex(VertexKind::kCore, Tier::kScaleOut);
      for (const std::vector<Vertex>& spines : blocks)
        draft.join(spines[plane], core, uplink, cluster.hop_latency.value, source);
    }
}

void wire_spines(FabricDraft& draft, const std::vector<Vertex>& leaves, double nic) {
  const ClusterFabric& cluster = draft.cluster();
  const std::size_t per_block = static_cast<std::size_t>(cluster.block_leaves());
  const std::size_t most = per_block * static_cast<std::size_t>(cluster.most_blocks());
  if (leaves.size() > most) {
    const std::string need =
        fmt::format("{} chips need {} leaves, but ", draft.graph().first_chip.back(), leaves.size());
    throw InputError(
        cluster.mark, "ports",
        cluster.kind == FabricKind::kClos2
            ? fmt::format("{}a spine has {} ports; use more ports or kind: clos3", need, cluster.ports)
            : fmt::format("{}three levels of {} ports hold {}; use more ports", need, cluster.ports, most));
  }
  const double uplink = nic * cluster.leaf_down_ports() / (cluster.oversubscription.value * cluster.leaf_up_ports());
  std::vector<std::vector<Vertex>> blocks;
  for (std::size_t from = 0; from < leaves.size(); from += per_block)
    blocks.push_back(add_spines(draft, leaves, from, std::min(from + per_block, leaves.size()), uplink));
  if (blocks.size() > 1) add_cores(draft, blocks, uplink);
}

}  // namespace

void wire_scale_out(FabricDraft& draft) {
  const double fastest = fastest_nic(draft);
  const std::vector<std::int32_t> leaf_of = leaves_of(draft);
  const auto chips = static_cast<Vertex>(leaf_of.size());
  const Vertex first_nic = static_cast<Vertex>(draft.graph().vertices.size());
  for (Vertex chip = 0; chip < chips; ++chip) draft.add_vertex(VertexKind::kNic, Tier::kScaleOut);
  std::vector<Vertex> leaves;
  for (std::int32_t leaf = *std::max_element(leaf_of.begin(), leaf_of.end()); leaf >= 0; --leaf)
    leaves.push_back(draft.add_vertex(VertexKind::kLeaf, Tier::kScaleOut));
  for (Vertex chip = 0; chip < chips; ++chip) {
    const auto i = static_cast<std::size_t>(chip);
    const NodeSpec& node = *draft.nodes()[static_cast<std::size_t>(draft.graph().node_of_chip[i])];
    const std::int32_t source = draft.source("nic", node.nic->bandwidth, node.mark);
    const double rate = node.nic->bandwidth.value;
    const Vertex nic = first_nic + chip;
    draft.join(chip, nic, rate, node.nic->latency.value / 2, source);
    draft.set_up(Tier::kScaleOut, chip, nic);
    // A hop is counted on the way into its switch.
    draft.join(nic, leaves[static_cast<std::size_t>(leaf_of[i])], rate, draft.cluster().hop_latency.value, 0, source);
  }
  if (leaves.size() > 1) wire_spines(draft, leaves, fastest);
}

}  // namespace silicast
