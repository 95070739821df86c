// Clients that leave: while waiting, while their prompt is computed, while they decode; and the end of the
// run.
#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

void check_left(const RequestRecord& record, SimTime end, std::int32_t output_tokens) {
  CHECK(record.state == EndState::kTimedOut);
  CHECK(record.reason == EndReason::kClientTimeout);
  CHECK(record.end == end);
  CHECK(record.output_tokens == output_tokens);
}

TEST_CASE("a request that times out in the queue was never scheduled") {
  ClusterSetup setup = one_replica();
  limits_of(setup).max_sequences = 1;
  const auto records = serve(setup, {request_at(0, 10, 20), until(request_at(0, 10, 1), at(5))}).by_index();
  check_left(records[1], at(5), 0);
  CHECK(records[1].scheduled == SimTime::never());
  CHECK(records[1].first_token == SimTime::never());
}

TEST_CASE("who times out in the queue no longer keeps the next one waiting") {
  // The second needs more blocks than are free until the first ends; the third fits at once.
  ClusterSetup setup = one_replica();
  limits_of(setup).blocks = 12;
  limits_of(setup).max_batched_tokens = limits_of(setup).max_chunk = 1000;
  const auto records =
      serve(setup, {request_at(0, 60, 50), until(request_at(0, 80, 1), at(5)), request_at(kMs, 10, 1)}).by_index();
  check_left(records[1], at(5), 0);
  CHECK(records[2].scheduled == at(1.060 + 4 * 1.001));  // the end of the iteration in flight at 5 ms
}

TEST_CASE("a request that times out between its chunks leaves with the iteration in flight, and its blocks too") {
  // 25 blocks. The first has taken 20 by the end of its second chunk at 2.200, in which its client leaves;
  // what the second needs is free from there on only because it did.
  ClusterSetup setup = one_replica();
  limits_of(setup).blocks = 25;
  const Watcher seen = serve(setup, {until(request_at(0, 250, 1), at(1.5)), request_at(at(1.2).ns, 100, 1)});
  const auto records = seen.by_index();
  check_left(records[0], at(1.5), 0);
  CHECK(records[0].scheduled == at(0));
  CHECK(prompt_tokens_of(seen.runs) == std::vector<std::int32_t>{100, 100, 100});
  CHECK(seen.runs[2].kv_blocks_start == 10);
  CHECK(records[1].end == at(2.200 + 1.100));
}

TEST_CASE("a request that times out while it decodes has the tokens of the iterations that ended by then") {
  // The first token at 1.010, the others each 1.001 later: the fifth at 5.014.
  const RequestSpec spec = request_at(0, 10, 100);
  check_left(serve(one_replica(), {until(spec, at(5))}).records[0], at(5), 4);
  check_left(serve(one_replica(), {until(spec, at(5.014))}).records[0], at(5.014), 5);
  check_left(serve(one_replica(), {until(spec, {at(5.014).ns - 1})}).records[0], {at(5.014).ns - 1}, 4);
}

TEST_CASE("the blocks of a decoding request that left are free once its iteration has ended") {
  // Both hold 2 blocks from 1.020 on: one of 10 tokens is full, the 11th began the second.
  ClusterSetup setup = one_replica();
  setup.sample_interval = Seconds(1e-3);
  const Watcher seen = serve(setup, {until(request_at(0, 10, 100), at(4.5)), request_at(0, 10, 10)});
  REQUIRE(seen.samples.size() > 6);
  for (const Sample& sample : seen.samples) {
    INFO(sample.time.ns);
    if (sample.time == at(4)) CHECK((sample.pools[0].kv_blocks_used == 4 && sample.pools[0].running == 2));
    if (sample.time == at(6)) CHECK((sample.pools[0].kv_blocks_used == 2 && sample.pools[0].running == 1));
  }
}

TEST_CASE("completion wins over the timeout of the same instant") {
  const RequestSpec spec = request_at(0, 40, 1);
  CHECK(serve(one_replica(), {until(spec, at(1.040))}).records[0].state == EndState::kCompleted);
  check_left(serve(one_replica(), {until(spec, {at(1.040).ns - 1})}).records[0], {at(1.040).ns - 1}, 0);
}

TEST_CASE("a client that leaves of its own accord aborted") {
  const RequestRecord record = serve(one_replica(), {until(request_at(0, 10, 100), at(5), true)}).records[0];
  CHECK(record.state == EndState::kAborted);
  CHECK(record.reason == EndReason::kClientAbort);
  CHECK(record.output_tokens == 4);
}

TEST_CASE("a preempted request that times out before it is admitted again keeps the tokens it had") {
  // preemption_test.cpp: preempted at 5.024 with 5 tokens out, admitted again at 10.029.
  ClusterSetup setup = one_replica();
  limits_of(setup).block_size = 4;
  limits_of(setup).blocks = 6;
  const auto records = serve(setup, {request_at(0, 8, 10), until(request_at(0, 8, 10), at(8))}).by_index();
  check_left(records[1], at(8), 5);
  CHECK(records[1].preemptions == 1);
  CHECK(records[1].first_token == at(1.016));
}

TEST_CASE("the router no longer counts a request whose client left") {
  ClusterSetup setup = one_replica();
  setup.make_router = routers.find("least_loaded")->make;
  setup.pools[0].replicas = 2;
  const auto records =
      serve(setup, {request_at(0, 10, 100), until(request_at(0, 10, 100), at(5)), request_at(6 * kMs, 10, 1)})
          .by_index();
  CHECK(records[1].replica == ReplicaId{1});
  CHECK(records[2].replica == ReplicaId{1});
}

TEST_CASE("at the horizon requests in flight end unfinished, with the tokens they have") {
  ClusterSetup setup = one_replica();
  limits_of(setup).max_sequences = 1;
  setup.horizon = at(5);
  const Watcher seen = serve(setup, {request_at(0, 10, 100), request_at(kMs, 10, 1), request_at(6 * kMs, 10, 1)});
  const auto records = seen.by_index();
  REQUIRE(records.size() == 2);  // the third had not arrived
  for (const RequestRecord& record : records) {
    CHECK(record.state == EndState::kUnfinished);
    CHECK(record.reason == EndReason::kEndOfRun);
    CHECK(record.end == at(5));
  }
  CHECK(records[0].output_tokens == 4);
  CHECK(records[1].scheduled == SimTime::never());
}

TEST_CASE("samples count no token for a client that had gone") {
  ClusterSetup setup = one_replica();
  setup.sample_interval = Seconds(10e-3);
  // Tokens at 1.010 + k * 1.001 ms; it leaves at 5 ms with 4, in the iteration that ends at 5.014.
  const Watcher seen = serve(setup, {until(request_at(0, 10, 100), at(5)), request_at(20 * kMs, 10, 1)});
  bool sampled = false;
  for (const Sample& s : seen.samples) {
    if (s.time != at(10)) continue;
    sampled = true;
    CHECK(s.pools[0].output_tokens == 4);
  }
  CHECK(sampled);
}

}  // namespace
}  // namespace silicast::testing
