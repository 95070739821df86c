// What happens when the KV blocks run out: recompute preemption, without a token lost, doubled or late twice.
#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

ClusterSetup tight(std::int64_t blocks, std::int32_t budget = 100, std::string_view scheduler = "chunked") {
  ClusterSetup setup = one_replica(scheduler);
  limits_of(setup).block_size = 4;
  limits_of(setup).blocks = blocks;
  limits_of(setup).max_batched_tokens = limits_of(setup).max_chunk = budget;
  return setup;
}

// Two of 8 prompt and 10 output tokens in 6 blocks of 4. Prefill to 1.016, then both grow; the fifth decode
// would need 13 tokens each, 8 blocks, so at 1.016 + 4 * 1.002 = 5.024 the second, with 5 tokens out, loses
// its 3 blocks. The first decodes on alone for its 5 other tokens. The second's 13 tokens need 4 blocks, 2
// are free: it waits for the first's end at 10.029, recomputes 13 tokens to 11.042, which gives its 6th, and
// decodes 4 more.
const std::vector<RequestSpec> kTwo = {request_at(0, 8, 10), request_at(0, 8, 10)};

TEST_CASE("when blocks run out the last admitted recomputes its prompt and what it generated") {
  const Watcher seen = serve(tight(6), kTwo);
  const auto records = seen.by_index();
  CHECK((records[0].preemptions == 0 && records[1].preemptions == 1));
  CHECK(records[0].end == at(5.024 + 5 * 1.001));
  CHECK(records[1].end == at(10.029 + 1.013 + 4 * 1.001));
  CHECK(std::any_of(seen.runs.begin(), seen.runs.end(), [](const RunRecord& run) {
    return run.start == at(10.029) && run.shape.prefill_tokens == 13 && run.shape.decode_sequences == 0;
  }));
}

TEST_CASE("a preemption after the first token leaves the time of that token and of the first iteration alone") {
  const RequestRecord record = serve(tight(6), kTwo).by_index()[1];
  CHECK(record.scheduled == at(0));
  CHECK(record.first_token == at(1.016));
  CHECK(record.preempted_before_first_token == Seconds(0));
}

TEST_CASE("a preempted request gets each of its tokens once") {
  const Watcher seen = serve(tight(6), kTwo);
  CHECK(seen.by_index()[1].output_tokens == 10);
  std::int64_t sampled = 0;
  for (const RunRecord& run : seen.runs) sampled += run.iterations * run.shape.sampled_sequences;
  CHECK(sampled == 10 + 10);
}

TEST_CASE("the gap across a preemption is announced singly") {
  VectorSource source(kTwo);
  Collector seen;
  Cluster cluster(tight(6), source, seen);
  while (cluster.run(1000)) {
  }
  REQUIRE(seen.gaps.size() == 1);
  CHECK(seen.gaps[0].count == 1);
  CHECK(seen.gaps[0].seconds == Approx((11.042 - 5.024) * 1e-3).epsilon(1e-9));
}

TEST_CASE("a request preempted in its prefill counts its wait until it is admitted again") {
  // Budget 8, 6 blocks. To 1.008 the first's prompt; to 2.016 its second token (3 blocks) and 7 of the
  // other's 20 (2); then 7 more would make 4 + 3 blocks. The other waits while the first takes its last
  // token, to 3.017, and has chunks of 8, 8 and 4 after that.
  const Watcher seen = serve(tight(6, 8), {request_at(0, 8, 3), request_at(0, 20, 1)});
  const RequestRecord record = seen.by_index()[1];
  CHECK(record.preemptions == 1);
  CHECK(record.scheduled == at(1.008));
  CHECK(record.preempted_before_first_token.value() == Approx(1.001e-3).epsilon(1e-9));
  CHECK(record.first_token == at(3.017 + 2 * 1.008 + 1.004));
}

TEST_CASE("the last admitted go first, and come back in the order of their admission") {
  // Three of 8 and 10 tokens in 9 blocks, budget 24. Prefill to 1.024; at the fifth decode 12 blocks are too
  // many: at 1.024 + 4 * 1.003 = 5.036 the third goes. At the ninth the others need 5 each: at 5.036 + 4
  // * 1.002 = 9.044 the second goes, to the front of the queue. The first ends at 10.045; then 17 tokens of
  // the second, which give its last, share the budget with 7 of the third's 13, whose last 6 give its sixth
  // token.
  const Watcher seen = serve(tight(9, 24), {request_at(0, 8, 10), request_at(0, 8, 10), request_at(0, 8, 10)});
  const auto records = seen.by_index();
  CHECK(records[0].preemptions == 0);
  CHECK(records[0].end == at(9.044 + 1.001));
  CHECK(records[1].preemptions == 1);
  CHECK(records[1].end == at(10.045 + 1.024));
  CHECK(records[2].preemptions == 1);
  CHECK(records[2].end == at(11.069 + 1.006 + 4 * 1.001));
}

TEST_CASE("a preempted request comes back before those that were waiting already") {
  // The third, of one block, waits because two sequences are the limit.
  ClusterSetup setup = tight(6);
  limits_of(setup).max_sequences = 2;
  const Watcher seen = serve(setup, {kTwo[0], kTwo[1], request_at(0, 4, 1)});
  CHECK(seen.by_index()[2].scheduled == at(10.029));  // not at 6.025, when a sequence and 2 blocks are free
}

TEST_CASE("prefill first preempts and recomputes alike") {
  const Watcher seen = serve(tight(6, 100, "prefill_first"), kTwo);
  CHECK(seen.by_index()[1].preemptions == 1);
  CHECK(seen.by_index()[1].end == at(10.029 + 1.013 + 4 * 1.001));
}

TEST_CASE("the oldest request is never preempted, however tight the blocks, and all get through") {
  std::int64_t preemptions = 0;
  check_property(300, [&] {
    ClusterSetup setup = tight(15, draw(30, 60));  // 60 tokens: any of them fits alone
    setup.pools[0].cost = linear_cost(1e-3, 0, 0, 1000, 64);
    std::vector<RequestSpec> specs;
    for (int i = 0; i < 8; ++i) specs.push_back(request_at(0, draw(1, 29), draw(1, 29)));
    const auto records = serve(setup, specs).by_index();
    RC_ASSERT(records.size() == specs.size());
    RC_ASSERT(records[0].preemptions == 0);
    RC_ASSERT(records[0].end.ns == specs[0].output_tokens * kMs);  // a token in every iteration
    for (std::size_t i = 0; i < specs.size(); ++i) {
      RC_ASSERT(records[i].output_tokens == specs[i].output_tokens);
      preemptions += records[i].preemptions;
    }
  });
  CHECK(preemptions > 300);
}

}  // namespace
}  // namespace silicast::testing
