// Requests go to replicas that can hold them, whatever the router.
#include "sim/serving/placement.hpp"

#include <catch2/catch.hpp>

#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

RequestView view(std::int32_t prompt_tokens) {
  return {prompt_tokens, 0, {}};
}

TEST_CASE("behind every router a request goes to a replica that can hold it, where there is one") {
  for (const auto& router : routers.entries()) {
    INFO(router.name);
    Placement placement({100, 400, 100, 200}, router.make, 7);
    for (int i = 0; i < 200; ++i) {
      const std::int32_t tokens = 1 + (i * 37) % 400;
      const ReplicaId chosen = placement.choose(view(tokens), tokens);
      const std::int64_t capacity = chosen.value == 1 ? 400 : chosen.value == 3 ? 200 : 100;
      CHECK(capacity >= tokens);
      placement.change_load(chosen, 1, tokens);
    }
  }
}

TEST_CASE("a request that no replica can hold is left to one of the largest") {
  Placement placement({100, 400, 100}, routers.find("least_loaded")->make, 7);
  CHECK(placement.choose(view(500), 500).value == 1);
}

TEST_CASE("replicas of one size are told apart by their load alone") {
  Placement placement({100, 100, 100}, routers.find("least_loaded")->make, 7);
  placement.change_load({0}, 1, 10);
  placement.change_load({1}, 1, 10);
  CHECK(placement.choose(view(10), 10).value == 2);
  placement.change_load({0}, -1, -10);
  CHECK(placement.choose(view(10), 10).value == 0);
}

TEST_CASE("a small replica is no sink for requests that it cannot hold: a pool of two sizes completes them all") {
  for (const auto& router : routers.entries()) {
    INFO(router.name);
    ClusterSetup setup = one_replica();
    setup.make_router = router.make;
    setup.pools.push_back(setup.pools[0]);
    setup.pools[0].limits.blocks = 2;
    std::vector<RequestSpec> requests;
    for (int i = 0; i < 40; ++i) requests.push_back(request_at(i * kMs, 60, 5));
    for (const RequestRecord& record : serve(setup, requests).records) CHECK(record.state == EndState::kCompleted);
  }
}

}  // namespace
}  // namespace silicast::testing
