// The fabric's graph, frozen to flat arrays once it has been built and checked.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/units.hpp"
#include "topology/cluster_spec.hpp"
#include "topology/node_spec.hpp"

namespace silicast {

// Which part of the fabric a vertex belongs to; a route stays in one tier between its two chips. (Where a pod's first
// level are the switches of its nodes, routes of the pod pass those.)
enum class Tier : std::uint8_t { kNode, kPod, kScaleOut };
inline constexpr std::size_t kTiers = 3;

enum class VertexKind : std::uint8_t {
  kChip,
  kNodeSwitch,
  kHost,
  kPodLeaf,    // of a pod's levels, all but the last
  kPodSwitch,  // joins all of a pod
  kNic,
  kLeaf,
  kSpine,
  kCore
};
std::string_view name_of(VertexKind kind);  // "chip", "node switch", ...

struct FabricVertex {
  VertexKind kind = VertexKind::kChip;
  Tier tier = Tier::kNode;    // of chips: kNode, though they end routes of every tier
  std::int32_t switches = 1;  // that it stands for, side by side; not of chips, hosts and NICs
};

// Who says how fast a link is.
struct LinkSource {
  std::string key;  // of the file that `mark` names, e.g. "scale_up"
  Grade grade = Grade::kEstimate;
  std::string source;
  Mark mark;
};

struct FabricLink {
  std::int32_t from = 0;  // vertices
  std::int32_t to = 0;
  BytesPerSecond capacity;
  Seconds latency;
  std::int32_t source = 0;  // index into FabricGraph::sources
};

struct FabricGraph {
  std::vector<FabricVertex> vertices;   // the chips come first: chip i is vertex i; whatever lies above comes later
  std::vector<FabricLink> links;        // sorted by (from, to), each with its like the other way round
  std::vector<std::int32_t> first_out;  // links of v: first_out[v] .. first_out[v + 1] - 1
  std::vector<std::int32_t> first_up;   // those of them that lead up, to a switch above: from here on; not of chips
  std::vector<std::int32_t> reverse;    // of each link the one from `to` to `from`
  std::array<std::vector<std::int32_t>, kTiers> up;  // the link of each chip that begins its routes in the tier, or -1
  std::vector<std::int32_t> node_of_chip;
  std::vector<std::int32_t> pod_of_chip;  // a node without pod is a pod of its own
  std::vector<std::int32_t> first_chip;   // of node i; one entry more than nodes
  std::vector<LinkSource> sources;

  // The link from a to b, -1 where there is none.
  std::int32_t link_between(std::int32_t a, std::int32_t b) const;
};

// The pod of each node, numbered in their order: consecutive nodes of one name share pods, as many as a pod holds.
std::vector<std::int32_t> pods_of(const std::vector<const NodeSpec*>& nodes);

// Errors as of Fabric::build.
FabricGraph build_fabric_graph(const std::vector<const NodeSpec*>& nodes, const ClusterFabric& cluster);

// What all vertices marked 1 can send at once to those marked 2, over the links between vertices marked other than -1
// (0: passes on what it gets): the max-flow, in whole B/s.
BytesPerSecond max_flow(const FabricGraph& graph, const std::vector<std::int8_t>& marks);

}  // namespace silicast
