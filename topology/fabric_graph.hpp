// The fabric's graph, frozen to flat arrays once it has been built and checked.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/base/units.hpp"
#include "topology/cluster_spec.hpp"
#include "topology/node_spec.hpp"

namespace silicast {

// Which part of the fabric a vertex belongs to; a route stays in one tier between its two chips.
enum class Tier : std::uint8_t { kNode, kPod, kScaleOut };

enum class VertexKind : std::uint8_t { kChip, kNodeSwitch, kHost, kPodSwitch, kNic, kLeaf, kSpine };

struct FabricVertex {
  VertexKind kind = VertexKind::kChip;
  Tier tier = Tier::kNode;  // of chips: kNode, though they end routes of every tier
};

struct FabricLink {
  std::int32_t from = 0;  // vertices
  std::int32_t to = 0;
  BytesPerSecond capacity;
  Seconds latency;
};

struct FabricGraph {
  std::vector<FabricVertex> vertices;   // the chips come first: chip i is vertex i
  std::vector<FabricLink> links;        // sorted by (from, to)
  std::vector<std::int32_t> first_out;  // links of v: first_out[v] .. first_out[v + 1] - 1
  std::vector<std::int32_t> first_in;   // entries of `in` that lead to v: first_in[v] .. first_in[v + 1] - 1
  std::vector<std::int32_t> in;         // link indices, sorted by (to, from)
  std::vector<std::int32_t> node_of_chip;
  std::vector<std::int32_t> pod_of_chip;  // a node without pod is a pod of its own
  std::vector<std::int32_t> first_chip;   // of node i; one entry more than nodes
};

// Errors as of Fabric::build.
FabricGraph build_fabric_graph(const std::vector<const NodeSpec*>& nodes, const ClusterFabric& cluster);

}  // namespace silicast
