// From a replica that prefills to one that decodes: timelines worked out by hand.
#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

Evidence exactly(double value) {
  return {value, value, value, Grade::kEstimate, "test"};
}

// Replicas of one chip each on one switch, `prefill` of them before one that decodes. A link carries a byte in 1 us, and
// a token of KV weighs 10 bytes. Iterations take 1 ms and 1 us per token.
ClusterSetup split(std::int32_t prefill = 1) {
  ClusterSetup setup = one_replica();
  setup.pools.push_back(setup.pools[0]);
  setup.pools[0].role = PoolRole::kPrefill;
  setup.pools[0].replicas = prefill;
  setup.pools[0].limits.hands_on = true;
  setup.pools[1].role = PoolRole::kDecode;
  setup.pools[1].kv = {Bytes(10), Bytes(0), 4};
  NodeSpec node;
  node.name = node.chip = "n";
  node.chips = 4;
  node.scale_up.link = {exactly(1e6), exactly(0)};
  const Fabric fabric = Fabric::build({&node}, {});
  std::vector<std::vector<std::int32_t>> chips;
  for (std::int32_t i = 0; i <= prefill; ++i) chips.push_back({i});
  setup.transfers.emplace(TransferPaths(fabric, chips));
  return setup;
}

ReplicaLimits& decode_limits(ClusterSetup& setup) {
  return setup.pools[1].limits;
}

TEST_CASE("a request alone gets its first token when its prompt is computed and its KV has moved") {
  for (const bool leap : {true, false}) {
    ClusterSetup setup = split();
    setup.leap = leap;
    const Watcher seen = serve(setup, {request_at(kMs, 80, 3)});
    const RequestRecord& record = seen.records.at(0);
    CHECK(record.scheduled == at(1));
    CHECK(record.prefilled == at(1 + 1.080));
    CHECK(record.prefill_replica == ReplicaId{0});
    CHECK(record.replica == ReplicaId{1});
    CHECK(record.first_token == at(1 + 1.080 + 0.800));
    CHECK(record.end == at(1 + 1.080 + 0.800 + 2 * 1.001));
  }
}

TEST_CASE("what software needs before the first byte adds to each transfer") {
  ClusterSetup setup = split();
  setup.transfers->start = Seconds(0.5e-3);
  CHECK(serve(setup, {request_at(0, 80, 3)}).records.at(0).first_token == at(1.080 + 0.500 + 0.800));
}

TEST_CASE("a transfer reaches the stated share of its links") {
  ClusterSetup setup = split();
  setup.transfers->efficiency = 0.5;
  CHECK(serve(setup, {request_at(0, 80, 3)}).records.at(0).first_token == at(1.080 + 1.600));
}

TEST_CASE("layer by layer all but the last layer has moved when the prompt is computed") {
  for (const bool leap : {true, false}) {
    ClusterSetup setup = split();
    setup.leap = leap;
    setup.transfers->by_layers = true;
    const SimTime first = serve(setup, {request_at(0, 80, 3)}).records.at(0).first_token;
    CHECK(first >= at(1.080 + 0.200));
    CHECK(first.ns <= at(1.080 + 0.200).ns + 2);  // ends of flows are rounded up
  }
}

TEST_CASE("a link that is too slow for the prefill moves what is left after it") {
  ClusterSetup setup = split();
  setup.transfers->by_layers = true;
  setup.transfers->efficiency = 0.25;  // 4 us a byte: 3.2 ms for the prompt
  const SimTime first = serve(setup, {request_at(0, 80, 3)}).records.at(0).first_token;
  CHECK(first >= at(3.2));
  CHECK(first.ns <= at(3.2).ns + 2);
}

TEST_CASE("two transfers to one replica share its links") {
  const Watcher seen = serve(split(2), {request_at(0, 80, 3), request_at(0, 80, 3)});
  for (const RequestRecord& record : seen.records) CHECK(record.first_token == at(1.080 + 1.600));
}

// Alone on its links an iteration of one token takes 1.001 ms, with half of them left 2.001 ms.
SimTime end_of_first(double efficiency, double start_ms, SimTime second_arrives, std::int32_t output, bool leap) {
  ClusterSetup setup = split();
  setup.leap = leap;
  setup.transfers->efficiency = efficiency;
  setup.transfers->start = Seconds(start_ms * 1e-3);
  setup.pools[1].crowded.emplace(linear_cost(2e-3, 1e-6, 0, 1000, 64), Tier::kNode);
  return serve(setup, {request_at(0, 80, output), request_at(second_arrives.ns, 80, 2)}).by_index()[0].end;
}

TEST_CASE("an iteration takes the links that it finds as it begins, half of them at least") {
  for (const bool leap : {true, false}) {
    // Decodes from 2.68 on. At 3.681 there is memory for the other cache, which comes until 5.281 over half of the link:
    // the third iteration finds it there.
    CHECK(end_of_first(0.5, 0, at(2), 4, leap) == at(2.680 + 2 * 1.001 + 2.001));
    // From 2.38 on; the other from 3.881 to 4.681 over all of it, of which half is left nevertheless.
    CHECK(end_of_first(1, 0.5, at(2), 4, leap) == at(2.380 + 2 * 1.001 + 2.001));
    // From 4.28 on; the other from 5.281 to 8.481 over a quarter: messages take 4/3 of the time, an
    // iteration 1.334 333 ms.
    CHECK(end_of_first(0.25, 0, at(4), 5, leap).ns == 8'950'667);
  }
}

TEST_CASE("without room where it is decoded a cache waits where it was computed") {
  ClusterSetup setup = split();
  decode_limits(setup).blocks = 10;
  const auto records = serve(setup, {request_at(0, 80, 3), request_at(0, 80, 3)}).by_index();
  // One prompt of 80 tokens and 20 of the other, then the rest of it.
  CHECK(records[0].prefilled == at(1.100));
  CHECK(records[1].prefilled == at(1.100 + 1.060));
  CHECK(records[0].end == at(1.100 + 0.800 + 2 * 1.001));
  CHECK(records[1].first_token == at(1.100 + 0.800 + 2 * 1.001 + 0.800));
}

TEST_CASE("a prompt is admitted once all of it has room beside the caches that wait to move") {
  ClusterSetup setup = split();
  limits_of(setup).blocks = 10;
  const auto records = serve(setup, {request_at(0, 80, 3), request_at(0, 80, 3)}).by_index();
  CHECK(records[0].first_token == at(1.080 + 0.800));
  CHECK(records[1].scheduled == records[0].first_token);
}

TEST_CASE("a client that leaves takes its cache with it, wherever it is") {
  for (const bool by_layers : {false, true})
    for (const double when : {0.5, 1.2, 1.9, 2.5}) {  // while it is computed, moves, moves, is decoded
      ClusterSetup setup = split();
      setup.transfers->by_layers = by_layers;
      setup.transfers->start = Seconds(0.1e-3);
      limits_of(setup).blocks = decode_limits(setup).blocks = 10;
      const auto records =
          serve(setup, {until(request_at(0, 80, 20), at(when)), request_at(3 * kMs, 80, 2)}).by_index();
      CHECK(records[0].state == EndState::kTimedOut);
      CHECK(records[0].end == at(when));
      CHECK(records[1].state == EndState::kCompleted);
      CHECK(records[1].scheduled >= at(3));
      CHECK(records[1].scheduled <= at(3 + 1.1));
    }
}

TEST_CASE("short prompts are prefilled where they are decoded") {
  ClusterSetup setup = split();
  setup.transfers->max_local_prefill = 40;
  const auto records = serve(setup, {request_at(0, 40, 3), request_at(10 * kMs, 41, 3)}).by_index();
  CHECK(!records[0].prefill_replica.valid());
  CHECK(records[0].replica == ReplicaId{1});
  CHECK(records[0].first_token == at(1.040));
  CHECK(records[1].prefill_replica == ReplicaId{0});
}

TEST_CASE("an answer of one token needs no other replica") {
  const Watcher seen = serve(split(), {request_at(0, 80, 1)});
  CHECK(seen.records.at(0).replica == ReplicaId{0});
  CHECK(seen.records.at(0).end == at(1.080));
}

TEST_CASE("a request that no replica could decode is refused before anybody computes it") {
  ClusterSetup setup = split();
  decode_limits(setup).blocks = 10;
  const Watcher seen = serve(setup, {request_at(0, 80, 50)});
  CHECK(seen.records.at(0).reason == EndReason::kKvTooSmall);
  CHECK(seen.runs.empty());
}

TEST_CASE("a prompt that is preempted after its cache has come is computed anew where it is decoded") {
  ClusterSetup setup = split();
  decode_limits(setup).blocks = 17;  // two prompts of 8 blocks, and one more
  const auto records = serve(setup, {request_at(0, 80, 12), request_at(0, 80, 12)}).by_index();
  CHECK(records[0].preemptions == 0);
  CHECK(records[1].preemptions == 1);
  CHECK(records[1].state == EndState::kCompleted);
}

}  // namespace
}  // namespace silicast::testing
