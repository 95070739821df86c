// Replicas on the fabric: the slowest placement prices a pool, and what no replica uses is not built.
#include "sim/run/place_pools.hpp"

#include <fmt/format.h>

#include <chrono>

#include "scenario_for_tests.hpp"

namespace silicast::testing {
namespace {

// One pool, its keys as the settings say.
PoolScenario pool_of(std::vector<std::string> settings) {
  for (std::string& setting : settings) setting = "cluster.pools.0." + setting;
  return read(kBare, settings).pools[0];
}

// Zhenwu M890 servers of 8 chips, 8 of them to a pod: replicas of `span` servers, a stage on each.
PoolScenario zhenwu(int nodes, int span) {
  return pool_of(
      {"node=zhenwu-m890", fmt::format("nodes={}", nodes), fmt::format("layout={{tensor: 8, pipeline: {}}}", span)});
}

TEST_CASE("replicas that never straddle a pod talk within it") {
  const PoolScenario pool = zhenwu(16, 2);
  CHECK(pool.replicas == 8);
  for (const GroupLinks& link : pool.replica.stage_links) CHECK(link.within_pod);
}

TEST_CASE("one replica that straddles two pods prices all of its pool") {
  // Servers 0-2, 3-5, 6-8: the pod ends after server 7, within the third replica; the first alone would not tell.
  const PoolScenario one = zhenwu(3, 3), three = zhenwu(9, 3);
  CHECK(three.replicas == 3);
  const auto slowest = [](const PoolScenario& pool) {
    BytesPerSecond ring = pool.replica.stage_links[0].ring;
    for (const GroupLinks& link : pool.replica.stage_links) ring = std::min(ring, link.ring);
    return ring;
  };
  CHECK(std::all_of(one.replica.stage_links.begin(), one.replica.stage_links.end(),
                    [](const GroupLinks& l) { return l.within_pod; }));
  CHECK_FALSE(std::all_of(three.replica.stage_links.begin(), three.replica.stage_links.end(),
                          [](const GroupLinks& l) { return l.within_pod; }));
  CHECK(slowest(three) < slowest(one));
}

// Four Zhenwu servers of a pod and four of the next (the pool begins in mid-pod), replicas as the rest of the pool says.
PoolScenario across_pods(const std::string& rest) {
  return read(kBare + fmt::format("    - {{name: after, node: zhenwu-m890, nodes: 8, engine: vllm, {}}}\n", rest),
              {"cluster.pools.0.node=zhenwu-m890", "cluster.pools.0.nodes=4"})
      .pools[1];
}

std::vector<std::int32_t> first_nodes(const PoolScenario& pool) {
  std::vector<std::int32_t> nodes;
  for (const auto& chips : pool.replica_chips) nodes.push_back((chips[0] - pool.first_chip) / pool.node.chips);
  return nodes;
}

TEST_CASE("packed replicas fill nodes in order, and that is what a pool does that does not say") {
  for (const char* how : {"", ", placement: packed"}) {
    const PoolScenario pool = across_pods(fmt::format("replicas: 5, layout: {{tensor: 4}}{}", how));
    CHECK(pool.first_chip == 32);
    CHECK(first_nodes(pool) == std::vector<std::int32_t>{0, 0, 1, 1, 2});
    CHECK(pool.replica_chips[3] == std::vector<std::int32_t>{44, 45, 46, 47});
  }
}

TEST_CASE("spread replicas go to the next pod, and in it to the next node, before any node takes a second") {
  const PoolScenario pool = across_pods("replicas: 10, layout: {tensor: 4}, placement: spread");
  CHECK(first_nodes(pool) == std::vector<std::int32_t>{0, 4, 1, 5, 2, 6, 3, 7, 0, 4});
  CHECK(pool.replica_chips[8] == std::vector<std::int32_t>{36, 37, 38, 39});
  CHECK(pool.replica.tensor_groups[0].within_node);
}

TEST_CASE("spread replicas of several nodes stay within a pod as long as one has room") {
  const PoolScenario packed = across_pods("layout: {tensor: 8, pipeline: 3}");
  const PoolScenario spread = across_pods("layout: {tensor: 8, pipeline: 3}, placement: spread");
  CHECK(first_nodes(packed) == std::vector<std::int32_t>{0, 3});
  CHECK(first_nodes(spread) == std::vector<std::int32_t>{0, 4});
  const auto straddles = [](const PoolScenario& pool) {
    return std::any_of(pool.replica.stage_links.begin(), pool.replica.stage_links.end(),
                       [](const GroupLinks& link) { return !link.within_pod; });
  };
  CHECK(straddles(packed));
  CHECK_FALSE(straddles(spread));
  // A third replica has no pod of its own.
  const PoolScenario three = across_pods("layout: {tensor: 8, pipeline: 2}, placement: spread");
  CHECK(first_nodes(three) == std::vector<std::int32_t>{0, 4, 2, 6});
}

TEST_CASE("the price follows from the chips that a placement lists") {
  const auto listed = [](const char* chips) {
    return across_pods(fmt::format("layout: {{tensor: 4}}, placement: [{}]", chips)).replica.tensor_groups[0];
  };
  const GroupLinks node = listed("[0, 1, 2, 3]"), pod = listed("[0, 1, 8, 9]"), beyond = listed("[0, 1, 32, 33]");
  CHECK(node.within_node);
  CHECK_FALSE(pod.within_node);
  CHECK(pod.within_pod);
  CHECK_FALSE(beyond.within_pod);
  CHECK(beyond.ring < pod.ring);
  CHECK(beyond.narrowest.value() == Approx(50e9));
  // The slowest of two replicas prices both.
  CHECK(listed("[0, 1, 2, 3], [8, 9, 32, 33]").ring == beyond.ring);
  CHECK(across_pods("layout: {tensor: 4}, placement: [[0, 1, 2, 3], [8, 9, 10, 11]]").replicas == 2);
}

TEST_CASE("a list may give a replica a part of several nodes, which packing refuses") {
  CHECK(across_pods("layout: {tensor: 4, pipeline: 3}, placement: [[0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19]]")
            .replicas == 1);
  CHECK_THROWS_WITH(across_pods("layout: {tensor: 4, pipeline: 3}"), Catch::Contains("nor fills whole nodes"));
}

TEST_CASE("a replica over two blocks of a Clos prices a pool whose others stay within one") {
  // Blocks of 128 nodes: the eleventh replica of 12 takes nodes 120 to 131, and its chips share leaves
  // as the first's do.
  const auto worst = [](const char* nodes) {
    const PoolScenario pool = read(kBare, {"cluster.fabric=clos3", fmt::format("cluster.pools.0.nodes={}", nodes),
                                           "cluster.pools.0.layout={tensor: 8, pipeline: 12}"})
                                  .pools[0];
    GroupLinks farthest;
    for (const GroupLinks& link : pool.replica.stage_links)
      if (farthest.latency < link.latency) farthest = link;
    return farthest;
  };
  CHECK(worst("120").links == 12);
  CHECK(worst("120").latency.value() == Approx(3.8e-6));
  CHECK(worst("132").links == 16);
  CHECK(worst("132").latency.value() == Approx(5e-6));
}

TEST_CASE("replicas on as many leaves each are not alike where their distances share spines otherwise") {
  // Leaves of six nodes over 16 spines. Of each replica two nodes stand on one leaf and two on another.
  const auto listed = [](const std::vector<std::vector<int>>& replicas) {
    std::string text;
    for (const std::vector<int>& nodes : replicas) {
      std::string chips;
      for (const int node : nodes)
        for (int chip = 0; chip < 8; ++chip) chips += fmt::format("{}{}", chips.empty() ? "" : ", ", 8 * node + chip);
      text += fmt::format("{}[{}]", text.empty() ? "" : ", ", chips);
    }
    return read(kBare, {"cluster.fabric=clos2-3to1", "cluster.pools.0.nodes=24", "cluster.pools.0.layout={tensor: 32}",
                        fmt::format("cluster.pools.0.placement=[{}]", text)})
        .pools[0]
        .replica.tensor_groups[0]
        .all_to_all.value();
  };
  const std::vector<int> even{0, 1, 6, 7}, uneven{12, 14, 18, 20};
  CHECK(listed({even}) == Approx(64.6e9).margin(0.05e9));
  CHECK(listed({uneven}) == Approx(48.4e9).margin(0.05e9));
  CHECK(listed({even, uneven}) == listed({uneven}));
  CHECK(listed({uneven, even}) == listed({uneven}));
}

TEST_CASE("a packed replica that leaves a group of its node prices a pool whose first does not") {
  // Two meshes of four chips: the first replica takes 0 to 2, the second 3 to 5.
  const auto slowest = [](const char* replicas) {
    const PoolScenario pool = pool_of({"node=kunlun-p800-server", "layout={pipeline: 3}", replicas});
    const std::vector<GroupLinks>& links = pool.replica.stage_links;
    return std::pair(std::min(links[0].ring, links[1].ring).value(),
                     std::max(links[0].latency, links[1].latency).value());
  };
  CHECK(slowest("replicas=1").first == Approx(66.7e9).epsilon(0.001));
  CHECK(slowest("replicas=1").second == Approx(2e-6));
  CHECK(slowest("replicas=2").first == Approx(64e9));
  CHECK(slowest("replicas=2").second == Approx(4e-6));
}

TEST_CASE("8,192 chips are placed in under a second") {
  const auto start = std::chrono::steady_clock::now();
  CHECK(read(kBare,
             {"cluster.fabric=clos3", "cluster.pools.0.nodes=1024", "cluster.pools.0.layout={tensor: 8, pipeline: 2}"})
            .pools[0]
            .replicas == 512);
  CHECK(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < 1);
}

TEST_CASE("spreading that changes nothing is said to") {
  const Scenario full = read(kBare, {"cluster.pools.0.placement=spread"});
  REQUIRE(full.without_effect.size() == 1);
  CHECK_THAT(full.without_effect[0], Catch::Contains("placement"));
  const Scenario two =
      read(kBare, {"cluster.pools.0.placement=spread", "cluster.pools.0.nodes=2", "cluster.pools.0.replicas=2"});
  CHECK(two.without_effect.empty());
}

TEST_CASE("a fabric that no replica reaches into need not hold its nodes") {
  const Scenario scenario =
      read(kBare, {"cluster.fabric=clos2", "cluster.pools.0.nodes=2000", "cluster.pools.0.layout.tensor=8"});
  CHECK(scenario.pools[0].replicas == 2000);
  CHECK(scenario.without_effect.size() == 1);
}

}  // namespace
}  // namespace silicast::testing
