// Chunked prefill as vLLM's v1 scheduler does it: one token budget, running requests first, prompts cut to
// fit.
#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

TEST_CASE("a prompt longer than the token budget is computed in chunks of the budget") {
  const Watcher seen = serve(one_replica(), {request_at(0, 250, 1)});
  CHECK(prompt_tokens_of(seen.runs) == std::vector<std::int32_t>{100, 100, 50});
  CHECK(seen.records[0].first_token == at(1.100 + 1.100 + 1.050));
}

TEST_CASE("a prompt of exactly the budget is one chunk, and one token more is two") {
  const Watcher exact = serve(one_replica(), {request_at(0, 100, 1)});
  CHECK(prompt_tokens_of(exact.runs) == std::vector<std::int32_t>{100});
  const Watcher more = serve(one_replica(), {request_at(0, 101, 1)});
  CHECK(prompt_tokens_of(more.runs) == std::vector<std::int32_t>{100, 1});
}

TEST_CASE("a request may compute no more than max_chunk of its prompt in an iteration, whatever the budget") {
  ClusterSetup setup = one_replica();
  limits_of(setup).max_chunk = 40;
  const Watcher seen = serve(setup, {request_at(0, 100, 1), request_at(0, 70, 1)});
  CHECK(prompt_tokens_of(seen.runs) == std::vector<std::int32_t>{40 + 40, 40 + 30, 20});
}

TEST_CASE("the end of the iteration that computes the last of a prompt gives the first token") {
  const Watcher seen = serve(one_replica(), {request_at(7 * kMs, 40, 3)});
  CHECK(seen.records[0].scheduled == at(7));
  CHECK(seen.records[0].first_token == at(7 + 1.040));
  CHECK(seen.records[0].end == at(7 + 1.040 + 2 * 1.001));
}

TEST_CASE("a request with one output token ends with its prefill") {
  const Watcher seen = serve(one_replica(), {request_at(0, 40, 1)});
  CHECK(seen.records[0].state == EndState::kCompleted);
  CHECK(seen.records[0].output_tokens == 1);
  CHECK(seen.records[0].end == at(1.040));
  CHECK(seen.runs.size() == 1);
}

TEST_CASE("decoding sequences and prompt chunks share an iteration") {
  // The second arrives during the first's prefill, which ends at 1.050; both are in the iteration after it.
  const Watcher seen = serve(one_replica(), {request_at(0, 50, 10), request_at(500 * kUs, 30, 1)});
  const RunRecord& mixed = seen.runs.at(1);
  CHECK((mixed.shape.decode_sequences == 1 && mixed.shape.prefill_tokens == 30));
  CHECK(mixed.shape.decode_kv_tokens == 51);  // the prompt and the token that it computes
  CHECK(mixed.shape.sampled_sequences == 2);
  CHECK(seen.by_index()[1].end == at(1.050 + 1.031));
  CHECK(seen.by_index()[0].end == at(1.050 + 1.031 + 8 * 1.001));
}

TEST_CASE("decoding sequences take their tokens out of the budget of the chunks") {
  // 1.010 prompt of the first; 1 + 99 tokens; 1 + 1 tokens.
  const Watcher seen = serve(one_replica(), {request_at(0, 10, 5), request_at(500 * kUs, 100, 1)});
  CHECK(seen.runs.at(1).shape.prefill_tokens == 99);
  CHECK(seen.by_index()[1].end == at(1.010 + 1.100 + 1.002));
}

TEST_CASE("a prompt that has begun goes on before a waiting one begins") {
  // 100 of the first; its other 50, and 50 of the second; the second's last 10.
  const Watcher seen = serve(one_replica(), {request_at(0, 150, 1), request_at(0, 60, 1)});
  CHECK(seen.by_index()[0].first_token == at(1.100 + 1.100));
  CHECK(seen.by_index()[1].scheduled == at(1.100));
  CHECK(seen.by_index()[1].first_token == at(1.100 + 1.100 + 1.010));
}

TEST_CASE("no more than max_sequences requests run") {
  ClusterSetup setup = one_replica();
  limits_of(setup).max_sequences = 2;
  const Watcher seen = serve(setup, {request_at(0, 10, 3), request_at(0, 10, 3), request_at(0, 10, 1)});
  CHECK(seen.by_index()[2].scheduled == at(1.020 + 2 * 1.002));
}

TEST_CASE("an arrival joins at the end of the iteration that it finds in flight, a tie included") {
  // The first decodes: iteration k ends at 1.010 + k * 1.001, the fourth at 5.014.
  const std::int64_t fourth = at(1.010 + 4 * 1.001).ns;
  for (const auto& [arrival, joins] :
       {std::pair{fourth - 14 * kUs, fourth}, {fourth, fourth}, {fourth + 1, fourth + 1001 * kUs}}) {
    INFO("arrival at " << arrival);
    const Watcher seen = serve(one_replica(), {request_at(0, 10, 100), request_at(arrival, 10, 1)});
    CHECK(seen.by_index()[1].scheduled.ns == joins);
  }
}

TEST_CASE("a first request that does not fit into the blocks keeps those behind it waiting") {
  // 12 blocks of 10: the first grows into its 7th, the second needs 8, the third would fit.
  ClusterSetup setup = one_replica();
  limits_of(setup).max_batched_tokens = limits_of(setup).max_chunk = 1000;
  limits_of(setup).blocks = 12;
  const Watcher seen = serve(setup, {request_at(0, 60, 10), request_at(0, 80, 1), request_at(0, 10, 1)});
  const SimTime first_ends = at(1.060 + 9 * 1.001);
  CHECK(seen.by_index()[0].end == first_ends);
  CHECK(seen.by_index()[1].scheduled == first_ends);
  CHECK(seen.by_index()[2].scheduled == first_ends);
}

TEST_CASE("reserve_prompt admits a request only when its whole prompt fits, else its first chunk is enough") {
  // Budget 50, 12 blocks of 10. At 1.050 the first decodes in 6 blocks; of the second's 80 tokens a chunk of
  // 49 needs 5.
  ClusterSetup setup = one_replica();
  limits_of(setup).max_batched_tokens = limits_of(setup).max_chunk = 50;
  limits_of(setup).blocks = 12;
  const std::vector<RequestSpec> requests = {request_at(0, 50, 20), request_at(0, 80, 1)};
  CHECK(serve(setup, requests).by_index()[1].scheduled == at(1.050));
  limits_of(setup).reserve_prompt = true;
  CHECK(serve(setup, requests).by_index()[1].scheduled == at(1.050 + 19 * 1.001));
}

}  // namespace
}  // namespace silicast::testing
