// Several models and pools that take what others leave.
#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

RequestSpec of_class(RequestSpec spec, std::int32_t number) {
  spec.request_class = ClassId{number};
  return spec;
}

TEST_CASE("a request goes to a pool of the model that its class asks for") {
  ClusterSetup setup = one_replica();
  setup.pools.push_back(setup.pools[0]);
  setup.pools[1].model = 1;
  setup.max_contexts = {1000, 50};
  setup.class_models = {1, 0};
  const auto records = serve(setup, {of_class(request_at(0, 10, 5), 0), of_class(request_at(0, 10, 5), 1),
                                     of_class(request_at(0, 60, 5), 0), of_class(request_at(0, 60, 5), 1)})
                           .by_index();
  CHECK(records[0].replica == ReplicaId{1});
  CHECK(records[1].replica == ReplicaId{0});
  CHECK(records[2].reason == EndReason::kContextTooLong);  // of its own model
  CHECK(records[3].state == EndState::kCompleted);
}

TEST_CASE("a pool for what others leave gets requests when each of their replicas has that many") {
  ClusterSetup setup = one_replica();
  setup.pools[0].replicas = 2;
  setup.pools.push_back(setup.pools[0]);
  setup.pools[1].replicas = 1;
  setup.pools[1].overflow_after = 1.5;
  std::vector<RequestSpec> requests;
  for (int i = 0; i < 5; ++i) requests.push_back(request_at(i, 10, 20));
  const auto records = serve(setup, requests).by_index();
  // Two on one and one on the other are 1.5 for each.
  const std::int32_t expected[] = {0, 1, 0, 2, 2};
  for (std::size_t i = 0; i < 5; ++i) CHECK(records[i].replica.value == expected[i]);
}

TEST_CASE("a request that the others could never hold goes to a pool for what they leave at once") {
  ClusterSetup setup = one_replica();
  setup.pools.push_back(setup.pools[0]);
  setup.pools[0].limits.blocks = 5;
  setup.pools[1].overflow_after = 100;
  const auto records = serve(setup, {request_at(0, 10, 3), request_at(0, 80, 3)}).by_index();
  CHECK(records[0].replica == ReplicaId{0});
  CHECK(records[1].replica == ReplicaId{1});
  CHECK(records[1].state == EndState::kCompleted);
}

TEST_CASE("when the others have room again a pool for what they leave gets nothing") {
  ClusterSetup setup = one_replica();
  setup.pools.push_back(setup.pools[0]);
  setup.pools[1].overflow_after = 1;
  const auto records =
      serve(setup, {request_at(0, 10, 3), request_at(1, 10, 3), request_at(50 * kMs, 10, 3)}).by_index();
  CHECK(records[0].replica == ReplicaId{0});
  CHECK(records[1].replica == ReplicaId{1});
  CHECK(records[2].replica == ReplicaId{0});
}

}  // namespace
}  // namespace silicast::testing
