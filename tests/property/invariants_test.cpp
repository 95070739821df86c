// What must hold in every serving system, whatever its policies: conservation, causality, limits, work
// conservation and Little's law.
#include <catch2/catch.hpp>
#include <map>

#include "tests/support/watcher.hpp"

namespace silicast::testing {
namespace {

constexpr std::uint64_t kFirstSeed = 30'001, kLastSeed = 30'250;

TEST_CASE("every request that arrived ends exactly once, in the order of the instants") {
  std::int64_t states[5] = {};
  for (std::uint64_t seed = kFirstSeed; seed <= kLastSeed; ++seed) {
    const RandomScenario scenario = random_scenario(seed);
    INFO(scenario.description);
    const Watcher seen = watch(scenario);
    REQUIRE(static_cast<std::int64_t>(seen.records.size()) == seen.arrived);
    REQUIRE(static_cast<std::int64_t>(seen.arrivals.size()) == seen.arrived);
    REQUIRE(seen.left_in_system == 0);
    if (scenario.setup.horizon == SimTime::never()) REQUIRE(seen.records.size() == scenario.requests.size());
    const auto by_index = seen.by_index();
    for (std::size_t i = 0; i < by_index.size(); ++i) {
      REQUIRE(by_index[i].index == static_cast<std::int64_t>(i));  // each id once
      REQUIRE(by_index[i].arrival == scenario.requests[i].arrival);
      REQUIRE(by_index[i].prompt_tokens == scenario.requests[i].prompt_tokens);
      ++states[static_cast<int>(by_index[i].state)];
    }
    for (std::size_t i = 1; i < seen.records.size(); ++i) REQUIRE(seen.records[i - 1].end <= seen.records[i].end);
  }
  for (std::int64_t count : states) CHECK(count > 50);
}

// When a request is in its replica's queue, unless it ends before.
SimTime queued(const RequestRecord& record, const ClusterSetup& setup) {
  return record.replica.valid() ? record.arrival + pool_of(setup, record.replica).way_in : record.arrival;
}

void check_causality(const RequestRecord& record, const RequestSpec& spec, const ClusterSetup& setup) {
  const bool scheduled = record.scheduled != SimTime::never(), answered = record.first_token != SimTime::never();
  REQUIRE(record.arrival <= record.end);
  if (scheduled) REQUIRE((queued(record, setup) <= record.scheduled && record.scheduled <= record.end));
  if (answered) REQUIRE((scheduled && record.scheduled < record.first_token && record.first_token <= record.end));
  REQUIRE(answered == (record.output_tokens > 0));
  REQUIRE(record.preempted_before_first_token.value() >= 0);
  if (record.preempted_before_first_token.value() > 0) REQUIRE(record.preemptions > 0);
  if (record.preemptions > 0) REQUIRE(scheduled);
  REQUIRE(record.end <= spec.deadline);
  switch (record.state) {
    case EndState::kCompleted:
      REQUIRE(record.output_tokens == spec.output_tokens);
      REQUIRE((spec.output_tokens > 1) == (record.first_token < record.end));
      break;
    case EndState::kRejected:
      REQUIRE((!scheduled && record.end == queued(record, setup)));
      break;
    case EndState::kTimedOut:
    case EndState::kAborted:
      REQUIRE((record.end == spec.deadline && record.output_tokens < spec.output_tokens));
      REQUIRE((record.state == EndState::kAborted) == spec.deadline_is_abort);
      break;
    case EndState::kUnfinished:
      REQUIRE((record.end == setup.horizon && record.output_tokens < spec.output_tokens));
      break;
  }
}

TEST_CASE("no request is served before it arrives, answered before it is served, or served after it ended") {
  for (std::uint64_t seed = kFirstSeed; seed <= kLastSeed; ++seed) {
    const RandomScenario scenario = random_scenario(seed);
    INFO(scenario.description);
    for (const RequestRecord& record : watch(scenario).records) {
      INFO("request " << record.index);
      check_causality(record, scenario.requests[static_cast<std::size_t>(record.index)], scenario.setup);
    }
  }
}

TEST_CASE("no batch exceeds its limits and no replica its KV blocks") {
  for (std::uint64_t seed = kFirstSeed; seed <= kLastSeed; ++seed) {
    const RandomScenario scenario = random_scenario(seed, 1, {.prompts = seed % 3 == 0, .answers = seed % 2 == 0});
    INFO(scenario.description);
    for (const RunRecord& run : watch(scenario).runs) {
      const PoolSetup& pool = pool_of(scenario.setup, run.replica);
      const ReplicaLimits& limits = pool.limits;
      REQUIRE((run.kv_blocks_start > 0 && run.kv_blocks_start <= pool.ranks * limits.blocks));
      REQUIRE((run.kv_blocks_end >= 0 && run.kv_blocks_end <= pool.ranks * limits.blocks));
      REQUIRE(run.shape.decode_sequences + run.shape.prefill_sequences <= pool.ranks * limits.max_sequences);
      // A whole prompt may exceed the budget, but only alone.
      const bool alone = run.shape.decode_sequences + run.shape.prefill_sequences == 1;
      const std::int32_t decoded = run.shape.decode_sequences * (1 + limits.drafts);
      REQUIRE((alone || decoded + run.shape.prefill_tokens <= pool.ranks * limits.max_batched_tokens));
      REQUIRE((run.shape.prefill_sequences == 0 || run.iterations <= 1));
    }
  }
}

TEST_CASE("the runs of a replica do not overlap, and it is never idle while one of its requests is in the system") {
  std::int64_t idle_gaps = 0;
  for (std::uint64_t seed = kFirstSeed; seed <= kLastSeed; ++seed) {
    RandomScenario scenario = random_scenario(seed);
    scenario.setup.horizon = SimTime::never();
    INFO(scenario.description);
    const Watcher seen = watch(scenario);
    std::map<ReplicaId, std::vector<std::pair<SimTime, SimTime>>> busy;  // joined periods, by a replica's first rank
    for (const RunRecord& run : seen.runs) {
      auto& periods = busy[run.replica];
      REQUIRE((run.start < run.end && run.iterations > 0));
      if (!periods.empty()) REQUIRE(periods.back().second <= run.start);
      if (!periods.empty() && periods.back().second == run.start)
        periods.back().second = run.end;
      else
        periods.push_back({run.start, run.end});
    }
    for (const auto& [replica, periods] : busy) idle_gaps += static_cast<std::int64_t>(periods.size()) - 1;
    for (const RequestRecord& record : seen.records) {
      if (!record.replica.valid() || record.state == EndState::kRejected) continue;
      const SimTime there = queued(record, scenario.setup);
      if (record.end <= there) continue;  // its client left while it was on its way in
      INFO("request " << record.index << " of replica " << record.replica.value);
      const auto& periods = busy[first_rank(scenario.setup, record.replica)];
      REQUIRE(std::any_of(periods.begin(), periods.end(),
                          [&](const auto& period) { return period.first <= there && record.end <= period.second; }));
    }
  }
  CHECK(idle_gaps > 500);
}

TEST_CASE("tokens out of the iterations are the tokens of the requests") {
  for (std::uint64_t seed = kFirstSeed; seed <= kLastSeed; ++seed) {
    RandomScenario scenario = random_scenario(seed, 1, {.drafts = false});
    scenario.setup.horizon = SimTime::never();
    for (RequestSpec& spec : scenario.requests) spec.deadline = SimTime::never();
    INFO(scenario.description);
    const Watcher seen = watch(scenario);
    std::int64_t sampled = 0, computed = 0, output = 0, needed = 0, preemptions = 0;
    for (const RunRecord& run : seen.runs) {
      sampled += run.iterations * run.shape.sampled_sequences;
      computed += run.iterations * (run.shape.decode_sequences + run.shape.prefill_tokens);
    }
    for (const RequestRecord& record : seen.records) {
      output += record.output_tokens;
      if (record.state == EndState::kCompleted) needed += record.prompt_tokens + record.output_tokens - 1;
      preemptions += record.preemptions;
    }
    REQUIRE(sampled == output);
    REQUIRE(computed >= needed);  // preempted work is done again
    if (preemptions == 0) REQUIRE(computed == needed);
  }
}

// Area under the number in the system, from the announcements, against the sum of the times in the system.
TEST_CASE("Little's law holds to the nanosecond, from the instant at which a client asks") {
  std::int64_t ways_in = 0;
  for (std::uint64_t seed = kFirstSeed; seed <= kLastSeed; ++seed) {
    const RandomScenario scenario = random_scenario(seed);
    INFO(scenario.description);
    const Watcher seen = watch(scenario);
    std::int64_t area = 0, sojourns = 0, present = 0, last = 0;
    std::size_t ended = 0;
    for (std::size_t i = 0; i < seen.arrivals.size(); ++i) {
      for (; ended < seen.records.size() && seen.records[ended].end < seen.arrivals[i]; ++ended, --present) {
        area += present * (seen.records[ended].end.ns - last);
        last = seen.records[ended].end.ns;
      }
      area += present * (seen.arrivals[i].ns - last);
      last = seen.arrivals[i].ns;
      ++present;
      // The cluster's own count, but for those that end at this very instant.
      REQUIRE(seen.in_system[i] <= present);
      const auto now_ending = std::count_if(seen.records.begin(), seen.records.end(),
                                            [&](const auto& record) { return record.end == seen.arrivals[i]; });
      REQUIRE(seen.in_system[i] >= present - now_ending);
    }
    for (; ended < seen.records.size(); ++ended, --present) {
      area += present * (seen.records[ended].end.ns - last);
      last = seen.records[ended].end.ns;
    }
    for (const RequestRecord& record : seen.records) sojourns += record.end.ns - record.arrival.ns;
    REQUIRE(area == sojourns);
    for (const PoolSetup& pool : scenario.setup.pools) ways_in += pool.way_in.value() > 0;
  }
  CHECK(ways_in > 50);
}

void check_sample(const Sample& sample, const Sample& before, const ClusterSetup& setup,
                  const std::vector<RunRecord>& runs) {
  REQUIRE(sample.pools.size() == setup.pools.size());
  for (std::size_t p = 0; p < setup.pools.size(); ++p) {
    const PoolSample& pool = sample.pools[p];
    const PoolSetup& expected = setup.pools[p];
    const std::int32_t ranks = expected.replicas * expected.ranks;
    REQUIRE(pool.kv_blocks_total == ranks * expected.limits.blocks);
    REQUIRE((pool.kv_blocks_used >= 0 && pool.kv_blocks_used <= pool.kv_blocks_total));
    REQUIRE((pool.running > 0 || pool.kv_blocks_used == 0));
    REQUIRE((pool.arriving >= 0 && pool.arriving <= pool.waiting));
    REQUIRE((pool.running > 0 || pool.waiting == pool.arriving));  // work conservation
    REQUIRE((pool.running >= 0 && pool.running <= ranks * expected.limits.max_sequences));
    // The end of each run is rounded to a nanosecond; durations are not.
    const auto begun = std::count_if(runs.begin(), runs.end(), [&](const RunRecord& run) {
      return run.pool.index() == p && run.start <= sample.time;
    });
    const double rounding = 0.5e-9 * static_cast<double>(begun) + 1e-12;
    REQUIRE(pool.busy_time.value() <= expected.replicas * sample.time.seconds() + rounding);
    REQUIRE(pool.prefill_time.value() <= pool.busy_time.value() + rounding);
    if (before.pools.empty()) continue;
    REQUIRE(pool.prompt_tokens >= before.pools[p].prompt_tokens);
    REQUIRE(pool.output_tokens >= before.pools[p].output_tokens);
    REQUIRE(pool.busy_time >= before.pools[p].busy_time);
  }
}

TEST_CASE("samples count who is there, within the limits, and their counters never go back") {
  std::int64_t samples = 0;
  for (std::uint64_t seed = kFirstSeed; seed <= kLastSeed; ++seed) {
    RandomScenario scenario = random_scenario(seed, 1, {.prompts = seed % 3 == 0, .answers = seed % 2 == 0});
    scenario.setup.sample_interval = Seconds(0.05);
    for (RequestSpec& spec : scenario.requests) spec.deadline = SimTime::never();
    INFO(scenario.description);
    const Watcher seen = watch(scenario);
    Sample before;
    for (const Sample& sample : seen.samples) {
      INFO("sample at " << sample.time.ns);
      check_sample(sample, before, scenario.setup, seen.runs);
      for (std::size_t p = 0; p < sample.pools.size(); ++p) {
        const auto present = std::count_if(seen.records.begin(), seen.records.end(), [&](const auto& record) {
          return record.pool.value == static_cast<std::int32_t>(p) && record.arrival <= sample.time &&
                 record.end > sample.time;
        });
        if (sample.time < scenario.setup.horizon) REQUIRE(sample.pools[p].running + sample.pools[p].waiting == present);
      }
      before = sample;
      ++samples;
    }
  }
  CHECK(samples > 5000);
}

}  // namespace
}  // namespace silicast::testing
