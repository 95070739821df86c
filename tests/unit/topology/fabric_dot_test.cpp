// The drawing of a fabric: whole where it is small, ever more collapsed where it is not.
#include "topology/fabric_dot.hpp"

#include "specs_for_tests.hpp"

namespace silicast {
namespace {

using Catch::Matchers::Contains;

Fabric of(const NodeSpec& node, std::size_t nodes, const ClusterFabric& cluster) {
  return Fabric::build(std::vector<const NodeSpec*>(nodes, &node), cluster);
}

NodeSpec pair_node() {
  NodeSpec node = node_of(Wiring::kSwitch, 2, 100e9, 1e-6);
  node.nic = link_of(10e9, 2e-6);
  return node;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Lines that draw a vertex: a label and a shape, and no edge.
std::size_t vertices_in(const std::string& text) {
  return count(text, ", shape=");
}

TEST_CASE("a small fabric is drawn whole, each cable once") {
  const Fabric fabric = of(pair_node(), 4, clos(4, 1, 0));
  const std::string text = dot_of(fabric, "small");
  CHECK(vertices_in(text) == fabric.vertices().size());
  CHECK(count(text, " -- ") == fabric.links().size() / 2);
  CHECK_THAT(text, Contains("graph \"small\" {") && Contains("8 chips in 4 nodes") && Contains("label=\"leaf 3\"") &&
                       Contains("[label=\"100 GB/s\"]"));
}

TEST_CASE("a larger one shows nodes, with the number and joint capacity of their links") {
  const Fabric fabric = of(pair_node(), 4, clos(4, 1, 0));
  const std::string text = dot_of(fabric, "nodes", fabric.vertices().size() - 1);
  CHECK(vertices_in(text) == 4 + 4 + 2);  // nodes, leaves, spines
  CHECK_THAT(text, Contains("node 3\\n2 chips") && Contains("2 links, 20.0 GB/s"));
}

TEST_CASE("8,192 chips are drawn as cabinets") {
  NodeSpec node = node_of(Wiring::kSwitch, 8, 840e9, 2e-6);
  node.pod = pod_of(1024, link_of(448e9, 4e-6));
  node.pod->levels = {level_of(8, 3e-6, 2), level_of(1024, 4e-6)};
  const std::string text = dot_of(of(node, 1024, single_switch(0)), "pod");
  CHECK(vertices_in(text) == 128 + 128 + 1);  // cabinets, their switches, what joins them
  CHECK_THAT(text, Contains("8 nodes from 1016\\n64 chips") && Contains("64 links, 28.7 TB/s"));
}

TEST_CASE("a fabric without cabinets is collapsed by leaves, at last to one vertex of each kind") {
  const Fabric fabric = of(pair_node(), 16, clos(8, 1, 0));
  CHECK(vertices_in(dot_of(fabric, "leaves", 18)) == 8 + 8 + 1);  // nodes of a leaf, leaves, all spines
  const std::string text = dot_of(fabric, "kinds", 4);
  CHECK(vertices_in(text) == 3);
  CHECK_THAT(text, Contains("16 nodes from 0\\n32 chips") && Contains("8 leaves") && Contains("4 spines"));
}

TEST_CASE("the name of a fabric cannot break its drawing") {
  CHECK_THAT(dot_of(of(pair_node(), 1, single_switch(0)), "a \"b\" \\"), Contains("graph \"a \\\"b\\\" \\\\\" {"));
}

}  // namespace
}  // namespace silicast
