// Who is turned away, at the very arrival, and why.
#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

void check_rejected(const RequestRecord& record, EndReason reason) {
  CHECK(record.state == EndState::kRejected);
  CHECK(record.reason == reason);
  CHECK(record.end == record.arrival);
  CHECK(record.scheduled == SimTime::never());
  CHECK(record.output_tokens == 0);
}

TEST_CASE("a request that fits alone into the replica's blocks is served, one of a token more is rejected") {
  // 6 blocks of 4 hold 24 tokens; the last output token needs no KV of its own.
  ClusterSetup setup = one_replica();
  limits_of(setup).block_size = 4;
  limits_of(setup).blocks = 6;
  const auto records = serve(setup, {request_at(0, 20, 5), request_at(kMs, 20, 6)}).by_index();
  CHECK(records[0].state == EndState::kCompleted);
  check_rejected(records[1], EndReason::kKvTooSmall);
}

TEST_CASE("an arrival that finds the queue at its limit is rejected, and a later one served") {
  // The first runs to 1.010 + 9 * 1.001; the next two fill the queue.
  ClusterSetup setup = one_replica();
  limits_of(setup).max_sequences = 1;
  limits_of(setup).max_waiting = 2;
  const auto records = serve(setup, {request_at(0, 10, 10), request_at(kMs, 10, 1), request_at(2 * kMs, 10, 1),
                                     request_at(3 * kMs, 10, 1), request_at(at(10.020).ns, 10, 1)})
                           .by_index();
  CHECK(records[2].state == EndState::kCompleted);
  check_rejected(records[3], EndReason::kQueueFull);
  CHECK(records[4].state == EndState::kCompleted);
}

TEST_CASE("a request is measured by prompt and output against the model's maximum context") {
  ClusterSetup setup = one_replica();
  setup.max_contexts = {100};
  const auto records = serve(setup, {request_at(0, 90, 10), request_at(0, 90, 11)}).by_index();
  CHECK(records[0].state == EndState::kCompleted);
  check_rejected(records[1], EndReason::kContextTooLong);
  CHECK_FALSE(records[1].replica.valid());
}

TEST_CASE("a rejected request leaves no load behind") {
  // The second is too large for its replica; the third and fourth find the loads 1 and 0, then 1 and 1.
  ClusterSetup setup = one_replica();
  setup.make_router = routers.find("least_loaded")->make;
  setup.pools[0].replicas = 2;
  limits_of(setup).blocks = 10;
  const auto records =
      serve(setup, {request_at(0, 10, 50), request_at(0, 100, 50), request_at(kMs, 10, 1), request_at(kMs, 10, 1)})
          .by_index();
  check_rejected(records[1], EndReason::kKvTooSmall);
  CHECK(records[2].replica == ReplicaId{1});
  CHECK(records[3].replica == ReplicaId{0});
}

}  // namespace
}  // namespace silicast::testing
