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

}  // namespace
}  // namespace silicast::testing
