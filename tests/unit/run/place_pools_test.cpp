// Replicas on the fabric: the slowest placement prices a pool, and what no replica uses is not built.
#include "sim/run/place_pools.hpp"

#include <fmt/format.h>

#include "scenario_for_tests.hpp"

namespace silicast::testing {
namespace {

// Zhenwu M890 servers of 8 chips, 8 of them to a pod: replicas of `span` servers, a stage on each.
Scenario zhenwu(int nodes, int span) {
  return read(fmt::format(R"(
name: zhenwu
model: llama-3.1-70b
workload:
  arrivals: {{process: fixed, rate: 1 /s, requests: 1}}
  prompt: {{distribution: fixed, tokens: 8}}
  output: {{distribution: fixed, tokens: 8}}
cluster: {{pools: [{{name: main, node: zhenwu-m890, nodes: {}, layout: {{tensor: 8, pipeline: {}}}, engine: vllm}}]}}
)",
                          nodes, span));
}

TEST_CASE("replicas that never straddle a pod talk within it") {
  const PoolScenario pool = zhenwu(16, 2).pools[0];
  CHECK(pool.replicas == 8);
  for (const GroupLinks& link : pool.replica.stage_links) CHECK(link.within_pod);
}

TEST_CASE("one replica that straddles two pods prices all of its pool") {
  // Servers 0-2, 3-5, 6-8: the pod ends after server 7, within the third replica; the first alone would not tell.
  const PoolScenario one = zhenwu(3, 3).pools[0], three = zhenwu(9, 3).pools[0];
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

TEST_CASE("a fabric that no replica reaches into need not hold its nodes") {
  const Scenario scenario =
      read(kBare, {"cluster.fabric=clos2", "cluster.pools.0.nodes=2000", "cluster.pools.0.layout.tensor=8"});
  CHECK(scenario.pools[0].replicas == 2000);
  CHECK(scenario.without_effect.size() == 1);
}

}  // namespace
}  // namespace silicast::testing
