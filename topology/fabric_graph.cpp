// Builds the fabric with Boost.Graph, checks that everybody can reach everybody, and freezes it to flat
// arrays.
#include "topology/fabric_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/strong_components.hpp>
#include <cmath>
#include <numeric>

#include "sim/base/check.hpp"
#include "sim/base/errors.hpp"

namespace silicast {
namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, FabricVertex, FabricLink>;
using Vertex = std::int32_t;

class Builder {
 public:
  Builder(const std::vector<const NodeSpec*>& nodes, const ClusterFabric& cluster) : nodes_(nodes), cluster_(cluster) {
    if (nodes.empty()) throw InputError(cluster.mark, "", "a fabric needs at least one node");
  }

  FabricGraph build() {
    number_chips();
    for (std::size_t i = 0; i < nodes_.size(); ++i) wire_node(i);
    check_nodes_connected();
    wire_pods();
    if (pods_ > 1) wire_scale_out();
    check_connected();
    return freeze();
  }

 private:
  static std::size_t index(Vertex v) { return static_cast<std::size_t>(v); }

  Vertex add_vertex(VertexKind kind, Tier tier) {
    return static_cast<Vertex>(boost::add_vertex(FabricVertex{kind, tier}, graph_));
  }

  // A directed link; what is wrong with its numbers is reported at `key` of the file that `mark` names.
  void add_link(Vertex from, Vertex to, double capacity, double latency, const Mark& mark, std::string_view key) {
    if (!(capacity > 0) || !std::isfinite(capacity))
      throw InputError(mark, fmt::format("{}.bandwidth", key),
                       fmt::format("a link needs a positive bandwidth, not {:g} B/s", capacity));
    if (!(latency >= 0) || !std::isfinite(latency))
      throw InputError(mark, fmt::format("{}.latency", key),
                       fmt::format("a link needs a latency of zero or more, not {:g} s", latency));
    boost::add_edge(index(from), index(to), FabricLink{from, to, BytesPerSecond(capacity), Seconds(latency)}, graph_);
  }

  void add_both(Vertex a, Vertex b, double capacity, double latency, const Mark& mark, std::string_view key) {
    add_link(a, b, capacity, latency, mark, key);
    add_link(b, a, capacity, latency, mark, key);
  }

  // Chips first, so that chip numbers are vertex numbers; pods are runs of equal nodes.
  void number_chips() {
    frozen_.first_chip.push_back(0);
    std::int32_t in_pod = 0;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const NodeSpec& node = *nodes_[i];
      SILICAST_CHECK(node.chips > 0, "node '{}' has {} chips", node.name, node.chips);
      const bool joins = i > 0 && node.pod && nodes_[i - 1]->name == node.name && in_pod < node.pod->nodes;
      if (!joins) {
        ++pods_;
        in_pod = 0;
      }
      ++in_pod;
      for (std::int32_t c = 0; c < node.chips; ++c) {
        add_vertex(VertexKind::kChip, Tier::kNode);
        frozen_.node_of_chip.push_back(static_cast<std::int32_t>(i));
        frozen_.pod_of_chip.push_back(pods_ - 1);
      }
      frozen_.first_chip.push_back(frozen_.first_chip.back() + node.chips);
    }
  }

  void mesh(Vertex first, std::int32_t count, const LinkSpec& link, const Mark& mark) {
    for (Vertex a = first; a < first + count; ++a)
      for (Vertex b = first; b < first + count; ++b)
        if (a != b) add_link(a, b, link.bandwidth.value / (count - 1), link.latency.value, mark, "scale_up");
  }

  void star(Vertex first, std::int32_t count, Vertex hub, const LinkSpec& link, const Mark& mark,
            std::string_view key) {
    for (Vertex a = first; a < first + count; ++a)
      add_both(a, hub, link.bandwidth.value, link.latency.value / 2, mark, key);
  }

  void wire_node(std::size_t i) {
    const NodeSpec& node = *nodes_[i];
    const ScaleUp& wires = node.scale_up;
    const Vertex first = frozen_.first_chip[i];
    switch (wires.wiring) {
      case Wiring::kMesh:
        mesh(first, node.chips, wires.link, node.mark);
        break;
      case Wiring::kSwitch:
        star(first, node.chips, add_vertex(VertexKind::kNodeSwitch, Tier::kNode), wires.link, node.mark, "scale_up");
        break;
      case Wiring::kGroups:
        wire_groups(node, first);
        break;
    }
  }

  void wire_groups(const NodeSpec& node, Vertex first) {
    const ScaleUp& wires = node.scale_up;
    SILICAST_CHECK(wires.group > 0 && node.chips % wires.group == 0, "{} chips in groups of {}", node.chips,
                   wires.group);
    for (Vertex group = first; group < first + node.chips; group += wires.group)
      mesh(group, wires.group, wires.link, node.mark);
    if (!wires.hosts) return;
    const std::int32_t per_host = wires.group * wires.hosts->groups_per_host;
    std::vector<Vertex> hosts;
    for (Vertex chip = first; chip < first + node.chips; chip += per_host) {
      hosts.push_back(add_vertex(VertexKind::kHost, Tier::kNode));
      star(chip, per_host, hosts.back(), wires.hosts->within, node.mark, "scale_up.hosts.within");
    }
    const LinkSpec& between = wires.hosts->between;
    for (std::size_t a = 0; a < hosts.size(); ++a)
      for (std::size_t b = a + 1; b < hosts.size(); ++b)
        add_both(hosts[a], hosts[b], between.bandwidth.value * per_host,
                 between.latency.value - wires.hosts->within.latency.value, node.mark, "scale_up.hosts.between");
  }

  void wire_pods() {
    for (std::size_t i = 0; i < nodes_.size();) {
      const std::int32_t pod = frozen_.pod_of_chip[index(frozen_.first_chip[i])];
      std::size_t end = i + 1;
      while (end < nodes_.size() && frozen_.pod_of_chip[index(frozen_.first_chip[end])] == pod) ++end;
      if (end - i > 1) {
        const NodeSpec& node = *nodes_[i];
        star(frozen_.first_chip[i], frozen_.first_chip[end] - frozen_.first_chip[i],
             add_vertex(VertexKind::kPodSwitch, Tier::kPod), node.pod->link, node.mark, "pod");
      }
      i = end;
    }
  }

  void wire_scale_out() {
    double fastest = 0;
    for (const NodeSpec* node : nodes_) {
      if (!node->nic)
        throw InputError(node->mark, "nic",
                         fmt::format("node '{}' has no NIC, but must reach nodes outside its {}", node->name,
                                     node->pod ? "pod" : "own chassis"));
      fastest = std::max(fastest, node->nic->bandwidth.value);
    }
    const double hop = cluster_.hop_latency.value;
    const bool clos = cluster_.kind == FabricKind::kClos2;
    const std::int32_t down = clos ? cluster_.leaf_down_ports() : frozen_.first_chip.back();
    std::vector<Vertex> leaves;
    for (Vertex chip = 0; chip < frozen_.first_chip.back(); ++chip) {
      if (chip % down == 0) leaves.push_back(add_vertex(VertexKind::kLeaf, Tier::kScaleOut));
      const NodeSpec& node = *nodes_[index(frozen_.node_of_chip[index(chip)])];
      const Vertex nic = add_vertex(VertexKind::kNic, Tier::kScaleOut);
      const double rate = node.nic->bandwidth.value;
      add_both(chip, nic, rate, node.nic->latency.value / 2, node.mark, "nic");
      add_link(nic, leaves.back(), rate, hop, node.mark,
               "nic");  // a hop is counted on the way into its switch
      add_link(leaves.back(), nic, rate, 0, node.mark, "nic");
    }
    if (leaves.size() > 1) wire_spines(leaves, fastest);
  }

  void wire_spines(const std::vector<Vertex>& leaves, double fastest_nic) {
    if (leaves.size() > static_cast<std::size_t>(cluster_.ports))
      throw InputError(cluster_.mark, "ports",
                       fmt::format("{} chips need {} leaves, but a spine has {} ports; use more ports",
                                   frozen_.first_chip.back(), leaves.size(), cluster_.ports));
    const double uplink =
        fastest_nic * cluster_.leaf_down_ports() / (cluster_.oversubscription.value * cluster_.leaf_up_ports());
    for (std::int32_t s = 0; s < cluster_.leaf_up_ports(); ++s) {
      const Vertex spine = add_vertex(VertexKind::kSpine, Tier::kScaleOut);
      for (const Vertex leaf : leaves)
        add_both(leaf, spine, uplink, cluster_.hop_latency.value, cluster_.mark, "fabric");
    }
  }

  // Component of every vertex; two vertices can reach each other where theirs are equal.
  template <class AnyGraph>
  std::vector<std::int32_t> components(const AnyGraph& graph) const {
    std::vector<std::int32_t> component(boost::num_vertices(graph_), -1);
    boost::strong_components(
        graph, boost::make_iterator_property_map(component.begin(), boost::get(boost::vertex_index, graph)));
    return component;
  }

  // Before pods and NICs exist: the chips of a node reach each other without them.
  void check_nodes_connected() const {
    const std::vector<std::int32_t> component = components(graph_);
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      for (Vertex chip = frozen_.first_chip[i]; chip < frozen_.first_chip[i + 1]; ++chip)
        if (component[index(chip)] != component[index(frozen_.first_chip[i])])
          throw InputError(nodes_[i]->mark, "scale_up",
                           fmt::format("chips 0 and {} of node '{}' have no link between them; groups need hosts",
                                       chip - frozen_.first_chip[i], nodes_[i]->name));
  }

  void check_connected() const {
    const std::vector<std::int32_t> component = components(graph_);
    for (const std::int32_t c : component) SILICAST_CHECK(c == component[0], "the fabric falls into parts");
  }

  FabricGraph freeze() {
    const std::size_t count = boost::num_vertices(graph_);
    for (std::size_t v = 0; v < count; ++v) frozen_.vertices.push_back(graph_[v]);
    for (const auto edge : boost::make_iterator_range(boost::edges(graph_))) frozen_.links.push_back(graph_[edge]);
    std::sort(frozen_.links.begin(), frozen_.links.end(), [](const FabricLink& a, const FabricLink& b) {
      return std::pair(a.from, a.to) < std::pair(b.from, b.to);
    });
    frozen_.in.resize(frozen_.links.size());
    std::iota(frozen_.in.begin(), frozen_.in.end(), 0);
    std::stable_sort(frozen_.in.begin(), frozen_.in.end(), [&](std::int32_t a, std::int32_t b) {
      return frozen_.links[index(a)].to < frozen_.links[index(b)].to;
    });
    frozen_.first_out.assign(count + 1, 0);
    frozen_.first_in.assign(count + 1, 0);
    for (const FabricLink& link : frozen_.links) {
      ++frozen_.first_out[index(link.from) + 1];
      ++frozen_.first_in[index(link.to) + 1];
    }
    std::partial_sum(frozen_.first_out.begin(), frozen_.first_out.end(), frozen_.first_out.begin());
    std::partial_sum(frozen_.first_in.begin(), frozen_.first_in.end(), frozen_.first_in.begin());
    return std::move(frozen_);
  }

  const std::vector<const NodeSpec*>& nodes_;
  const ClusterFabric& cluster_;
  Graph graph_;
  FabricGraph frozen_;
  std::int32_t pods_ = 0;
};

}  // namespace

FabricGraph build_fabric_graph(const std::vector<const NodeSpec*>& nodes, const ClusterFabric& cluster) {
  return Builder(nodes, cluster).build();
}

}  // namespace silicast
