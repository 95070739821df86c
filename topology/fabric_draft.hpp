// The fabric while it is being wired: vertices and links as they come.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "topology/fabric_graph.hpp"

namespace silicast {

class FabricDraft {
 public:
  using Vertex = std::int32_t;

  // Numbers the chips, node by node, and cuts runs of equal nodes into pods.
  FabricDraft(const std::vector<const NodeSpec*>& nodes, const ClusterFabric& cluster);

  Vertex add_vertex(VertexKind kind, Tier tier, std::int32_t switches = 1);
  // Number of a source of capacities; asked for again, the same.
  std::int32_t source(std::string_view key, const Evidence& capacity, const Mark& mark);
  // A link each way. Errors (InputError at the source): a capacity that is not positive, a latency below zero.
  void join(Vertex a, Vertex b, double capacity, double latency, std::int32_t source);
  void join(Vertex a, Vertex b, double capacity, double latency, double latency_back, std::int32_t source);
  // Routes of the chip in that tier begin with the link to `parent`.
  void set_up(Tier tier, Vertex chip, Vertex parent);
  Vertex up_of(Tier tier, Vertex chip) const;  // -1 where none was set

  const std::vector<const NodeSpec*>& nodes() const { return nodes_; }
  const ClusterFabric& cluster() const { return cluster_; }
  std::int32_t pods() const { return pods_; }
  const FabricGraph& graph() const { return graph_; }
  Vertex first_chip(std::size_t node) const { return graph_.first_chip[node]; }
  std::int32_t pod_of_node(std::size_t node) const;

  // Sorts the links and says which lead where. The draft is used up.
  FabricGraph freeze();

 private:
  void add_link(Vertex from, Vertex to, double capacity, double latency, std::int32_t source);

  const std::vector<const NodeSpec*>& nodes_;
  const ClusterFabric& cluster_;
  FabricGraph graph_;
  std::array<std::vector<Vertex>, kTiers> up_;  // of each chip
  std::map<std::pair<const Evidence*, std::string_view>, std::int32_t> source_of_;
  std::int32_t pods_ = 0;
};

void wire_nodes(FabricDraft& draft);
// Pods of one node have no links beyond those of the node.
void wire_pods(FabricDraft& draft);
void wire_scale_out(FabricDraft& draft);

}  // namespace silicast
