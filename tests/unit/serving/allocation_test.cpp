// The event loop allocates nothing once its tables have grown: counted by a replaced operator new.
#include <catch2/catch.hpp>

#include "serving_for_tests.hpp"
#include "sim/base/random.hpp"
#include "tests/support/count_allocations.hpp"

namespace silicast::testing {
namespace {

// Forty clients that ask again as soon as they are answered or have lost patience, for ever.
class EndlessLoop final : public RequestSource {
 public:
  std::optional<SimTime> next_time() override { return waiting_ > 0 ? std::optional(now_) : std::nullopt; }
  RequestSpec take() override {
    --waiting_;
    RequestSpec spec = request_at(now_.ns, 1 + static_cast<std::int32_t>(draw_.below(300)),
                                  1 + static_cast<std::int32_t>(draw_.below(80)));
    if (draw_.below(4) == 0) spec.deadline = spec.arrival + Seconds(0.1 * draw_.exponential());
    return spec;
  }
  bool more_after_ends() const override { return true; }
  void ended(const RequestSpec&, SimTime now, bool) override {
    now_ = now;
    ++waiting_;
  }

 private:
  RandomStream draw_{1, "endless"};
  SimTime now_;
  int waiting_ = 40;
};

// Its prompts are of three kinds that repeat, so that blocks go down to tiers and come back.
class EndlessPrompts final : public RequestSource {
 public:
  std::optional<SimTime> next_time() override { return loop_.next_time(); }
  RequestSpec take() override {
    const RequestSpec spec = loop_.take();
    const std::uint64_t kind = 1 + draw_.below(3);
    for (std::size_t i = 0; i < ids_.size(); ++i) ids_[i] = 100 * kind + i;
    return spec;
  }
  std::span<const std::uint64_t> blocks() const override { return ids_; }
  std::int32_t block_tokens() const override { return 20; }
  bool more_after_ends() const override { return true; }
  void ended(const RequestSpec& spec, SimTime now, bool answered) override { loop_.ended(spec, now, answered); }

 private:
  EndlessLoop loop_;
  RandomStream draw_{2, "endless"};
  std::array<std::uint64_t, 15> ids_{};
};

class Counter final : public ServingObserver {
 public:
  void request_ended(const RequestRecord& record) override { preemptions += record.preemptions; }
  std::int64_t preemptions = 0;
};

TEST_CASE("the event loop allocates nothing in the steady state, preemptions and departures included") {
  for (const std::string_view scheduler : {"chunked", "prefill_first", "static"})
    for (const std::string_view router : {"round_robin", "least_loaded", "two_choices"}) {
      INFO(scheduler << " behind " << router);
      ClusterSetup setup = one_replica(scheduler);
      setup.make_router = routers.find(router)->make;
      setup.pools[0].replicas = 3;
      limits_of(setup).blocks = 60;
      if (router == "least_loaded") setup.pools[0].way_in = Seconds(2e-3);
      EndlessLoop source;
      Counter counter;
      Cluster cluster(std::move(setup), source, counter);
      REQUIRE(cluster.run(1'000'000));
      const std::int64_t before = allocations, preempted = counter.preemptions;
      REQUIRE(cluster.run(100'000));
      CHECK(allocations == before);
      CHECK((counter.preemptions > preempted || scheduler != "chunked"));
    }
}

TEST_CASE("nor does it where blocks of prompts fall into tiers and come back") {
  ClusterSetup setup = one_replica();
  PoolSetup& pool = setup.pools[0];
  pool.replicas = 3;
  pool.limits.blocks = 45;
  pool.limits.prompt_block = 20;
  pool.tiers.block_bytes = pool.tiers.fetched_bytes = 1000;
  TierSetup tier;
  tier.blocks = 12;
  tier.bandwidth = tier.replica_bandwidth = BytesPerSecond(1e8);
  tier.latency = Seconds(10e-6);
  pool.tiers.tiers.push_back(tier);
  tier.number = 1;
  tier.of = TierOwner::kPool;
  tier.blocks = 40;
  tier.eviction = TierEviction::kTtl;
  tier.ttl = Seconds(0.1);
  pool.tiers.tiers.push_back(tier);
  EndlessPrompts source;
  Counter counter;
  Cluster cluster(std::move(setup), source, counter);
  REQUIRE(cluster.run(4'000'000));
  const std::int64_t before = allocations;
  const auto counts = cluster.tiers()->counts();
  REQUIRE(cluster.run(100'000));
  CHECK(allocations == before);
  CHECK(cluster.tiers()->counts()[0].fetched > counts[0].fetched + 100);
  CHECK(cluster.tiers()->counts()[1].fetched > counts[1].fetched + 100);
}

}  // namespace
}  // namespace silicast::testing
