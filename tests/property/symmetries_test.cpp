// Changes of a serving system that must not change its history: another unit of time, a replica taken out and
// run alone, pools in another order.
#include <catch2/catch.hpp>
#include <tuple>

#include "tests/support/watcher.hpp"

namespace silicast::testing {
namespace {

constexpr std::uint64_t kFirstSeed = 40'001, kLastSeed = 40'250;
constexpr std::int64_t kHead = 1'000'000'000'000;  // ns; far longer than any iteration

TEST_CASE("stretching every duration and gap by four stretches the history by four") {
  for (std::uint64_t seed = kFirstSeed; seed <= kLastSeed; ++seed) {
    const RandomScenario scenario = random_scenario(seed);
    INFO(scenario.description);
    const Watcher plain = watch(scenario), slow = watch(random_scenario(seed, 4));
    const auto a = plain.by_index(), b = slow.by_index();
    REQUIRE(a.size() == b.size());
    // Each run rounds once in either history.
    const double tolerance = 0.5 * (4 + 1) * static_cast<double>(plain.runs.size());
    const auto stretched = [&](SimTime time, SimTime four_times) {
      if (time == SimTime::never()) return four_times == SimTime::never();
      return std::abs(static_cast<double>(four_times.ns - 4 * time.ns)) <= tolerance;
    };
    for (std::size_t i = 0; i < a.size(); ++i) {
      INFO("request " << i << ": ends at " << a[i].end.ns << " and " << b[i].end.ns);
      REQUIRE((a[i].state == b[i].state && a[i].replica == b[i].replica && a[i].preemptions == b[i].preemptions));
      REQUIRE(stretched(a[i].scheduled, b[i].scheduled));
      REQUIRE(stretched(a[i].first_token, b[i].first_token));
      REQUIRE(stretched(a[i].end, b[i].end));
    }
  }
}

// Replica r of a cluster, alone with the requests that the cluster sent there.
Watcher watch_alone(const RandomScenario& scenario, ReplicaId replica, const std::vector<RequestRecord>& records) {
  RandomScenario alone;
  alone.setup = scenario.setup;
  alone.setup.pools = {pool_of(scenario.setup, replica)};
  alone.setup.pools[0].replicas = 1;
  for (const RequestRecord& record : records)
    if (record.replica == replica) alone.requests.push_back(scenario.requests[static_cast<std::size_t>(record.index)]);
  return watch(alone);
}

// What a request tells of its replica, whatever its number there.
auto fate(const RequestRecord& record) {
  return std::tuple(record.arrival, record.scheduled, record.first_token, record.end, record.prompt_tokens,
                    record.output_tokens, record.preemptions, record.state, record.reason);
}

TEST_CASE("a replica serves what it was sent as if it were alone, bit for bit, behind every router") {
  std::int64_t compared = 0;
  for (std::uint64_t seed = kFirstSeed; seed <= kLastSeed; ++seed) {
    RandomScenario scenario = random_scenario(seed, 1, {.ranks = false, .drafts = false});
    scenario.setup.horizon = SimTime::never();
    INFO(scenario.description);
    const auto together = watch(scenario).by_index();
    std::int32_t replicas = 0;
    for (const PoolSetup& pool : scenario.setup.pools) replicas += pool.replicas;
    for (ReplicaId replica{0}; replicas > 1 && replica.value < replicas; ++replica.value) {
      const auto alone = watch_alone(scenario, replica, together).by_index();
      std::size_t next = 0;
      for (const RequestRecord& record : together) {
        if (record.replica != replica) continue;
        INFO("replica " << replica.value << ", request " << record.index);
        REQUIRE(next < alone.size());
        REQUIRE(fate(record) == fate(alone[next++]));
        ++compared;
      }
      REQUIRE(next == alone.size());
    }
  }
  CHECK(compared > 5000);
}

TEST_CASE("round robin over pools in reverse order gives each request the same fate on the mirrored replica") {
  std::int64_t compared = 0;
  for (std::uint64_t seed = kFirstSeed; seed <= kLastSeed; ++seed) {
    RandomScenario scenario = random_scenario(seed, 1, {.ranks = false, .drafts = false});
    scenario.setup.make_router = routers.find("round_robin")->make;
    scenario.setup.max_contexts = {100'000};  // nobody is turned away before the router: it takes its turns as below
    if (scenario.setup.pools.size() < 2) continue;
    for (PoolSetup& pool : scenario.setup.pools) pool.replicas = 1;
    INFO(scenario.description);
    RandomScenario mirrored = scenario;
    std::swap(mirrored.setup.pools[0], mirrored.setup.pools[1]);
    // A tiny request long before the others takes the first turn, so that the turns are mirrored too.
    for (RequestSpec& spec : mirrored.requests) {
      spec.arrival.ns += kHead;
      if (spec.deadline != SimTime::never()) spec.deadline.ns += kHead;
    }
    if (scenario.setup.horizon != SimTime::never()) mirrored.setup.horizon.ns += kHead;
    mirrored.requests.insert(mirrored.requests.begin(), request_at(0, 1, 1));
    const auto a = watch(scenario).by_index(), b = watch(mirrored).by_index();
    REQUIRE(b.size() == a.size() + 1);
    for (std::size_t i = 0; i < a.size(); ++i) {
      INFO("request " << i);
      const RequestRecord& other = b[i + 1];
      REQUIRE(a[i].replica.value == 1 - other.replica.value);
      REQUIRE((a[i].state == other.state && a[i].preemptions == other.preemptions));
      REQUIRE((a[i].output_tokens == other.output_tokens && a[i].end.ns == other.end.ns - kHead));
      ++compared;
    }
  }
  CHECK(compared > 3000);
}

}  // namespace
}  // namespace silicast::testing
