// Prompts that begin alike, by hand: what is computed once, what is kept, what must make room.
#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

constexpr std::int64_t kMs = 1'000'000;

// One replica of 1 ms and 10 us a token an iteration, blocks of 4 tokens, prompts known by blocks of 8.
std::vector<RequestRecord> served(std::vector<RequestSpec> requests, std::vector<std::vector<std::uint64_t>> blocks,
                                  std::int64_t kv_blocks, bool cache = true) {
  ClusterSetup setup;
  PoolSetup pool;
  pool.limits.max_sequences = 8;
  pool.limits.max_batched_tokens = pool.limits.max_chunk = 64;
  pool.limits.block_size = 4;
  pool.limits.blocks = kv_blocks;
  pool.limits.prompt_block = cache ? 8 : 0;
  pool.cost = linear_cost(1e-3, 1e-5, 0, 64, 8);
  pool.make_scheduler = schedulers.find("chunked")->make;
  setup.pools.push_back(std::move(pool));
  setup.make_router = routers.find("least_loaded")->make;
  setup.max_contexts = {1000};
  VectorSource source(std::move(requests), std::move(blocks), 8);
  Collector collector;
  Cluster cluster(std::move(setup), source, collector);
  while (cluster.run(1000)) {
  }
  return collector.by_index();
}

double ttft_ms(const RequestRecord& record) {
  return 1e-6 * static_cast<double>((record.first_token - record.arrival).value() * 1e9);
}

TEST_CASE("a prompt whose beginning was computed before computes the rest alone") {
  const auto records = served({request_at(0, 20, 1), request_at(10 * kMs, 20, 1)}, {{1, 2, 3}, {1, 2, 4}}, 100);
  CHECK(records[0].cached_tokens == 0);
  CHECK(ttft_ms(records[0]) == Approx(1.2));
  CHECK(records[1].cached_tokens == 16);
  CHECK(ttft_ms(records[1]) == Approx(1.04));
}

TEST_CASE("the last token of a prompt is always computed, and a block that is not whole is nobody else's") {
  const auto records = served(
      {request_at(0, 16, 1), request_at(10 * kMs, 16, 1), request_at(20 * kMs, 20, 1), request_at(30 * kMs, 20, 1)},
      {{1, 2}, {1, 2}, {1, 2, 3}, {1, 2, 3}}, 100);
  CHECK(records[1].cached_tokens == 8);
  CHECK(records[2].cached_tokens == 16);
  CHECK(records[3].cached_tokens == 16);
}

TEST_CASE("without the cache, and where nobody knows the blocks, everything is computed") {
  for (const bool cache : {false, true}) {
    const auto records = served({request_at(0, 20, 1), request_at(10 * kMs, 20, 1)},
                                cache ? std::vector<std::vector<std::uint64_t>>{{}, {}}
                                      : std::vector<std::vector<std::uint64_t>>{{1, 2, 3}, {1, 2, 3}},
                                100, cache);
    CHECK(records[1].cached_tokens == 0);
    CHECK(ttft_ms(records[1]) == Approx(1.2));
  }
}

TEST_CASE("what nobody uses makes room for who needs it, the least recently used first") {
  // Ten blocks: two prompts of four leave two free; one of six takes the older one's away.
  const auto records = served({request_at(0, 16, 1), request_at(10 * kMs, 16, 1), request_at(20 * kMs, 24, 1),
                               request_at(30 * kMs, 17, 1), request_at(40 * kMs, 17, 1)},
                              {{1, 2}, {3, 4}, {5, 6, 7}, {3, 4, 8}, {1, 2, 9}}, 10);
  CHECK(records[3].cached_tokens == 16);
  CHECK(records[4].cached_tokens == 0);
}

TEST_CASE("prompts that are computed at once share from then on, and one copy is left") {
  const auto records = served({request_at(0, 16, 40), request_at(0, 16, 40), request_at(5 * kMs, 17, 1)},
                              {{1, 2}, {1, 2}, {1, 2, 3}}, 100);
  CHECK(records[0].cached_tokens == 0);
  CHECK(records[1].cached_tokens == 0);
  CHECK(records[2].cached_tokens == 16);
}

TEST_CASE("an answer whose blocks have ids is there for the next turn, but for its last token and block") {
  // 12 of prompt and 13 of answer store 24 tokens, so three whole blocks; the second turn goes on with 5 more.
  const auto records = served({request_at(0, 12, 13), request_at(100 * kMs, 30, 1), request_at(200 * kMs, 30, 1)},
                              {{1, 2, 3, 4}, {1, 2, 3, 5}, {1, 2, 3, 5}}, 100);
  CHECK(records[1].cached_tokens == 24);
  CHECK(records[2].cached_tokens == 24);
  // One token less stores 23.
  CHECK(
      served({request_at(0, 12, 12), request_at(100 * kMs, 30, 1)}, {{1, 2, 3}, {1, 2, 3, 5}}, 100)[1].cached_tokens ==
      16);
}

TEST_CASE("the last block of a prompt that is not whole stays its own when its answer has no ids") {
  const auto records = served({request_at(0, 12, 40), request_at(100 * kMs, 30, 1)}, {{1, 2}, {1, 2, 3, 5}}, 100);
  CHECK(records[1].cached_tokens == 8);
}

TEST_CASE("a preempted request finds its prompt and its answer again where nobody took their memory") {
  // Both grow until the ten blocks are out; the second gives way, and comes back once the first has ended.
  const auto records = served({request_at(0, 8, 17), request_at(0, 8, 17)}, {{1, 2, 3, 4}, {5, 6, 7, 8}}, 10);
  CHECK(records[1].preemptions == 1);
  const auto without = served({request_at(0, 8, 17), request_at(0, 8, 17)}, {{1}, {5}}, 10);
  CHECK(without[1].preemptions == 1);
  CHECK(records[1].end <= without[1].end);
}

}  // namespace
}  // namespace silicast::testing
