// Rails, three levels of switches and bisections against figures worked out by hand.
#include <chrono>
#include <set>

#include "specs_for_tests.hpp"
#include "topology/bisection.hpp"

namespace silicast {
namespace {

// Two chips to a node, NICs of 10.
NodeSpec pair_node() {
  NodeSpec node = node_of(Wiring::kSwitch, 2, 100, 1e-6);
  node.nic = link_of(10, 2e-6);
  return node;
}

ClusterFabric railed(ClusterFabric cluster) {
  cluster.rails = true;
  return cluster;
}

ClusterFabric clos3(int ports, double oversubscription, double hop) {
  ClusterFabric cluster = clos(ports, oversubscription, hop);
  cluster.kind = FabricKind::kClos3;
  return cluster;
}

Fabric of(const NodeSpec& node, std::size_t nodes, const ClusterFabric& cluster) {
  return Fabric::build(std::vector<const NodeSpec*>(nodes, &node), cluster);
}

std::size_t count(const Fabric& fabric, VertexKind kind) {
  std::size_t found = 0;
  for (const FabricVertex& vertex : fabric.vertices()) found += vertex.kind == kind;
  return found;
}

TEST_CASE("on rails the same chips of a group of nodes share a leaf, and reach each other over one switch") {
  // Leaves of two NICs: nodes 0 and 1 are a group with leaves for their chips 0 and 1, nodes 2 and 3 the next.
  const NodeSpec node = pair_node();
  const Fabric fabric = of(node, 4, railed(clos(4, 1, 0.5e-6)));
  CHECK(count(fabric, VertexKind::kLeaf) == 4);
  CHECK(fabric.leaf_of(0) == fabric.leaf_of(2));
  CHECK(fabric.leaf_of(1) == fabric.leaf_of(3));
  CHECK(fabric.leaf_of(0) != fabric.leaf_of(1));
  CHECK(fabric.leaf_of(0) != fabric.leaf_of(4));
  CHECK(fabric.route(0, 2).latency.value() == Approx(2.5e-6));
  CHECK(fabric.route(0, 3).latency.value() == Approx(3.5e-6));  // another rail: over a spine
  CHECK(fabric.route(0, 4).latency.value() == Approx(3.5e-6));
  const std::vector<std::int32_t> rail{0, 2}, across{0, 3};
  CHECK(fabric.group(rail).ring.value() == 10);
  CHECK(fabric.group(rail).links == 8);
  CHECK(fabric.group(across).links == 12);
}

TEST_CASE("rails keep their rate where spines are oversubscribed, crossing rails does not") {
  // Leaves of three NICs and an uplink of 10: a group of three nodes.
  const NodeSpec node = pair_node();
  const Fabric fabric = of(node, 3, railed(clos(4, 3, 0)));
  const std::vector<std::int32_t> rail{0, 2, 4}, all{0, 1, 2, 3, 4, 5};
  CHECK(fabric.group(rail).all_to_all.value() == Approx(10));
  // Each of a leaf's three chips sends two flows to the other rail on other nodes: six over 10.
  CHECK(fabric.group(all).all_to_all.value() == Approx(5 * 10.0 / 6));
  CHECK(fabric.group(all).rail.value() == 10);
}

TEST_CASE("nodes of unlike size stand on as many rails as the larger has chips") {
  const NodeSpec pair = pair_node();
  NodeSpec four = node_of(Wiring::kSwitch, 4, 100, 1e-6, "four");
  four.nic = link_of(10, 2e-6);
  const Fabric fabric = Fabric::build({&pair, &four}, railed(clos(8, 1, 0)));
  CHECK(count(fabric, VertexKind::kLeaf) == 4);
  CHECK(fabric.leaf_of(0) == fabric.leaf_of(2));
}

TEST_CASE("three levels join blocks of leaves by planes of cores, at their full rate") {
  // Four ports: leaves of two NICs, blocks of two leaves and two spines, two cores to each of two planes.
  const NodeSpec node = pair_node();
  const Fabric fabric = of(node, 4, clos3(4, 1, 0.5e-6));
  CHECK(count(fabric, VertexKind::kLeaf) == 4);
  CHECK(count(fabric, VertexKind::kSpine) == 4);
  CHECK(count(fabric, VertexKind::kCore) == 4);
  CHECK(fabric.route(0, 2).links.size() == 6);
  CHECK(fabric.route(0, 4).links.size() == 8);
  CHECK(fabric.route(0, 4).latency.value() == Approx(2e-6 + 5 * 0.5e-6));
  CHECK(fabric.route(0, 4).bandwidth.value() == 10);
  CHECK(bisect_cluster(fabric).rate.value() == 40);
  // Every core is on some route.
  std::set<std::int32_t> cores;
  for (std::int32_t a = 0; a < 8; ++a)
    for (std::int32_t b = 0; b < 8; ++b)
      for (const std::int32_t l : fabric.route(a, b).links)
        if (fabric.vertices()[static_cast<std::size_t>(fabric.links()[static_cast<std::size_t>(l)].to)].kind ==
            VertexKind::kCore)
          cores.insert(fabric.links()[static_cast<std::size_t>(l)].to);
  CHECK(cores.size() == 4);
}

TEST_CASE("chips that one block holds need no cores") {
  const NodeSpec node = pair_node();
  CHECK(count(of(node, 2, clos3(4, 1, 0)), VertexKind::kCore) == 0);
}

TEST_CASE("more chips than the levels hold are refused with what would hold them") {
  const NodeSpec node = pair_node();
  CHECK(message_of([&] { of(node, 5, clos(4, 1, 0)); }) ==
        "s.yaml:1:1: ports: 10 chips need 5 leaves, but a spine has 4 ports; use more ports or kind: clos3");
  CHECK(message_of([&] { of(node, 8, clos3(4, 1, 0)); }) == "");
  CHECK(message_of([&] { of(node, 9, clos3(4, 1, 0)); }) ==
        "s.yaml:1:1: ports: 18 chips need 9 leaves, but three levels of 4 ports hold 8; use more ports");
}

TEST_CASE("the bisection of a Clos is that of its NICs over the oversubscription, by hand and by max-flow") {
  const NodeSpec node = pair_node();
  CHECK(bisect_cluster(of(node, 8, single_switch(0))).rate.value() == 8 * 10);
  CHECK(bisect_cluster(of(node, 8, clos(16, 1, 0))).rate.value() == 8 * 10);
  // Leaves of three NICs over one uplink of 10: chips 0-2, 3-5, 6-8, 9-11; the cut runs between leaves.
  CHECK(bisect_cluster(of(node, 6, clos(4, 3, 0))).rate.value() == 2 * 10);
  // Chips 0-2 and 3-5 of three nodes against 6 and 7 of one: the latter's NICs would take 20, their leaf's uplink 10.
  CHECK(bisect_cluster(of(node, 4, clos(4, 3, 0))).chips == 4);
  // Chip 3 shares its leaf with 4 and 5 of the other half: it sends 10 there, and the leaves' uplinks 10 each beyond.
  CHECK(bisect_cluster(of(node, 4, clos(4, 3, 0))).rate.value() == 10 + 10);
}

TEST_CASE("routes of 8,192 chips cost microseconds, and their fabric builds in under two seconds") {
  NodeSpec node = node_of(Wiring::kSwitch, 8, 840e9, 2e-6);
  node.pod = pod_of(1024, link_of(448e9, 4e-6));
  node.pod->levels = {level_of(8, 3e-6, 2), level_of(1024, 4e-6)};
  const auto start = std::chrono::steady_clock::now();
  const Fabric fabric = of(node, 1024, single_switch(0));
  const auto built = std::chrono::steady_clock::now();
  CHECK(fabric.chips() == 8192);
  CHECK(fabric.pod_of(8191) == 0);
  double hops = 0;
  for (std::int32_t i = 0; i < 100000; ++i)
    hops += static_cast<double>(fabric.route(i * 37 % 8192, (i * 101 + 4000) % 8192).links.size());
  const std::chrono::duration<double> build = built - start, routes = std::chrono::steady_clock::now() - built;
  CHECK(hops > 200000);
  CHECK(build.count() < 2);
  CHECK(routes.count() < 100000 * 20e-6);
}

}  // namespace
}  // namespace silicast
