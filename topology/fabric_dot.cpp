#include "topology/fabric_dot.hpp"

#include <fmt/format.h>

#include <map>

#include "sim/io/quantity_text.hpp"

namespace silicast {
namespace {

std::size_t at(std::int32_t i) {
  return static_cast<std::size_t>(i);
}

// What a vertex is drawn as part of.
struct Shape {
  std::string name;  // unique; of vertices drawn as one the same
  std::string label;
  VertexKind kind = VertexKind::kChip;
};

std::string plural(VertexKind kind) {
  const std::string one(name_of(kind));
  if (one.ends_with("leaf")) return one.substr(0, one.size() - 1) + "ves";
  return one + (one.ends_with("switch") ? "es" : "s");
}

// How much is drawn as one.
enum class Detail { kWhole, kNodes, kCabinets, kKinds };

class Drawing {
 public:
  explicit Drawing(const Fabric& fabric) : fabric_(fabric), node_of_(fabric.vertices().size(), -1) {
    for (std::int32_t chip = 0; chip < fabric.chips(); ++chip) node_of_[at(chip)] = fabric.node_of(chip);
    // Switches and hosts of a node, NICs: the node of any chip on them.
    for (const FabricLink& link : fabric.links())
      if (link.from < fabric.chips() && (kind(link.to) == VertexKind::kNodeSwitch ||
                                         kind(link.to) == VertexKind::kHost || kind(link.to) == VertexKind::kNic))
        node_of_[at(link.to)] = fabric.node_of(link.from);
    for (const FabricLink& link : fabric.links())
      if (kind(link.from) == VertexKind::kLeaf && kind(link.to) == VertexKind::kSpine)
        block_of_.emplace(link.to, link.from);  // the first leaf of the block
    number_vertices();
  }

  // The shapes of all vertices.
  std::vector<Shape> shapes(Detail detail) const {
    std::vector<Shape> shapes;
    for (std::int32_t v = 0; v < static_cast<std::int32_t>(node_of_.size()); ++v) shapes.push_back(shape(v, detail));
    return shapes;
  }

 private:
  VertexKind kind(std::int32_t v) const { return fabric_.vertices()[at(v)].kind; }

  // Numbers the vertices of each kind from 0.
  void number_vertices() {
    std::map<VertexKind, std::int32_t> next;
    for (const FabricVertex& vertex : fabric_.vertices()) number_.push_back(next[vertex.kind]++);
  }

  Shape shape(std::int32_t v, Detail detail) const {
    const FabricVertex& vertex = fabric_.vertices()[at(v)];
    const std::int32_t node = node_of_[at(v)];
    if (detail == Detail::kWhole) return shape_of_one(v);
    if (node >= 0) return shape_of_node(node, detail);
    if (vertex.kind == VertexKind::kCore || detail == Detail::kKinds)
      return {fmt::format("k{}", static_cast<int>(vertex.kind)), plural(vertex.kind), vertex.kind};
    if (vertex.kind == VertexKind::kSpine && detail == Detail::kCabinets)
      return {fmt::format("b{}", block_of_.at(v)), "spines", vertex.kind};
    return shape_of_one(v);
  }

  Shape shape_of_one(std::int32_t v) const {
    const FabricVertex& vertex = fabric_.vertices()[at(v)];
    std::string label = fmt::format("{} {}", name_of(vertex.kind), number_[at(v)]);
    if (vertex.switches > 1) label += fmt::format(" ({} switches)", vertex.switches);
    return {fmt::format("v{}", v), label, vertex.kind};
  }

  Shape shape_of_node(std::int32_t node, Detail detail) const {
    if (detail == Detail::kNodes) return {fmt::format("n{}", node), fmt::format("node {}", node), VertexKind::kChip};
    if (detail == Detail::kKinds) return {"nodes", "nodes", VertexKind::kChip};
    const std::int32_t chip = fabric_.first_chip(node);
    for (const std::int32_t above : fabric_.switches_above(chip, Tier::kPod))
      if (kind(above) != VertexKind::kNodeSwitch) return {fmt::format("c{}", above), "nodes", VertexKind::kChip};
    return {fmt::format("l{}", fabric_.leaf_of(chip)), "nodes", VertexKind::kChip};
  }

  const Fabric& fabric_;
  std::vector<std::int32_t> node_of_;              // -1: of no node
  std::map<std::int32_t, std::int32_t> block_of_;  // of a spine: the first leaf below it
  std::vector<std::int32_t> number_;               // of each vertex among those of its kind
};

std::string_view style_of(VertexKind kind) {
  switch (kind) {
    case VertexKind::kChip:
      return "shape=box, style=filled, fillcolor=\"#cfe2f3\"";
    case VertexKind::kNic:
      return "shape=ellipse, style=filled, fillcolor=\"#fff2cc\"";
    case VertexKind::kHost:
      return "shape=box, style=filled, fillcolor=\"#eeeeee\"";
    case VertexKind::kLeaf:
    case VertexKind::kSpine:
    case VertexKind::kCore:
      return "shape=box, style=\"rounded,filled\", fillcolor=\"#d9ead3\"";
    case VertexKind::kNodeSwitch:
    case VertexKind::kPodLeaf:
    case VertexKind::kPodSwitch:
      return "shape=box, style=\"rounded,filled\", fillcolor=\"#f4cccc\"";
  }
  return "";
}

// Vertices drawn as one, by what they stand for.
struct Merged {
  std::string label;
  VertexKind kind = VertexKind::kChip;
  std::int32_t chips = 0, nodes = 0, vertices = 0;
  std::int32_t first_node = 0;
};

std::string label_of(const Merged& merged, bool whole) {
  if (whole) return merged.label;
  if (merged.kind != VertexKind::kChip)
    return merged.vertices > 1 ? fmt::format("{} {}", merged.vertices, merged.label) : merged.label;
  if (merged.nodes > 1)
    return fmt::format("{} nodes from {}\\n{} chips", merged.nodes, merged.first_node, merged.chips);
  return fmt::format("{}\\n{} chips", merged.label, merged.chips);
}

std::map<std::string, Merged> merge(const Fabric& fabric, const std::vector<Shape>& shapes) {
  std::map<std::string, Merged> merged;
  for (std::size_t v = 0; v < shapes.size(); ++v) {
    Merged& one = merged[shapes[v].name];
    if (one.vertices == 0) one = {shapes[v].label, shapes[v].kind, 0, 0, 0, 0};
    ++one.vertices;
    const auto chip = static_cast<std::int32_t>(v);
    if (chip >= fabric.chips()) continue;
    ++one.chips;
    if (fabric.first_chip(fabric.node_of(chip)) != chip) continue;
    if (one.nodes++ == 0) one.first_node = fabric.node_of(chip);
  }
  return merged;
}

std::string edges_of(const Fabric& fabric, const std::vector<Shape>& shapes) {
  struct Bundle {
    std::int32_t links = 0;
    double capacity = 0;
  };
  std::map<std::pair<std::string, std::string>, Bundle> bundles;
  for (const FabricLink& link : fabric.links()) {
    const std::string &a = shapes[at(link.from)].name, &b = shapes[at(link.to)].name;
    if (link.from > link.to || a == b) continue;
    Bundle& bundle = bundles[{a, b}];
    ++bundle.links;
    bundle.capacity += link.capacity.value();
  }
  std::string text;
  for (const auto& [ends, bundle] : bundles)
    text += fmt::format("  {} -- {} [label=\"{}{}\"];\n", ends.first, ends.second,
                        bundle.links > 1 ? fmt::format("{} links, ", bundle.links) : "",
                        format_quantity(bundle.capacity, Dimension::kByteRate));
  return text;
}

}  // namespace

std::string dot_of(const Fabric& fabric, const std::string& name, std::size_t most_vertices) {
  const Drawing drawing(fabric);
  std::vector<Shape> shapes;
  std::map<std::string, Merged> merged;
  Detail detail = Detail::kWhole;
  for (const Detail tried : {Detail::kWhole, Detail::kNodes, Detail::kCabinets, Detail::kKinds}) {
    detail = tried;
    shapes = drawing.shapes(detail);
    merged = merge(fabric, shapes);
    if (merged.size() <= most_vertices) break;
  }
  std::string quoted;
  for (const char c : name) quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
  std::string text = fmt::format(
      "graph \"{}\" {{\n  label=\"{}: {} chips in {} nodes; rates one way\";\n  rankdir=LR;\n  ranksep=1;\n"
      "  node [fontname=\"sans-serif\", fontsize=10];\n  edge [fontname=\"sans-serif\", fontsize=8];\n",
      quoted, quoted, fabric.chips(), fabric.nodes());
  for (const auto& [id, one] : merged)
    text += fmt::format("  {} [label=\"{}\", {}];\n", id, label_of(one, detail == Detail::kWhole), style_of(one.kind));
  return text + edges_of(fabric, shapes) + "}\n";
}

}  // namespace silicast
