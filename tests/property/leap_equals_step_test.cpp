// The leap and the step mode are two ways to the same history, bit for bit.
#include <catch2/catch.hpp>

#include "tests/support/measured_data.hpp"
#include "tests/support/watcher.hpp"

namespace silicast::testing {
namespace {

Collector play(const RandomScenario& scenario, bool leap) {
  ClusterSetup setup = scenario.setup;
  setup.leap = leap;
  VectorSource source = scenario.source();
  Collector collector;
  Cluster cluster(std::move(setup), source, collector);
  while (cluster.run(1'000'000)) {
  }
  return collector;
}

void compare_runs(const Collector& leap, const Collector& step) {
  REQUIRE(leap.runs.size() == step.runs.size());
  const auto by_start = [](const RunRecord& x, const RunRecord& y) {
    return x.start != y.start ? x.start < y.start : x.replica < y.replica;
  };
  std::vector<RunRecord> runs = leap.runs, steps = step.runs;
  std::sort(runs.begin(), runs.end(), by_start);
  std::sort(steps.begin(), steps.end(), by_start);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    INFO("run from " << runs[i].start.ns << " of replica " << runs[i].replica.value);
    REQUIRE(same(runs[i], steps[i]));
  }
}

struct Counted {
  std::int64_t cached = 0, preempted = 0, left = 0;
};

Counted compare_with_cache(RandomFeatures features) {
  Counted counted;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const RandomScenario scenario = random_scenario(seed, 1, features);
    INFO(scenario.description);
    const Collector leap = play(scenario, true), step = play(scenario, false);
    REQUIRE(leap.records.size() == step.records.size());
    const auto a = leap.by_index(), b = step.by_index();
    for (std::size_t i = 0; i < a.size(); ++i) {
      INFO("request " << a[i].index << ": leap ends " << a[i].end.ns << ", step " << b[i].end.ns);
      REQUIRE(same(a[i], b[i]));
      counted.cached += a[i].cached_tokens > 0;
      counted.preempted += a[i].preemptions;
      counted.left += a[i].state == EndState::kTimedOut || a[i].state == EndState::kAborted;
    }
  }
  return counted;
}

TEST_CASE("leap and step mode give bit-identical histories where prompts are kept in a cache, in 400 random systems") {
  const Counted counted = compare_with_cache({.prompts = true});
  CHECK(counted.cached > 3000);
  CHECK(counted.preempted > 300);
}

TEST_CASE("leap and step mode give bit-identical histories where answers are kept as well, in 400 random systems") {
  const Counted counted = compare_with_cache({.prompts = true, .answers = true});
  CHECK(counted.cached > 3000);
  CHECK(counted.preempted > 300);
  CHECK(counted.left > 100);
}

TEST_CASE("leap and step mode give bit-identical histories where pools prefill for others, in 600 random systems") {
  std::int64_t handed_on = 0, preempted = 0, departed = 0, unfinished = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    const RandomScenario scenario =
        random_scenario(seed, 1, {.prompts = seed % 2 == 0, .roles = true, .loads = seed % 3 == 0});
    INFO(scenario.description);
    const Collector leap = play(scenario, true), step = play(scenario, false);
    if (scenario.setup.horizon == SimTime::never()) REQUIRE(leap.records.size() == scenario.requests.size());
    REQUIRE(leap.records.size() == step.records.size());
    const auto a = leap.by_index(), b = step.by_index();
    for (std::size_t i = 0; i < a.size(); ++i) {
      INFO("request " << a[i].index << ": leap ends " << a[i].end.ns << ", step " << b[i].end.ns);
      REQUIRE(same(a[i], b[i]));
      handed_on += a[i].prefilled != SimTime::never();
      preempted += a[i].preemptions;
      departed += a[i].state == EndState::kTimedOut || a[i].state == EndState::kAborted;
      unfinished += a[i].state == EndState::kUnfinished;
    }
    compare_runs(leap, step);
  }
  CHECK(handed_on > 10'000);
  CHECK(preempted > 300);
  CHECK(departed > 300);
  CHECK(unfinished > 300);
}

TEST_CASE("leap and step mode give bit-identical histories in 600 random systems") {
  std::int64_t preemptions = 0, departures = 0, cut_off = 0, rejected = 0, lock_steps = 0, limits = 0, drafts = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    const RandomScenario scenario = random_scenario(seed);
    INFO(scenario.description);
    const Collector leap = play(scenario, true), step = play(scenario, false);
    if (scenario.setup.horizon == SimTime::never()) REQUIRE(leap.records.size() == scenario.requests.size());
    REQUIRE(leap.records.size() == step.records.size());
    const auto a = leap.by_index(), b = step.by_index();
    for (std::size_t i = 0; i < a.size(); ++i) {
      INFO("request " << a[i].index << ": leap ends " << a[i].end.ns << ", step " << b[i].end.ns);
      REQUIRE(same(a[i], b[i]));
      preemptions += a[i].preemptions;
      departures += a[i].state == EndState::kTimedOut || a[i].state == EndState::kAborted;
      cut_off += a[i].state == EndState::kUnfinished;
      rejected += a[i].state == EndState::kRejected;
    }
    compare_runs(leap, step);
    for (const RunRecord& run : leap.runs) {
      lock_steps += pool_of(scenario.setup, run.replica).ranks > 1;
      limits += run.shape.limited[0].growth > 0;
      drafts += run.shape.accepted_drafts > 0;
    }
    note_accuracy("leap mode against step mode, every timestamp of random systems", "test_property", 0);
  }
  // The generator reaches the hard places.
  CHECK(preemptions > 1000);
  CHECK(departures > 100);
  CHECK(cut_off > 100);
  CHECK(rejected > 100);
  CHECK(lock_steps > 1000);
  CHECK(limits > 1000);
  CHECK(drafts > 1000);
}

}  // namespace
}  // namespace silicast::testing
