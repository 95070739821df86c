// Replicas that start without weights: worked out by hand.
#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

// A store of 1 byte/us; iterations take 1 ms and 1 us per token.
ClusterSetup without_weights(std::int32_t replicas, std::int64_t bytes, double link) {
  ClusterSetup setup = one_replica();
  setup.pools[0].replicas = replicas;
  setup.pools[0].weights = {bytes, BytesPerSecond(link)};
  setup.weight_store = BytesPerSecond(1e6);
  return setup;
}

TEST_CASE("nothing is computed before the weights are there, and replicas share the store they come from") {
  for (const bool leap : {true, false}) {
    ClusterSetup setup = without_weights(1, 2000, 1e6);
    setup.leap = leap;
    const RequestRecord alone = serve(setup, {request_at(kMs, 80, 2)}).records.at(0);
    CHECK(alone.scheduled == at(2));
    CHECK(alone.end == at(2 + 1.080 + 1.001));
    // Two share it: 2 ms each become 4; over links of half its bandwidth one alone takes as long.
    setup.pools[0].replicas = 2;
    CHECK(serve(setup, {request_at(0, 80, 2)}).records.at(0).scheduled == at(4));
    setup = without_weights(1, 2000, 5e5);
    CHECK(serve(setup, {request_at(0, 80, 2)}).records.at(0).scheduled == at(4));
  }
}

TEST_CASE("who comes while weights are loaded is planned with those before him, or leaves") {
  ClusterSetup setup = without_weights(1, 3000, 1e6);
  setup.pools[0].plans_ahead = true;
  const auto records =
      serve(setup, {request_at(0, 40, 2), until(request_at(kMs, 40, 2), at(2)), request_at(2 * kMs, 40, 2)}).by_index();
  CHECK(records[0].scheduled == at(3));
  CHECK(records[1].state == EndState::kTimedOut);
  CHECK(records[1].end == at(2));
  CHECK(records[2].scheduled == at(3));
}

TEST_CASE("weights that nobody waits for do not make a run longer") {
  ClusterSetup setup = without_weights(1, 1'000'000, 1e6);
  Watcher seen = serve(setup, {until(request_at(0, 40, 2), at(2))});
  CHECK(seen.records.at(0).state == EndState::kTimedOut);
  VectorSource source({until(request_at(0, 40, 2), at(2))});
  Watcher observer;
  Cluster cluster(std::move(setup), source, observer);
  while (cluster.run(1000)) {
  }
  CHECK(cluster.now() == at(2));
  CHECK(cluster.weight_loads()->bytes() == 0);
}

}  // namespace
}  // namespace silicast::testing
