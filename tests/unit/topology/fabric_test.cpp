// Routes and group rates against figures worked out by hand, and the errors of building a fabric.
#include "topology/fabric.hpp"

#include <chrono>
#include <numeric>

#include "specs_for_tests.hpp"

namespace silicast {
namespace {

std::vector<std::int32_t> range(std::int32_t first, std::int32_t count, std::int32_t stride = 1) {
  std::vector<std::int32_t> chips;
  for (std::int32_t i = 0; i < count; ++i) chips.push_back(first + i * stride);
  return chips;
}

Fabric alone(const NodeSpec& node) {
  return Fabric::build({&node}, single_switch(1e-6));
}

// Chips 0 to 3 and 4 to 7 in meshes of one host, 8 to 15 the same on a second host; figures of the Atlas 350
// server.
NodeSpec grouped_node() {
  NodeSpec node = node_of(Wiring::kGroups, 16, 159e9, 1.5e-6);
  node.scale_up.group = 4;
  node.scale_up.hosts = HostLinks{2, link_of(32e9, 3e-6), link_of(24e9, 4.5e-6)};
  return node;
}

NodeSpec pair_node() {
  NodeSpec node = node_of(Wiring::kSwitch, 2, 100, 1e-6);
  node.nic = link_of(10, 2e-6);
  return node;
}

TEST_CASE("a mesh divides a chip's bandwidth among its links") {
  const Fabric fabric = alone(node_of(Wiring::kMesh, 8, 196e9, 0.5e-6));
  const Route route = fabric.route(2, 5);
  CHECK(route.links.size() == 1);
  CHECK(route.bandwidth.value() == Approx(28e9));
  CHECK(route.latency.value() == Approx(0.5e-6));

  const GroupLinks eight = fabric.group(range(0, 8));
  CHECK(eight.all_to_all.value() == Approx(196e9));
  CHECK(eight.ring.value() == Approx(28e9));
  CHECK(eight.latency.value() == Approx(0.5e-6));
  // Four of eight use three of a chip's seven links.
  CHECK(fabric.group(range(4, 4)).all_to_all.value() == Approx(3 * 28e9));
  CHECK(fabric.group(range(0, 2)).all_to_all.value() == Approx(28e9));
}

TEST_CASE("a switch gives every rank its full bandwidth whatever the group") {
  const Fabric fabric = alone(node_of(Wiring::kSwitch, 8, 450e9, 1e-6));
  for (const std::int32_t size : {2, 4, 8}) {
    const GroupLinks group = fabric.group(range(0, size));
    CHECK(group.all_to_all.value() == Approx(450e9));
    CHECK(group.ring.value() == Approx(450e9));
  }
  const Route route = fabric.route(0, 7);
  CHECK(route.links.size() == 2);
  CHECK(route.latency.value() == Approx(1e-6));
}

TEST_CASE("groups talk through their hosts") {
  const NodeSpec node = grouped_node();
  const Fabric fabric = alone(node);
  CHECK(fabric.route(0, 3).bandwidth.value() == Approx(53e9));
  CHECK(fabric.route(0, 3).latency.value() == Approx(1.5e-6));
  CHECK(fabric.route(0, 4).links.size() == 2);
  CHECK(fabric.route(0, 4).bandwidth.value() == Approx(32e9));
  CHECK(fabric.route(0, 4).latency.value() == Approx(3e-6));
  CHECK(fabric.route(0, 15).links.size() == 3);
  // Neither of the two hosts is above the other.
  for (const std::size_t host : {std::size_t{16}, std::size_t{17}})
    CHECK(fabric.graph().first_up[host] == fabric.graph().first_out[host + 1]);
  CHECK(fabric.route(0, 15).latency.value() == Approx(4.5e-6));
  CHECK(fabric.group(range(0, 4)).all_to_all.value() == Approx(159e9));
  // Two groups of a host: each chip sends four flows over its 32 GB/s, so 8 GB/s each of seven.
  CHECK(fabric.group(range(0, 8)).all_to_all.value() == Approx(7 * 8e9));
  // Two hosts: twelve flows over 32 GB/s (2.67) bind before 64 flows over 8 x 24 GB/s (3).
  CHECK(fabric.group(range(0, 16)).all_to_all.value() == Approx(15 * 32e9 / 12));
  CHECK(fabric.group(range(0, 16)).ring.value() == Approx(32e9));
  // All chips of a host to those of the other, pairwise in a ring that crosses with every hop.
  std::vector<std::int32_t> zigzag;
  for (std::int32_t i = 0; i < 8; ++i) zigzag.insert(zigzag.end(), {i, 8 + i});
  CHECK(fabric.group(zigzag).ring.value() == Approx(24e9));
}

TEST_CASE("a lone rank exchanges nothing") {
  const Fabric fabric = alone(node_of(Wiring::kMesh, 8, 196e9, 0.5e-6));
  const GroupLinks group = fabric.group(range(3, 1));
  CHECK(std::isinf(group.all_to_all.value()));
  CHECK(std::isinf(group.ring.value()));
  CHECK(group.latency.value() == 0);
  CHECK(group.within_node);
  CHECK(fabric.route(3, 3).links.empty());
}

TEST_CASE("a non-blocking Clos gives every NIC its rate") {
  const NodeSpec node = pair_node();
  // Leaves of two NICs and two uplinks of 10 each: four nodes, four leaves, two spines.
  const Fabric fabric = Fabric::build({&node, &node, &node, &node}, clos(4, 1, 0.5e-6));
  CHECK(fabric.chips() == 8);
  CHECK(fabric.nodes() == 4);
  // NIC 2 us, three switches of 0.5 us.
  CHECK(fabric.route(0, 7).latency.value() == Approx(3.5e-6));
  CHECK(fabric.route(0, 7).links.size() == 6);
  CHECK(fabric.route(0, 7).bandwidth.value() == Approx(10));
  // One chip of each node: three flows over each NIC.
  CHECK(fabric.group(range(0, 4, 2)).all_to_all.value() == Approx(10));
  CHECK(fabric.group(range(0, 4, 2)).ring.value() == Approx(10));
  // All eight: six flows over each NIC, six over each uplink; the seventh stays in the node.
  CHECK(fabric.group(range(0, 8)).all_to_all.value() == Approx(7 * 10.0 / 6));
}

TEST_CASE("ranks that fill nodes alike know their ring within the node and their rails between nodes") {
  const NodeSpec node = pair_node();
  const Fabric fabric = Fabric::build({&node, &node, &node, &node}, single_switch(0.5e-6));
  const GroupLinks all = fabric.group(range(0, 8));
  CHECK(all.per_node == 2);
  CHECK(all.inner_ring.value() == Approx(100));
  CHECK(all.inner_latency.value() == Approx(1e-6));
  CHECK(all.rail.value() == Approx(10));  // each chip has a NIC of its own
  CHECK(all.ring.value() == Approx(10));
  CHECK(fabric.group(range(2, 4)).per_node == 2);
  for (const std::vector<std::int32_t>& chips :
       {range(0, 2), range(0, 4, 2), {0, 1, 2}, {0, 2, 1, 3}, {0, 1, 2, 4}, {1, 2, 3, 4}})
    CHECK(fabric.group(chips).per_node == 0);
}

TEST_CASE("an oversubscribed Clos binds at the leaf") {
  const NodeSpec node = pair_node();
  // Leaves of three NICs and one uplink of 10 * 3 / 3: {0 1 2} {3 4 5} {6 7}.
  const Fabric fabric = Fabric::build({&node, &node, &node, &node}, clos(4, 3, 0.5e-6));
  // Chips 0, 1 and 2 send five flows each out of their leaf, but 2 to 3 stays in the node: 14 over one
  // uplink.
  CHECK(fabric.group(range(0, 8)).all_to_all.value() == Approx(7 * 10.0 / 14));
  CHECK(fabric.route(0, 2).latency.value() == Approx(2.5e-6));
  CHECK(fabric.route(0, 4).latency.value() == Approx(3.5e-6));
}

TEST_CASE("the uplinks of a leaf carry exactly its NICs over the oversubscription") {
  for (const double over : {1.0, 1.5, 2.0, 3.0, 7.0}) {
    NodeSpec node = pair_node();
    const ClusterFabric cluster = clos(16, over, 0);
    const std::vector<const NodeSpec*> nodes(20, &node);
    const Fabric fabric = Fabric::build(nodes, cluster);
    std::vector<double> uplinks(fabric.vertices().size(), 0);
    for (const FabricLink& link : fabric.links())
      if (fabric.vertices()[static_cast<std::size_t>(link.to)].kind == VertexKind::kSpine)
        uplinks[static_cast<std::size_t>(link.from)] += link.capacity.value();
    for (std::size_t v = 0; v < uplinks.size(); ++v) {
      if (fabric.vertices()[v].kind == VertexKind::kLeaf)
        CHECK(uplinks[v] == Approx(10 * cluster.leaf_down_ports() / over));
    }
  }
}

TEST_CASE("a pod joins as many equal nodes as it holds") {
  NodeSpec node = node_of(Wiring::kSwitch, 2, 100, 1e-6);
  node.nic = link_of(10, 2e-6);
  node.pod = pod_of(2, link_of(50, 3e-6));
  const Fabric fabric = Fabric::build({&node, &node, &node}, single_switch(0.5e-6));
  CHECK(fabric.pod_of(0) == fabric.pod_of(3));
  CHECK(fabric.pod_of(3) != fabric.pod_of(4));
  CHECK(fabric.route(0, 2).bandwidth.value() == Approx(50));
  CHECK(fabric.route(0, 2).latency.value() == Approx(3e-6));
  CHECK(fabric.route(0, 4).bandwidth.value() == Approx(10));
  CHECK(fabric.route(0, 4).latency.value() == Approx(2.5e-6));

  const std::vector<std::int32_t> in_node{0, 1}, in_pod{1, 2}, beyond{0, 5};
  CHECK(fabric.group(in_node).within_node);
  CHECK_FALSE(fabric.group(in_pod).within_node);
  CHECK(fabric.group(in_pod).within_pod);
  CHECK_FALSE(fabric.group(beyond).within_pod);
}

TEST_CASE("nodes of another name do not join a pod") {
  NodeSpec a = node_of(Wiring::kSwitch, 2, 100, 1e-6);
  a.nic = link_of(10, 2e-6);
  a.pod = pod_of(8, link_of(50, 3e-6));
  NodeSpec b = a;
  b.name = "other";
  const Fabric fabric = Fabric::build({&a, &b, &b}, single_switch(0));
  CHECK(fabric.pod_of(0) != fabric.pod_of(2));
  CHECK(fabric.pod_of(2) == fabric.pod_of(4));
}

TEST_CASE("one pod needs no NICs") {
  NodeSpec node = node_of(Wiring::kSwitch, 2, 100, 1e-6);
  node.pod = pod_of(2, link_of(50, 3e-6));
  CHECK(Fabric::build({&node, &node}, single_switch(0)).route(0, 3).bandwidth.value() == Approx(50));
}

TEST_CASE("every route is a chain of links in one tier that passes no third chip") {
  NodeSpec node = grouped_node();
  node.nic = link_of(10e9, 2e-6);
  node.pod = pod_of(2, link_of(50e9, 3e-6));
  const Fabric fabric = Fabric::build({&node, &node, &node, &node}, clos(16, 2, 1e-6));
  for (std::int32_t a = 0; a < fabric.chips(); ++a) {
    for (std::int32_t b = 0; b < fabric.chips(); ++b) {
      if (a == b) continue;
      const Tier tier = fabric.node_of(a) == fabric.node_of(b) ? Tier::kNode
                        : fabric.pod_of(a) == fabric.pod_of(b) ? Tier::kPod
                                                               : Tier::kScaleOut;
      std::int32_t v = a;
      bool good = true;
      for (const std::int32_t l : fabric.route(a, b).links) {
        const FabricLink& link = fabric.links()[static_cast<std::size_t>(l)];
        const FabricVertex& to = fabric.vertices()[static_cast<std::size_t>(link.to)];
        good = good && link.from == v && (link.to == b || (to.kind != VertexKind::kChip && to.tier == tier));
        v = link.to;
      }
      if (!good || v != b) FAIL_CHECK("route " << a << " to " << b);
    }
  }
}

TEST_CASE("group rates follow from the routes, counted one by one") {
  NodeSpec node = grouped_node();
  node.nic = link_of(10e9, 2e-6);
  const Fabric fabric = Fabric::build({&node, &node, &node}, clos(12, 2, 1e-6));
  const std::vector<std::int32_t> ranks{5, 0, 17, 40, 3, 4, 33, 9, 16, 47, 31};
  std::vector<double> pairs(fabric.links().size()), ring(fabric.links().size());
  double latency = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    for (const std::int32_t b : ranks) {
      const Route route = fabric.route(ranks[i], b);
      for (const std::int32_t l : route.links) {
        ++pairs[static_cast<std::size_t>(l)];
        ring[static_cast<std::size_t>(l)] += b == ranks[(i + 1) % ranks.size()];
      }
      latency = std::max(latency, route.latency.value());
    }
  }
  double pair_rate = 1e30, ring_rate = 1e30;
  for (std::size_t l = 0; l < pairs.size(); ++l) {
    const double capacity = fabric.links()[l].capacity.value();
    if (pairs[l] > 0) pair_rate = std::min(pair_rate, capacity / pairs[l]);
    if (ring[l] > 0) ring_rate = std::min(ring_rate, capacity / ring[l]);
  }
  const GroupLinks group = fabric.group(ranks);
  CHECK(group.all_to_all.value() == Approx(pair_rate * 10));
  CHECK(group.ring.value() == Approx(ring_rate));
  CHECK(group.latency.value() == Approx(latency));
}

TEST_CASE("the all-to-all rate does not depend on the order of the ranks, the ring does") {
  const Fabric fabric = alone(grouped_node());
  const std::vector<std::int32_t> straight{0, 1, 2, 3, 8, 9, 10, 11}, mixed{0, 8, 1, 9, 2, 10, 3, 11};
  CHECK(fabric.group(straight).all_to_all.value() == fabric.group(mixed).all_to_all.value());
  CHECK(fabric.group(straight).ring.value() == Approx(32e9));
  CHECK(fabric.group(mixed).ring.value() == Approx(32e9));
}

TEST_CASE("a fabric of 1,024 chips builds in well under a second") {
  NodeSpec node = node_of(Wiring::kMesh, 8, 196e9, 0.5e-6);
  node.nic = link_of(25e9, 2e-6);
  const std::vector<const NodeSpec*> nodes(128, &node);
  const auto start = std::chrono::steady_clock::now();
  const Fabric fabric = Fabric::build(nodes, clos(64, 1, 1e-6));
  const GroupLinks group = fabric.group(range(0, 128, 8));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  CHECK(fabric.chips() == 1024);
  CHECK(group.all_to_all.value() == Approx(25e9));  // the NICs bind, not the four spines that carry it
  CHECK(took.count() < 0.5);
}

TEST_CASE("building refuses what cannot be, with the file and the key") {
  NodeSpec node = node_of(Wiring::kSwitch, 2, 100, 1e-6);
  const auto build = [&](int count, const ClusterFabric& cluster) {
    return message_of(
        [&] { Fabric::build(std::vector<const NodeSpec*>(static_cast<std::size_t>(count), &node), cluster); });
  };
  CHECK(build(0, single_switch(0)) == "s.yaml:1:1: a fabric needs at least one node");
  CHECK(build(2, single_switch(0)) ==
        "n.yaml:1:1: nic: node 'n' has no NIC, but must reach nodes outside its own chassis");
  node.pod = pod_of(2, link_of(50, 0));
  CHECK(build(2, single_switch(0)) == "");
  CHECK(build(3, single_switch(0)) == "n.yaml:1:1: nic: node 'n' has no NIC, but must reach nodes outside its pod");
  node.pod->link = link_of(-1, 0);
  CHECK(build(2, single_switch(0)) == "n.yaml:1:1: pod.bandwidth: a link needs a positive bandwidth, not -1 B/s");
  node.pod.reset();
  node.nic = link_of(10, -1);
  CHECK(build(2, single_switch(0)) == "n.yaml:1:1: nic.latency: a link needs a latency of zero or more, not -0.5 s");
  node.nic = link_of(10, 0);
  CHECK(build(5, clos(4, 1, 0)) ==
        "s.yaml:1:1: ports: 10 chips need 5 leaves, but a spine has 4 ports; use more ports or kind: clos3");
  node.scale_up.link = link_of(0, 0);
  CHECK(build(1, single_switch(0)) == "n.yaml:1:1: scale_up.bandwidth: a link needs a positive bandwidth, not 0 B/s");
  node = grouped_node();
  node.scale_up.hosts.reset();
  CHECK(build(1, single_switch(0)) ==
        "n.yaml:1:1: scale_up: chips 0 and 4 of node 'n' have no link between them; groups need hosts");
}

}  // namespace
}  // namespace silicast
