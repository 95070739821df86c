// The levels of a pod against figures worked out by hand.
#include "specs_for_tests.hpp"
#include "topology/bisection.hpp"

namespace silicast {
namespace {

std::vector<std::int32_t> range(std::int32_t first, std::int32_t count, std::int32_t stride = 1) {
  std::vector<std::int32_t> chips;
  for (std::int32_t i = 0; i < count; ++i) chips.push_back(first + i * stride);
  return chips;
}

// Two chips to a node at 100, 40 each to the pod of `nodes`.
NodeSpec node_with(std::int32_t nodes, std::vector<PodLevel> levels) {
  NodeSpec node = node_of(Wiring::kSwitch, 2, 100, 1e-6);
  node.pod = pod_of(nodes, link_of(40, 5e-6));
  node.pod->levels = std::move(levels);
  return node;
}

Fabric of(const NodeSpec& node, std::size_t nodes) {
  return Fabric::build(std::vector<const NodeSpec*>(nodes, &node), single_switch(0));
}

TEST_CASE("a pod of one level is what a pod without levels is") {
  const NodeSpec plain = node_with(4, {}), one = node_with(4, {level_of(4, 5e-6)});
  const Fabric a = of(plain, 4), b = of(one, 4);
  CHECK(a.links().size() == b.links().size());
  const std::vector<std::int32_t> ranks = range(0, 8);
  CHECK(a.group(ranks).all_to_all == b.group(ranks).all_to_all);
  CHECK(a.group(ranks).latency == b.group(ranks).latency);
}

TEST_CASE("cabinets share what goes on to the rest of the pod") {
  // Cabinets of two nodes (four chips), half of whose rate goes on: 4 * 40 / 2 = 80.
  const NodeSpec node = node_with(8, {level_of(2, 3e-6, 2), level_of(8, 5e-6)});
  const Fabric fabric = of(node, 8);
  CHECK(fabric.route(0, 1).bandwidth.value() == 100);
  CHECK(fabric.route(0, 2).bandwidth.value() == 40);
  CHECK(fabric.route(0, 2).latency.value() == Approx(3e-6));
  CHECK(fabric.route(0, 4).links.size() == 4);
  CHECK(fabric.route(0, 4).bandwidth.value() == 40);
  CHECK(fabric.route(0, 4).latency.value() == Approx(5e-6));
  // A cabinet's four chips send four flows each to the other cabinet: 16 over 80.
  CHECK(fabric.group(range(0, 8)).all_to_all.value() == Approx(7 * 80.0 / 16));
  CHECK(fabric.group(range(0, 4)).all_to_all.value() == Approx(3 * 40.0 / 2));
  CHECK(fabric.group(range(0, 8)).narrowest.value() == 40);
}

TEST_CASE("a first level of one node is the node's own switch, whose ports serve node and pod") {
  NodeSpec node = node_with(4, {level_of(1, 1e-6), level_of(4, 5e-6)});
  node.pod->levels[0].switches = 7;
  const Fabric fabric = of(node, 4);
  CHECK(fabric.vertices()[8].switches == 7);
  CHECK(fabric.switches_above(0, Tier::kPod) == std::vector<std::int32_t>{8, 12});
  CHECK(fabric.route(0, 1).latency.value() == Approx(1e-6));
  CHECK(fabric.route(0, 7).latency.value() == Approx(5e-6));
  CHECK(fabric.route(0, 7).bandwidth.value() == 80);  // what the node's two chips have together
  // One flow of seven stays in the node. Twelve leave it over its 80, which binds before seven over a chip's 100.
  CHECK(fabric.group(range(0, 8)).all_to_all.value() == Approx(7 * 80.0 / 12));
}

TEST_CASE("a pod that fits under one group of its first level has nothing above it") {
  const NodeSpec node = node_with(8, {level_of(2, 3e-6, 2), level_of(8, 5e-6)});
  const Fabric fabric = of(node, 2);
  CHECK(fabric.vertices().size() == 4 + 2 + 1);
  CHECK(fabric.route(0, 2).latency.value() == Approx(3e-6));
}

TEST_CASE("three levels pass on what is left of a chip's rate") {
  const NodeSpec node = node_with(16, {level_of(2, 2e-6, 2), level_of(4, 3e-6, 5), level_of(16, 5e-6)});
  const Fabric fabric = of(node, 16);
  CHECK(fabric.route(0, 31).links.size() == 6);
  CHECK(fabric.route(0, 31).latency.value() == Approx(5e-6));
  CHECK(fabric.route(0, 31).bandwidth.value() == Approx(8 * 40.0 / 10));
}

TEST_CASE("the bisection of a pod is the narrowest of its levels, by hand and by max-flow") {
  const NodeSpec plain = node_with(8, {}), node = node_with(8, {level_of(2, 3e-6, 2), level_of(8, 5e-6)});
  CHECK(bisect_pod(of(plain, 8), 0).rate.value() == 8 * 40);
  CHECK(bisect_pod(of(node, 8), 0).rate.value() == 2 * 80);
  CHECK(bisect_pod(of(node, 8), 0).chips == 8);
  CHECK(bisect_cluster(of(node, 8)).rate.value() == 2 * 80);
  // Five nodes: two, all of the first cabinet, against three.
  CHECK(bisect_pod(of(node, 5), 0).rate.value() == 80);
  CHECK(bisect_pod(of(node, 5), 0).chips == 4);
  // One node: its two chips over its own switch.
  CHECK(bisect_pod(of(node, 1), 0).rate.value() == 100);
}

}  // namespace
}  // namespace silicast
