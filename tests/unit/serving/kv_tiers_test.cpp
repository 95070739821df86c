// Tiers below the cache of prompts, by hand: what falls into them, what comes back, and when computing it is sooner.
#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

using Blocks = std::vector<std::vector<std::uint64_t>>;

// 1 ms and 10 us a token an iteration; blocks of 4 tokens, prompts known by blocks of 8; memory for 48 tokens.
ClusterSetup with_tiers(std::vector<TierSetup> tiers) {
  ClusterSetup setup = one_replica();
  PoolSetup& pool = setup.pools[0];
  pool.limits.max_batched_tokens = pool.limits.max_chunk = 64;
  pool.limits.block_size = 4;
  pool.limits.blocks = 12;
  pool.limits.prompt_block = 8;
  pool.cost = linear_cost(1e-3, 1e-5, 0, 64, 8);
  for (std::size_t i = 0; i < tiers.size(); ++i) tiers[i].number = static_cast<std::int32_t>(i);
  pool.tiers.tiers = std::move(tiers);
  pool.tiers.block_bytes = pool.tiers.fetched_bytes = 1000;
  return setup;
}

// Of 100 MB/s: a block takes 10 us.
TierSetup tier_of(std::int64_t blocks, double latency) {
  TierSetup tier;
  tier.blocks = blocks;
  tier.bandwidth = tier.replica_bandwidth = BytesPerSecond(1e8);
  tier.latency = Seconds(latency);
  return tier;
}

struct Served {
  std::vector<RequestRecord> records;
  std::array<TierCounts, kMaxTiers> counts;
};
Served serve_blocks(ClusterSetup setup, std::vector<RequestSpec> requests, Blocks blocks) {
  VectorSource source(std::move(requests), std::move(blocks), 8);
  Collector collector;
  Cluster cluster(std::move(setup), source, collector);
  while (cluster.run(1000)) {
  }
  cluster.tiers()->check();
  return {collector.by_index(), cluster.tiers()->counts()};
}

std::int64_t ttft(const RequestRecord& record) {
  return record.first_token.ns - record.arrival.ns;
}

const Blocks kAgain = {{1, 2, 3, 4, 5}, {11, 12, 13, 14, 15}, {1, 2, 3, 4, 5}};
std::vector<RequestSpec> again() {
  return {request_at(0, 40, 1), request_at(10 * kMs, 40, 1), request_at(100 * kMs, 40, 1)};
}

// The second prompt drives blocks 5, 4, 3 and 2 of the first out of memory. When it comes again 1 is there, and 2 to 4
// can be fetched (of the 40 tokens the last is always computed, and with it what follows the last whole block before).
// Computing 32 tokens takes 1.32 ms; 8 of them 1.08 ms: the fetch may take 0.24 ms.
TEST_CASE("blocks are fetched where that is sooner than computing them") {
  const Served served = serve_blocks(with_tiers({tier_of(100, 200e-6)}), again(), kAgain);
  CHECK(ttft(served.records[0]) == 1400 * kUs);
  CHECK(ttft(served.records[2]) == (230 + 1080) * kUs);
  CHECK(served.records[2].cached_tokens == 32);
  CHECK(served.records[2].fetched_tokens[0] == 24);
  CHECK(served.counts[0].fetched == 3);
  CHECK(served.counts[0].written == 4 + 3);  // 15, 14 and 13 make room for what comes; 12 as the run ends
}

TEST_CASE("blocks are computed where that is sooner than fetching them") {
  const Served served = serve_blocks(with_tiers({tier_of(100, 220e-6)}), again(), kAgain);
  CHECK(ttft(served.records[2]) == 1320 * kUs);
  CHECK(served.records[2].cached_tokens == 8);
  CHECK(served.records[2].fetched_tokens[0] == 0);
  CHECK(served.counts[0].asked == 0);
}

TEST_CASE("what falls out of a tier goes to the next, and comes back from there with its own latency") {
  // The first tier keeps 3 and 2, the last that fell; 5 and 4 go down. Both parts are under way at the same time.
  const Served served = serve_blocks(with_tiers({tier_of(2, 0), tier_of(10, 50e-6)}), again(), kAgain);
  CHECK(served.records[2].fetched_tokens == std::array<std::int32_t, kMaxTiers>{16, 8, 0, 0});
  CHECK(ttft(served.records[2]) == (60 + 1080) * kUs);
  // Where the second is slow, what it has is computed after the rest has come: 16 tokens.
  const Served slow = serve_blocks(with_tiers({tier_of(2, 0), tier_of(10, 200e-6)}), again(), kAgain);
  CHECK(slow.records[2].fetched_tokens == std::array<std::int32_t, kMaxTiers>{16, 0, 0, 0});
  CHECK(ttft(slow.records[2]) == (20 + 1160) * kUs);
}

TEST_CASE("a pool's store gives one replica what another has computed, once it has been written") {
  TierSetup tier = tier_of(100, 0);
  tier.of = TierOwner::kPool;
  tier.through = true;
  ClusterSetup setup = with_tiers({tier});
  setup.pools[0].replicas = 2;
  const Blocks blocks = {{1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}};
  // Round robin: the second is on the other replica.
  const Served served = serve_blocks(setup, {request_at(0, 40, 1), request_at(10 * kMs, 40, 1)}, blocks);
  CHECK(served.records[1].replica.value == 1);
  CHECK(served.records[1].fetched_tokens[0] == 32);
  CHECK(ttft(served.records[1]) == (40 + 1080) * kUs);
  CHECK(served.counts[0].written == 5);
  // The five blocks are written from 1.4 ms to 1.45 ms.
  CHECK(serve_blocks(setup, {request_at(0, 40, 1), request_at(1449 * kUs, 40, 1)}, blocks).counts[0].asked == 0);
  CHECK(serve_blocks(setup, {request_at(0, 40, 1), request_at(1451 * kUs, 40, 1)}, blocks).counts[0].asked == 4);
  // Its own way is narrower than the store's: 40 KB/ms instead of 100.
  setup.pools[0].tiers.tiers[0].replica_bandwidth = BytesPerSecond(4e7);
  CHECK(ttft(serve_blocks(setup, {request_at(0, 40, 1), request_at(10 * kMs, 40, 1)}, blocks).records[1]) ==
        (100 + 1080) * kUs);
}

TEST_CASE("a store of the cluster gives one pool what another has computed, over the way of its own") {
  TierSetup tier = tier_of(100, 0);
  tier.of = TierOwner::kCluster;
  tier.through = true;
  ClusterSetup setup = with_tiers({tier});
  setup.pools.push_back(setup.pools[0]);
  setup.pools[1].tiers.tiers[0].replica_bandwidth = BytesPerSecond(4e7);
  const Blocks blocks = {{1, 2, 3, 4, 5}, {1, 2, 3, 4, 5}};
  const Served served = serve_blocks(setup, {request_at(0, 40, 1), request_at(10 * kMs, 40, 1)}, blocks);
  CHECK(served.records[1].pool.value == 1);
  CHECK(served.records[1].fetched_tokens[0] == 32);
  CHECK(ttft(served.records[1]) == (100 + 1080) * kUs);
  CHECK(served.counts[0].written == 5);
  // Stores of pools are their own.
  for (PoolSetup& pool : setup.pools) pool.tiers.tiers[0].of = TierOwner::kPool;
  CHECK(serve_blocks(setup, {request_at(0, 40, 1), request_at(10 * kMs, 40, 1)}, blocks).counts[0].asked == 0);
}

TEST_CASE("who leaves while blocks are on their way frees what was kept for them") {
  ClusterSetup setup = with_tiers({tier_of(100, 200e-6)});
  std::vector<RequestSpec> requests = again();
  requests[2] = until(requests[2], {100 * kMs + 100 * kUs}, true);
  requests.push_back(request_at(100 * kMs + 50 * kUs, 48, 1));  // needs all of the memory
  const Served served = serve_blocks(setup, requests, {kAgain[0], kAgain[1], kAgain[2], {}});
  CHECK(served.records[2].state == EndState::kAborted);
  CHECK(served.counts[0].asked == 3);
  CHECK(served.counts[0].stopped == 3);
  CHECK(served.records[3].scheduled.ns == 100 * kMs + 100 * kUs);
}

}  // namespace
}  // namespace silicast::testing
