// Puts the fabric together; Boost.Graph checks that everybody can reach everybody, and finds what a cut carries.
#include "topology/fabric_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/push_relabel_max_flow.hpp>
#include <boost/graph/strong_components.hpp>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/base/errors.hpp"
#include "topology/fabric_draft.hpp"

namespace silicast {
namespace {

std::size_t at(std::int32_t i) {
  return static_cast<std::size_t>(i);
}

// Component of every vertex; two vertices can reach each other where theirs are equal.
std::vector<std::int32_t> components(const FabricGraph& fabric) {
  boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS> graph(fabric.vertices.size());
  for (const FabricLink& link : fabric.links) boost::add_edge(at(link.from), at(link.to), graph);
  std::vector<std::int32_t> component(fabric.vertices.size(), -1);
  boost::strong_components(
      graph, boost::make_iterator_property_map(component.begin(), boost::get(boost::vertex_index, graph)));
  return component;
}

// Before pods and NICs exist: the chips of a node reach each other without them.
void check_nodes_connected(const FabricDraft& draft) {
  const std::vector<std::int32_t> component = components(draft.graph());
  for (std::size_t i = 0; i < draft.nodes().size(); ++i)
    for (std::int32_t chip = draft.first_chip(i); chip < draft.first_chip(i + 1); ++chip)
      if (component[at(chip)] != component[at(draft.first_chip(i))])
        throw InputError(draft.nodes()[i]->mark, "scale_up",
                         fmt::format("chips 0 and {} of node '{}' have no link between them; groups need hosts",
                                     chip - draft.first_chip(i), draft.nodes()[i]->name));
}

}  // namespace

std::string_view name_of(VertexKind kind) {
  static constexpr std::array<std::string_view, 9> kNames{"chip", "node switch", "host",  "pod leaf", "pod switch",
                                                          "NIC",  "leaf",        "spine", "core"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::int32_t FabricGraph::link_between(std::int32_t a, std::int32_t b) const {
  const auto from = links.begin() + first_out[at(a)], end = links.begin() + first_out[at(a) + 1];
  const auto found = std::lower_bound(from, end, b, [](const FabricLink& link, std::int32_t v) { return link.to < v; });
  return found != end && found->to == b ? static_cast<std::int32_t>(found - links.begin()) : -1;
}

FabricGraph build_fabric_graph(const std::vector<const NodeSpec*>& nodes, const ClusterFabric& cluster) {
  FabricDraft draft(nodes, cluster);
  wire_nodes(draft);
  check_nodes_connected(draft);
  wire_pods(draft);
  if (draft.pods() > 1) wire_scale_out(draft);
  FabricGraph graph = draft.freeze();
  for (const std::int32_t c : components(graph)) SILICAST_CHECK(c == 0, "the fabric falls into parts");
  return graph;
}

BytesPerSecond max_flow(const FabricGraph& fabric, const std::vector<std::int8_t>& marks) {
  using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
  using Edge = Traits::edge_descriptor;
  struct Pipe {
    std::int64_t capacity = 0, residual = 0;
    Edge reverse;
  };
  boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property, Pipe> graph(
      fabric.vertices.size() + 2);
  const std::size_t source = fabric.vertices.size(), sink = source + 1;
  const auto join = [&](std::size_t a, std::size_t b, std::int64_t there, std::int64_t back) {
    const Edge forth = boost::add_edge(a, b, {there, 0, {}}, graph).first;
    const Edge reverse = boost::add_edge(b, a, {back, 0, {}}, graph).first;
    graph[forth].reverse = reverse;
    graph[reverse].reverse = forth;
  };
  const auto whole = [](BytesPerSecond rate) { return static_cast<std::int64_t>(std::llround(rate.value())); };
  // What a chip can send at all bounds the pipe from the source to it.
  std::vector<std::int64_t> out(fabric.vertices.size(), 0);
  for (std::size_t l = 0; l < fabric.links.size(); ++l) {
    const FabricLink& link = fabric.links[l];
    if (marks[at(link.from)] < 0 || marks[at(link.to)] < 0) continue;
    out[at(link.from)] += whole(link.capacity);
    if (link.from < link.to)
      join(at(link.from), at(link.to), whole(link.capacity), whole(fabric.links[at(fabric.reverse[l])].capacity));
  }
  for (std::size_t v = 0; v < out.size(); ++v) {
    if (marks[v] == 1) join(source, v, out[v], 0);
    if (marks[v] == 2) join(v, sink, out[v], 0);
  }
  return BytesPerSecond(
      static_cast<double>(boost::push_relabel_max_flow(graph, source, sink,
                                                       boost::capacity_map(boost::get(&Pipe::capacity, graph))
                                                           .residual_capacity_map(boost::get(&Pipe::residual, graph))
                                                           .reverse_edge_map(boost::get(&Pipe::reverse, graph))
                                                           .vertex_index_map(boost::get(boost::vertex_index, graph)))));
}

}  // namespace silicast
