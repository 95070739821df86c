// Ranks in lock step: sums of their works, and the timelines of small groups worked out by hand.
#include "sim/serving/lock_step.hpp"

#include <chrono>

#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

// An iteration of a rank takes 1 ms and 1 us a token, of the group 100 us more and 10 us for each token of the fullest rank.
IterationCost shared_cost(std::int32_t ranks) {
  IterationCost::Common common;
  for (std::int32_t m = 0; m <= ranks * 1000; ++m) common.group_tokens.push_back(m == 0 ? 0 : 100e-6);
  for (std::int32_t m = 0; m <= 1000; ++m) common.exchange.push_back(10e-6 * m);
  return linear_cost(1e-3, 1e-6, 0, 1000, 64, common);
}

ClusterSetup lock_stepped(std::int32_t ranks) {
  ClusterSetup setup = one_replica();
  setup.pools[0].ranks = ranks;
  setup.pools[0].cost = shared_cost(ranks);
  return setup;
}

TEST_CASE("an iteration of the group takes as long as its slowest rank, and what they share") {
  // Round robin: a prompt of 50 on rank 0 and one of 20 on rank 1, both with two output tokens.
  const Watcher seen = serve(lock_stepped(2), {request_at(0, 50, 2), request_at(0, 20, 2)});
  REQUIRE(seen.runs.size() == 2);
  const auto records = seen.by_index();
  CHECK(records[0].replica.value == 0);
  CHECK(records[1].replica.value == 1);
  // 1 ms + 50 us, shared 100 us + 50 x 10 us; then one token each.
  const SimTime first = at(1.05 + 0.6), second = at(1.65 + 1.001 + 0.11);
  for (const RequestRecord& record : records) {
    CHECK(record.first_token == first);
    CHECK(record.end == second);
  }
  CHECK(seen.runs[0].shape.prefill_tokens == 70);
  CHECK(seen.runs[0].shape.sampled_sequences == 2);
  CHECK(seen.runs[1].shape.decode_sequences == 2);
}

TEST_CASE("a rank that joins waits for the iteration in flight") {
  // Rank 0 decodes alone; the request for rank 1 comes 0.3 ms into its third iteration.
  const ClusterSetup setup = lock_stepped(2);
  const double prefill = 1.01 + 0.1 + 0.1, decode = 1.001 + 0.11;
  const SimTime arrival = at(prefill + 2 * decode + 0.3);
  const Watcher seen = serve(setup, {request_at(0, 10, 8), request_at(arrival.ns, 30, 2)});
  const auto records = seen.by_index();
  CHECK(records[1].scheduled == at(prefill + 3 * decode));
  // Rank 1 computes 30 tokens while rank 0 computes one.
  const double both = 1.03 + 0.1 + 0.3;
  CHECK(records[1].first_token == at(prefill + 3 * decode + both));
  CHECK(records[1].end == at(prefill + 4 * decode + both));
  CHECK(records[0].end == at(prefill + 6 * decode + both));  // 7 tokens after the first, one of them beside the prompt
}

TEST_CASE("an idle rank costs nothing, and the group goes on alone") {
  const Watcher seen = serve(lock_stepped(4), {request_at(0, 10, 3)});
  CHECK(seen.records[0].end == at(1.01 + 0.2 + 2 * (1.001 + 0.11)));
  CHECK(seen.runs.back().shape.decode_sequences == 1);
}

TEST_CASE("requests of one instant end in the order of their ranks") {
  std::vector<RequestSpec> requests;
  for (int i = 0; i < 6; ++i) requests.push_back(request_at(0, 10, 3));
  const Watcher seen = serve(lock_stepped(3), requests);
  std::vector<std::int32_t> ranks;
  for (const RequestRecord& record : seen.records) ranks.push_back(record.replica.value);
  CHECK(ranks == std::vector<std::int32_t>{0, 0, 1, 1, 2, 2});
}

TEST_CASE("each rank has KV blocks of its own") {
  ClusterSetup setup = lock_stepped(2);
  limits_of(setup).blocks = 3;  // of 10 tokens, for a request of 25
  const Watcher seen = serve(setup, {request_at(0, 20, 6), request_at(0, 20, 6), request_at(0, 20, 6)});
  const auto records = seen.by_index();
  CHECK(records[0].scheduled == at(0));
  CHECK(records[1].scheduled == at(0));
  CHECK(records[2].scheduled >= records[0].end);  // the second turn of rank 0
}

// The sums of LockStep against works added up one by one.
TEST_CASE("the work of the group is the sum of its ranks' at any iteration") {
  const IterationCost cost = shared_cost(4);
  check_property(200, [&] {
    LockStep group(4, cost);
    std::vector<IterationWork> works(4);
    std::vector<std::int64_t> since(4, 0);
    std::int64_t now = 0;
    for (int step = 0; step < 30; ++step) {
      const auto rank = static_cast<std::size_t>(draw(0, 3));
      IterationWork work;
      work.shape.decode_sequences = draw(0, 9);
      work.shape.decode_kv_tokens = work.shape.decode_sequences * draw(1, 50);
      work.shape.prefill_tokens = draw(0, 20);
      work.shape.sampled_sequences = work.shape.decode_sequences;
      work.shape.limited[1] = {1.0 * draw(0, 100), 1.0 * draw(0, 9)};
      work.prefill_pairs = draw(0, 1000);
      work.line = {1e-3 * draw(1, 9), 1e-6 * draw(0, 9)};
      if (work.tokens(1) == 0) work.line = {};
      works[rank] = work;
      since[rank] = now;
      group.set(static_cast<std::int32_t>(rank), work, now);
      now += draw(0, 7);
      const IterationWork total = group.total(now);
      std::int64_t kv = 0, tokens = 0;
      std::int32_t decodes = 0, most = 0;
      double pairs = 0, limited = 0, longest = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        const double passed = static_cast<double>(now - since[i]);
        decodes += works[i].shape.decode_sequences;
        kv += works[i].shape.decode_kv_tokens + works[i].shape.decode_sequences * (now - since[i]);
        limited += works[i].shape.limited[1].tokens + works[i].shape.limited[1].growth * passed;
        pairs += works[i].prefill_pairs;
        tokens += works[i].tokens(1);
        most = std::max(most, works[i].tokens(1));
        longest = std::max(longest, works[i].line.first + works[i].line.slope * passed);
      }
      RC_ASSERT(total.shape.decode_sequences == decodes);
      RC_ASSERT(total.shape.decode_kv_tokens == kv);
      RC_ASSERT(total.shape.limited[1].tokens == limited);
      RC_ASSERT(total.prefill_pairs == pairs);
      if (tokens == 0) continue;
      RC_ASSERT(std::abs(total.line.first - longest - 100e-6 - 10e-6 * most) <= 1e-12);
    }
  });
}

// Events of a group of many ranks of which one at a time changes: bookkeeping of a change is O(log ranks).
TEST_CASE("a change of one rank among thousands costs no walk over all") {
  const auto seconds_of = [](std::int32_t ranks) {
    const IterationCost cost = shared_cost(ranks);
    LockStep group(ranks, cost);
    IterationWork work;
    work.shape.decode_sequences = work.shape.sampled_sequences = 1;
    work.line = {1e-3, 1e-6};
    for (std::int32_t rank = 0; rank < ranks; ++rank) group.set(rank, work, 0);
    const auto start = std::chrono::steady_clock::now();
    double sum = 0;
    for (std::int64_t i = 1; i <= 20000; ++i) {
      const auto rank = static_cast<std::int32_t>(i % ranks);
      work.line.first = 1e-3 + 1e-9 * static_cast<double>(i % 7);
      group.set(rank, work, i);
      group.set_change(rank, i + 5);
      sum += group.total(i).line.first;
    }
    CHECK(sum > 0);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const double few = seconds_of(16), many = seconds_of(4096);
  CHECK(many < 20 * few + 0.01);  // log 4096 / log 16 is 3; a walk would take 256 times as long
}

}  // namespace
}  // namespace silicast::testing
