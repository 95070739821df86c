// The schedulers that compute prompts whole: prefill first (vLLM's v0) and static batches.
#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

TEST_CASE("prefill first: waiting prompts run in an iteration of their own before decodes go on") {
  // Prompts 1.010 and 1.020; two iterations of both 1.002 end the second; two of the first alone end it.
  const Watcher seen = serve(one_replica("prefill_first"), {request_at(0, 10, 5), request_at(500 * kUs, 20, 3)});
  const RunRecord& second_prompt = seen.runs.at(1);
  CHECK((second_prompt.shape.decode_sequences == 0 && second_prompt.shape.prefill_tokens == 20));
  CHECK(seen.by_index()[1].first_token == at(1.010 + 1.020));
  CHECK(seen.by_index()[1].end == at(2.030 + 2 * 1.002));
  CHECK(seen.by_index()[0].end == at(4.034 + 2 * 1.001));
}

TEST_CASE("prefill first: a sequence that stood still during a prompt has one long gap, announced singly") {
  const ClusterSetup setup = one_replica("prefill_first");
  VectorSource source({request_at(0, 10, 5), request_at(500 * kUs, 20, 3)});
  Collector seen;
  Cluster cluster(setup, source, seen);
  while (cluster.run(1000)) {
  }
  // Its first token came at 1.010, its second at 3.032; the other's gap is the iteration.
  REQUIRE(seen.gaps.size() == 1);
  CHECK(seen.gaps[0].count == 1);
  CHECK(seen.gaps[0].seconds == Approx(2.022e-3).epsilon(1e-9));
  CHECK((seen.runs.at(2).shape.decode_sequences == 2 && seen.runs.at(2).steady_first == 1));
}

TEST_CASE("prefill first: a sequence whose client leaves while it stands still has no gap") {
  // Two decode from 1.020 on; the prompt of 20 stops them until 2.040, and one of them leaves meanwhile.
  const ClusterSetup setup = one_replica("prefill_first");
  VectorSource source({request_at(0, 10, 5), until(request_at(0, 10, 5), at(1.5)), request_at(500 * kUs, 20, 3)});
  Collector seen;
  Cluster cluster(setup, source, seen);
  while (cluster.run(1000)) {
  }
  REQUIRE(seen.gaps.size() == 1);
  CHECK(seen.gaps[0].count == 1);
  CHECK(seen.gaps[0].seconds == Approx((3.042 - 1.020) * 1e-3).epsilon(1e-9));
}

TEST_CASE("prefill first: prompts share an iteration up to the token budget") {
  const Watcher seen =
      serve(one_replica("prefill_first"), {request_at(0, 60, 1), request_at(0, 40, 1), request_at(0, 10, 1)});
  CHECK(prompt_tokens_of(seen.runs) == std::vector<std::int32_t>{100, 10});
  CHECK(seen.by_index()[2].scheduled == at(1.100));
}

TEST_CASE("prefill first: a prompt that exceeds the rest of the budget waits whole, and is not overtaken") {
  const Watcher seen =
      serve(one_replica("prefill_first"), {request_at(0, 60, 1), request_at(0, 41, 1), request_at(0, 10, 1)});
  CHECK(prompt_tokens_of(seen.runs) == std::vector<std::int32_t>{60, 51});
}

TEST_CASE("prefill first: a prompt over the whole budget begins alone, and shares its last iteration") {
  const Watcher seen =
      serve(one_replica("prefill_first"), {request_at(0, 10, 1), request_at(0, 150, 1), request_at(0, 10, 1)});
  CHECK(prompt_tokens_of(seen.runs) == std::vector<std::int32_t>{10, 100, 50 + 10});
}

TEST_CASE("prefill first: arrivals wait for the iteration in flight only, though all sequences decode") {
  // Decode iteration k of the first ends at 1.010 + k * 1.001; at 5 ms the fourth is in flight.
  const Watcher seen = serve(one_replica("prefill_first"), {request_at(0, 10, 100), request_at(5 * kMs, 10, 1)});
  CHECK(seen.by_index()[1].scheduled == at(1.010 + 4 * 1.001));
}

TEST_CASE("static batches: nobody joins until the batch is empty") {
  // 20 prompt tokens; two iterations of both; two of the longer one; then the one that came meanwhile.
  const Watcher seen =
      serve(one_replica("static"), {request_at(0, 10, 5), request_at(0, 10, 3), request_at(500 * kUs, 10, 1)});
  const auto records = seen.by_index();
  CHECK(records[1].end == at(1.020 + 2 * 1.002));
  CHECK(records[0].end == at(3.024 + 2 * 1.001));
  CHECK(records[2].scheduled == records[0].end);
  CHECK(records[2].end == at(5.026 + 1.010));
}

TEST_CASE("static batches: a batch starts with who is there and does not wait to fill") {
  const Watcher seen = serve(one_replica("static"), {request_at(3 * kMs, 10, 2)});
  CHECK(seen.records[0].scheduled == at(3));
  CHECK(seen.records[0].end == at(3 + 1.010 + 1.001));
}

TEST_CASE("static batches: the next batch takes all that wait, up to max_sequences") {
  ClusterSetup setup = one_replica("static");
  limits_of(setup).max_sequences = 2;
  const Watcher seen = serve(
      setup, {request_at(0, 10, 2), request_at(kUs, 10, 1), request_at(2 * kUs, 10, 1), request_at(3 * kUs, 10, 1)});
  const auto records = seen.by_index();
  CHECK(records[1].scheduled == at(1.010 + 1.001));
  CHECK(records[2].scheduled == at(2.011));
  CHECK(records[3].scheduled == at(2.011 + 1.020));
}

}  // namespace
}  // namespace silicast::testing
