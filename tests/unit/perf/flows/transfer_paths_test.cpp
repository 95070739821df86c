// The links that transfers between groups of chips take, against figures worked out by hand, and the max-flow.
#include "sim/perf/flows/transfer_paths.hpp"

#include <numeric>

#include "sim/base/random.hpp"
#include "tests/unit/topology/specs_for_tests.hpp"

namespace silicast {
namespace {

using Groups = std::vector<std::vector<std::int32_t>>;

// Groups of `size` consecutive chips.
Groups in_groups(const Fabric& fabric, std::int32_t size) {
  Groups groups;
  for (std::int32_t chip = 0; chip + size <= fabric.chips(); chip += size) {
    groups.emplace_back(static_cast<std::size_t>(size));
    std::iota(groups.back().begin(), groups.back().end(), chip);
  }
  return groups;
}

double narrowest(TransferPaths& paths, std::int32_t from, std::int32_t to) {
  double least = std::numeric_limits<double>::infinity();
  for (const std::int32_t link : paths.links(from, to))
    least = std::min(least, paths.capacities()[static_cast<std::size_t>(link)].value());
  return least;
}

NodeSpec node_with_nic(Wiring wiring, std::int32_t chips) {
  NodeSpec node = node_of(wiring, chips, 700, 1);
  node.nic = link_of(10, 2);
  return node;
}

TEST_CASE("groups of a mesh send over all of their links to each other, and no other") {
  const NodeSpec node = node_of(Wiring::kMesh, 8, 700, 1);
  TransferPaths paths(Fabric::build({&node}, single_switch(1)), {{0, 1}, {2, 3}, {4, 5, 6}});
  CHECK(paths.links(0, 1).size() == 1);
  CHECK(narrowest(paths, 0, 1) == 4 * 100);
  CHECK(narrowest(paths, 0, 2) == 6 * 100);
  CHECK(paths.latency(paths.links(0, 1)).value() == 1);
  CHECK(paths.links(1, 1).empty());
}

TEST_CASE("over a switch the smaller group is the narrower end") {
  const NodeSpec node = node_of(Wiring::kSwitch, 8, 700, 1);
  TransferPaths paths(Fabric::build({&node}, single_switch(1)), {{0, 1, 2, 3}, {4, 5}});
  CHECK(paths.links(0, 1).size() == 2);
  CHECK(narrowest(paths, 0, 1) == 2 * 700);
  CHECK(paths.latency(paths.links(0, 1)).value() == 1);
}

TEST_CASE("between nodes every chip of a group sends over its own NIC") {
  const NodeSpec node = node_with_nic(Wiring::kMesh, 4);
  const Fabric fabric = Fabric::build({&node, &node}, single_switch(1));
  TransferPaths paths(fabric, in_groups(fabric, 4));
  CHECK(paths.links(0, 1).size() == 4);  // NICs, switch, NICs, chips
  CHECK(narrowest(paths, 0, 1) == 4 * 10);
  CHECK(paths.latency(paths.links(0, 1)).value() == fabric.route(0, 4).latency.value());
}

TEST_CASE("an oversubscribed Clos is narrower above its leaves") {
  const NodeSpec node = node_with_nic(Wiring::kMesh, 4);
  const Fabric fabric = Fabric::build({&node, &node, &node, &node}, clos(6, 2, 1));
  TransferPaths paths(fabric, in_groups(fabric, 4));  // a node fills a leaf
  CHECK(narrowest(paths, 0, 3) == Approx(4 * 10 / 2.0));
}

TEST_CASE("rails that a group spreads over are taken together") {
  NodeSpec node = node_with_nic(Wiring::kSwitch, 4);
  ClusterFabric rails = clos(8, 1, 1);
  rails.rails = true;
  const Fabric fabric = Fabric::build(std::vector<const NodeSpec*>(8, &node), rails);
  TransferPaths paths(fabric, in_groups(fabric, 4));
  CHECK(narrowest(paths, 0, 7) == 4 * 10);
}

TEST_CASE("chips of one pod reach each other over the pod, others over NICs") {
  NodeSpec node = node_with_nic(Wiring::kSwitch, 4);
  node.pod.emplace();
  node.pod->nodes = 2;
  node.pod->link = link_of(300, 5);
  const Fabric fabric = Fabric::build({&node, &node, &node, &node}, single_switch(1));
  TransferPaths paths(fabric, in_groups(fabric, 2));
  CHECK(narrowest(paths, 0, 1) == 2 * 700);
  CHECK(narrowest(paths, 0, 2) == 2 * 300);
  CHECK(narrowest(paths, 0, 4) == 2 * 10);
}

TEST_CASE("groups under hosts reach each other over these, whichever hosts they have") {
  NodeSpec node = node_with_nic(Wiring::kGroups, 16);
  node.scale_up.group = 4;
  node.scale_up.hosts = HostLinks{1, link_of(32, 3), link_of(24, 4.5)};  // four hosts
  const Fabric fabric = Fabric::build({&node, &node}, single_switch(1));
  TransferPaths fours(fabric, in_groups(fabric, 4));
  CHECK(fours.links(0, 3).size() == 3);  // host, host, chips
  CHECK(narrowest(fours, 0, 3) == 4 * 24);
  CHECK(narrowest(fours, 0, 4) == 4 * 10);
  TransferPaths wholes(fabric, in_groups(fabric, 16));
  CHECK(narrowest(wholes, 0, 1) == 16 * 10);
}

TEST_CASE("alone on the fabric, two whole nodes exchange what the max-flow says, in random fabrics") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    RandomStream draw(seed, "paths");
    NodeSpec node = node_with_nic(draw.below(2) == 0 ? Wiring::kMesh : Wiring::kSwitch, 4);
    node.nic = link_of(1e10, 2);
    ClusterFabric cluster = draw.below(2) == 0 ? single_switch(1) : clos(12, 1 + static_cast<double>(draw.below(3)), 1);
    cluster.rails = cluster.kind != FabricKind::kSingleSwitch && draw.below(2) == 0;
    const Fabric fabric = Fabric::build(std::vector<const NodeSpec*>(2 + draw.below(7), &node), cluster);
    TransferPaths paths(fabric, in_groups(fabric, 4));
    const auto to = static_cast<std::int32_t>(1 + draw.below(static_cast<std::uint64_t>(paths.groups() - 1)));
    std::vector<std::int8_t> marks(fabric.vertices().size(), 0);
    for (std::int32_t chip = 0; chip < fabric.chips(); ++chip)
      marks[static_cast<std::size_t>(chip)] = chip < 4 ? 1 : chip / 4 == to ? 2 : -1;
    INFO("seed " << seed << ", to node " << to);
    const double most = max_flow(fabric.graph(), marks).value();
    CHECK(narrowest(paths, 0, to) > most * (1 - 1e-6));
    // Leaves that share a node are taken together, though it may have more of its chips on one of them.
    const bool straddles = cluster.kind == FabricKind::kClos2 && !cluster.rails && cluster.leaf_down_ports() % 4 != 0;
    if (!straddles) CHECK(narrowest(paths, 0, to) == Approx(most).epsilon(1e-6));
  }
}

}  // namespace
}  // namespace silicast
