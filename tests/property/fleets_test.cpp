// Systems of several pools with roles and models: bytes are conserved, and who has nothing to do with each other does not
// notice the other.
#include <catch2/catch.hpp>
#include <tuple>

#include "tests/support/watcher.hpp"

namespace silicast::testing {
namespace {

auto fate(const RequestRecord& record) {
  return std::tuple(record.arrival, record.scheduled, record.prefilled, record.first_token, record.end,
                    record.prompt_tokens, record.output_tokens, record.preemptions, record.state, record.reason);
}

// Nobody leaves, and there is room for all that comes from elsewhere at once: nothing is moved in vain.
RandomScenario roomy(std::uint64_t seed) {
  RandomScenario scenario = random_scenario(seed, 1, {.drafts = false, .roles = true});
  scenario.setup.horizon = SimTime::never();
  for (RequestSpec& spec : scenario.requests) spec.deadline = SimTime::never();
  for (PoolSetup& pool : scenario.setup.pools)
    if (pool.role == PoolRole::kDecode) pool.limits.blocks = 1'000'000;
  return scenario;
}

TEST_CASE("every link carries the bytes of the caches that went over it, in 200 random systems") {
  std::int64_t moved = 0;
  for (std::uint64_t seed = 60'001; seed <= 60'200; ++seed) {
    const RandomScenario scenario = roomy(seed);
    INFO(scenario.description);
    VectorSource source = scenario.source();
    Collector collector;
    Cluster cluster(scenario.setup, source, collector);
    while (cluster.run(1'000'000)) {
    }
    TransferPaths paths = scenario.setup.transfers->paths;
    std::vector<std::int64_t> expected(paths.capacities().size());
    std::int64_t asked = 0;
    for (const RequestRecord& record : collector.records) {
      if (record.prefilled == SimTime::never()) continue;
      const std::int64_t bytes = pool_of(scenario.setup, record.replica).kv.of(record.prompt_tokens);
      asked += bytes;
      for (const std::int32_t link : paths.links(record.prefill_replica.value, record.replica.value))
        expected[static_cast<std::size_t>(link)] += bytes;
    }
    REQUIRE(cluster.transfers()->in_flight() == 0);
    REQUIRE(cluster.transfers()->bytes_asked() == asked);
    for (std::size_t link = 0; link < expected.size(); ++link)
      REQUIRE(cluster.transfers()->flows().carried(static_cast<std::int32_t>(link)) == expected[link]);
    moved += asked;
  }
  CHECK(moved > 1'000'000'000);
}

TEST_CASE("whoever leaves, or is driven out, takes no more of the links than has moved, in 200 random systems") {
  for (std::uint64_t seed = 61'001; seed <= 61'200; ++seed) {
    const RandomScenario scenario = random_scenario(seed, 1, {.roles = true});
    INFO(scenario.description);
    VectorSource source = scenario.source();
    Collector collector;
    Cluster cluster(scenario.setup, source, collector);
    while (cluster.run(1'000'000)) {
    }
    if (scenario.setup.horizon == SimTime::never()) REQUIRE(cluster.transfers()->in_flight() == 0);
    const double seconds = cluster.now().seconds();
    const FlowNetwork& flows = cluster.transfers()->flows();
    for (std::int32_t link = 0; link < flows.links(); ++link) {
      REQUIRE(flows.carried(link) <= cluster.transfers()->bytes_asked());
      REQUIRE(static_cast<double>(flows.carried(link)) <= flows.capacity(link).value() * seconds * (1 + 1e-9) + 1);
    }
  }
}

TEST_CASE("a pool that gets nothing changes nothing") {
  for (std::uint64_t seed = 62'001; seed <= 62'100; ++seed) {
    const RandomScenario scenario = random_scenario(seed);
    INFO(scenario.description);
    RandomScenario more = scenario;
    more.setup.pools.push_back(more.setup.pools[0]);
    more.setup.pools.back().overflow_after = 1e6;
    const auto a = watch(scenario).by_index(), b = watch(more).by_index();
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      REQUIRE(fate(a[i]) == fate(b[i]));
      REQUIRE(a[i].replica == b[i].replica);
    }
  }
}

// Routers that draw would draw in another order.
bool draws(const RandomScenario& scenario) {
  return scenario.setup.make_router == routers.find("random")->make ||
         scenario.setup.make_router == routers.find("two_choices")->make;
}

TEST_CASE("two models on pools of their own are two clusters, in random systems") {
  std::int64_t compared = 0;
  for (std::uint64_t seed = 63'001; seed <= 63'300; seed += 2) {
    const RandomScenario first = random_scenario(seed, 1, {.drafts = false});
    RandomScenario second = random_scenario(seed + 1, 1, {.drafts = false});
    if (draws(first)) continue;
    second.setup.make_router = first.setup.make_router;
    second.setup.horizon = first.setup.horizon;
    RandomScenario both = first;
    both.setup.max_contexts = {first.setup.max_contexts[0], second.setup.max_contexts[0]};
    both.setup.class_models = {0, 1};
    for (PoolSetup pool : second.setup.pools) {
      pool.model = 1;
      both.setup.pools.push_back(pool);
    }
    for (RequestSpec spec : second.requests) {
      spec.request_class = ClassId{1};
      both.requests.push_back(spec);
    }
    std::stable_sort(both.requests.begin(), both.requests.end(),
                     [](const RequestSpec& a, const RequestSpec& b) { return a.arrival < b.arrival; });
    INFO(first.description << "\n" << second.description);
    const auto together = watch(both).by_index();
    const std::vector<RequestRecord> alone[] = {watch(first).by_index(), watch(second).by_index()};
    std::size_t next[] = {0, 0};
    for (const RequestRecord& record : together) {
      const auto model = static_cast<std::size_t>(record.request_class.value);
      REQUIRE(next[model] < alone[model].size());
      REQUIRE(fate(record) == fate(alone[model][next[model]++]));
      ++compared;
    }
  }
  CHECK(compared > 5000);
}

}  // namespace
}  // namespace silicast::testing
