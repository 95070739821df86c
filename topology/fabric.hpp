// The machine room as a graph: chips, their hosts and switches, NICs, leaves and spines, joined by directed
// links. It answers what a placement of ranks can really exchange: routes, and the rates of a group that
// talks all at once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/units.hpp"
#include "topology/cluster_spec.hpp"
#include "topology/fabric_graph.hpp"
#include "topology/node_spec.hpp"

namespace silicast {

// A path from one chip to another.
struct Route {
  std::vector<std::int32_t> links;  // in order, indices into Fabric::links(); empty from a chip to itself
  BytesPerSecond bandwidth;         // of the narrowest link; infinite from a chip to itself
  Seconds latency;                  // one way, summed over the links
};

// What a group of ranks can exchange when nobody else uses the fabric. Rates are peaks of the wires: a
// calibration says what fraction collectives reach. Of one rank all_to_all and ring are infinite, the
// latency is 0.
struct GroupLinks {
  std::int32_t size = 0;
  BytesPerSecond all_to_all;  // that each rank can send when every rank sends equally to every other at once
  BytesPerSecond ring;        // that each rank can send to its neighbour in the order given, all at once
  Seconds latency;            // largest one-way route latency
  bool within_node = true;
  bool within_pod = true;  // also true within a node
  // Where the ranks fill several nodes alike, in their order: ranks in a node (else 0), what each can send to its
  // neighbour in a ring within its node, and to its like in the next node, all at once.
  std::int32_t per_node = 0;
  BytesPerSecond inner_ring;
  BytesPerSecond rail;
  Seconds inner_latency;
  std::int32_t links = 0;    // that routes between the ranks use, each way counted
  BytesPerSecond narrowest;  // capacity of the narrowest of them, and what it joins
  VertexKind narrowest_from = VertexKind::kChip;
  VertexKind narrowest_to = VertexKind::kChip;
};

// Chips are numbered through the nodes in the order given. Immutable; cheap to move.
class Fabric {
 public:
  // Consecutive nodes of the same name share pods, as many as a pod holds. The scale-out fabric is built
  // where there is more than one pod. Errors (InputError at the node or the cluster): a link capacity that is
  // not positive, chips of a node that cannot reach each other, a node without NIC where pods must talk, more
  // leaves than the switches above have ports for.
  static Fabric build(const std::vector<const NodeSpec*>& nodes, const ClusterFabric& cluster);

  std::int32_t chips() const { return static_cast<std::int32_t>(graph_.node_of_chip.size()); }
  std::int32_t nodes() const { return static_cast<std::int32_t>(graph_.first_chip.size()) - 1; }
  std::int32_t first_chip(std::int32_t node) const { return graph_.first_chip[static_cast<std::size_t>(node)]; }
  std::int32_t node_of(std::int32_t chip) const { return graph_.node_of_chip[static_cast<std::size_t>(chip)]; }
  std::int32_t pod_of(std::int32_t chip) const { return graph_.pod_of_chip[static_cast<std::size_t>(chip)]; }
  const std::vector<FabricLink>& links() const { return graph_.links; }
  const std::vector<FabricVertex>& vertices() const { return graph_.vertices; }
  const FabricGraph& graph() const { return graph_; }

  // What stands over the chip in a tier, from the nearest up (of the scale-out fabric its NIC, leaf, ...), of several
  // side by side the first; none where there are no such links.
  std::vector<std::int32_t> switches_above(std::int32_t chip, Tier tier) const;
  // The leaf of the chip's NIC, -1 without a scale-out fabric.
  std::int32_t leaf_of(std::int32_t chip) const;

  // The route between two chips: within their node, else within their pod, else over NICs; never through a third chip.
  // It climbs from both ends until they meet. Of n equal links up that of number (a + b) mod n is taken on both sides,
  // a level on (a + b) / n mod n', and so on: an all-to-all spreads evenly, as the flow placement of AI fabrics aims to
  // do (collisions of blind hashing are not modelled). Costs a few look-ups, whatever the size of the fabric.
  Route route(std::int32_t a, std::int32_t b) const;

  // `chips` are distinct, in the order of the ring; at least one. O(n^2) routes.
  GroupLinks group(std::span<const std::int32_t> chips) const;

 private:
  explicit Fabric(FabricGraph graph) : graph_(std::move(graph)) {}

  // Calls visit(link index) for each link of the route.
  template <class Visit>
  void walk(std::int32_t a, std::int32_t b, Visit visit) const;
  Tier tier_between(std::int32_t a, std::int32_t b) const;
  GroupLinks empty_group(std::span<const std::int32_t> chips) const;
  // How many consecutive ranks each node holds, where all hold as many and several; else 0.
  std::int32_t ranks_per_node(std::span<const std::int32_t> chips) const;

  FabricGraph graph_;
};

}  // namespace silicast
