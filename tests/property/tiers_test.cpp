// Tiers below the caches of prompts, in whole random systems: leap and step mode agree, nothing is lost or too much.
#include <catch2/catch.hpp>

#include "tests/support/watcher.hpp"

namespace silicast::testing {
namespace {

struct Played {
  std::vector<RequestRecord> records;
  std::vector<RunRecord> runs;
  std::array<TierCounts, kMaxTiers> counts{};
  std::int64_t asked = 0, moved = 0;
  bool has_tiers = false;
};

Played play(const RandomScenario& scenario, bool leap) {
  ClusterSetup setup = scenario.setup;
  setup.leap = leap;
  VectorSource source = scenario.source();
  Watcher watcher;
  Cluster cluster(std::move(setup), source, watcher);
  while (cluster.run(7))
    if (cluster.tiers() != nullptr) cluster.tiers()->check();
  Played played{watcher.by_index(), watcher.runs, {}, 0, 0, cluster.tiers() != nullptr};
  std::sort(played.runs.begin(), played.runs.end(), [](const RunRecord& a, const RunRecord& b) {
    return a.start != b.start ? a.start < b.start : a.replica < b.replica;
  });
  if (!played.has_tiers) return played;
  played.counts = cluster.tiers()->counts();
  played.asked = cluster.tiers()->bytes_asked();
  played.moved = cluster.tiers()->bytes_moved();
  return played;
}

struct Seen {
  std::int64_t fetched = 0, lower = 0, stopped = 0, written = 0, preempted = 0, left = 0;
};

Seen compare(std::uint64_t first, RandomFeatures features) {
  Seen seen;
  for (std::uint64_t seed = first; seed < first + 1000; ++seed) {
    const RandomScenario scenario = random_scenario(seed, 1, features);
    INFO(scenario.description);
    const Played leap = play(scenario, true), step = play(scenario, false);
    REQUIRE(leap.records.size() == step.records.size());
    for (std::size_t i = 0; i < leap.records.size(); ++i) {
      const RequestRecord &a = leap.records[i], &b = step.records[i];
      INFO("request " << a.index << ": leap ends " << a.end.ns << ", step " << b.end.ns);
      REQUIRE(same(a, b));
      seen.preempted += a.preemptions;
      seen.left += a.state == EndState::kTimedOut || a.state == EndState::kAborted;
    }
    REQUIRE(leap.runs.size() == step.runs.size());
    for (std::size_t i = 0; i < leap.runs.size(); ++i) REQUIRE(same(leap.runs[i], step.runs[i]));
    REQUIRE(leap.asked == step.asked);
    REQUIRE(leap.moved == step.moved);
    for (std::size_t t = 0; t < kMaxTiers; ++t) {
      const TierCounts &a = leap.counts[t], &b = step.counts[t];
      REQUIRE(a.asked == b.asked);
      REQUIRE(a.fetched == b.fetched);
      REQUIRE(a.stopped == b.stopped);
      REQUIRE(a.written == b.written);
      REQUIRE(a.most_blocks == b.most_blocks);
      // What was asked for has come, was stopped, or was under way when the simulation stopped.
      REQUIRE(a.fetched + a.stopped <= a.asked);
      if (scenario.setup.horizon == SimTime::never()) REQUIRE(a.fetched + a.stopped == a.asked);
      seen.fetched += a.fetched;
      seen.lower += t > 0 ? a.fetched : 0;
      seen.stopped += a.stopped;
      seen.written += a.written;
    }
    REQUIRE(leap.moved <= leap.asked);
    if (scenario.setup.horizon == SimTime::never()) {
      std::int64_t tokens = 0;
      for (const RequestRecord& record : leap.records) {
        std::int64_t of_tiers = 0;
        for (const std::int32_t fetched : record.fetched_tokens) of_tiers += fetched;
        REQUIRE(of_tiers <= record.cached_tokens);
        tokens += of_tiers;
      }
      std::int64_t asked = 0;
      for (const TierCounts& counts : leap.counts) asked += counts.asked;
      REQUIRE(tokens <= asked * scenario.block_tokens);  // who was preempted may have fetched again
    }
  }
  return seen;
}

TEST_CASE(
    "leap and step mode give bit-identical histories where caches of prompts have tiers, in 1,000 random systems") {
  const Seen seen = compare(1, {.prompts = true, .tiers = true});
  CHECK(seen.fetched > 5000);
  CHECK(seen.lower > 500);
  CHECK(seen.stopped > 0);
  CHECK(seen.written > 5000);
  CHECK(seen.preempted > 300);
  CHECK(seen.left > 100);
}

TEST_CASE(
    "leap and step mode give bit-identical histories with tiers, answers kept and pools that prefill for others") {
  const Seen seen = compare(1001, {.prompts = true, .answers = true, .roles = true, .tiers = true});
  CHECK(seen.fetched > 2000);
}

TEST_CASE("tiers too slow to be of use change nothing, in 200 random systems") {
  std::int64_t written = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    RandomScenario scenario = random_scenario(seed, 1, {.prompts = true, .tiers = true});
    INFO(scenario.description);
    for (PoolSetup& pool : scenario.setup.pools)
      for (TierSetup& tier : pool.tiers.tiers) tier.latency = Seconds(1e4);
    const Played with = play(scenario, true);
    for (PoolSetup& pool : scenario.setup.pools) pool.tiers = {};
    const Played without = play(scenario, true);
    REQUIRE(with.records.size() == without.records.size());
    for (std::size_t i = 0; i < with.records.size(); ++i) REQUIRE(same(with.records[i], without.records[i]));
    for (const TierCounts& counts : with.counts) {
      REQUIRE(counts.asked == 0);
      written += counts.written;
    }
  }
  CHECK(written > 1000);
}

}  // namespace
}  // namespace silicast::testing
