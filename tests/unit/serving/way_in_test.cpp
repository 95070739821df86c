// From a client to a queue: what a request spends there, who sees it, and what becomes of those that never arrive.
#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

// Iterations of 1 ms and 1 us per token; 5 ms from a client to the queue.
ClusterSetup setup_with_way_in() {
  ClusterSetup setup = one_replica();
  setup.pools[0].way_in = Seconds(5e-3);
  return setup;
}

TEST_CASE("a request alone gets its first token after its way in and its prompt") {
  for (const bool leap : {true, false}) {
    ClusterSetup setup = setup_with_way_in();
    setup.leap = leap;
    const Watcher seen = serve(setup, {request_at(kMs, 80, 3)});
    const RequestRecord& record = seen.records.at(0);
    CHECK(record.arrival == at(1));
    CHECK(record.scheduled == at(1 + 5));
    CHECK(record.first_token == at(1 + 5 + 1.080));
    CHECK(record.end == at(1 + 5 + 1.080 + 2 * 1.001));
    CHECK(seen.arrivals.at(0) == at(1));
    CHECK(seen.in_system.at(0) == 1);
  }
}

TEST_CASE("a client that leaves while its request is on its way in takes it out of the system at that instant") {
  const Watcher seen = serve(setup_with_way_in(), {until(request_at(0, 10, 5), at(3))});
  const RequestRecord& record = seen.records.at(0);
  CHECK(record.state == EndState::kTimedOut);
  CHECK(record.end == at(3));
  CHECK(record.replica.valid());
  CHECK(record.scheduled == SimTime::never());
  CHECK(record.output_tokens == 0);
  CHECK(seen.runs.empty());
  CHECK(seen.left_in_system == 0);
}

TEST_CASE("timeouts count from when the client asks") {
  const Watcher seen = serve(setup_with_way_in(), {until(request_at(0, 10, 50), at(9))});
  const RequestRecord& record = seen.records.at(0);
  CHECK(record.state == EndState::kTimedOut);
  CHECK(record.end == at(9));
  CHECK(record.output_tokens == 1 + 2);  // 5 ms on the way, 1.010 ms for the prompt, 1.001 ms for a token
}

TEST_CASE("routers see requests on their way, and samples count them among those that wait") {
  ClusterSetup setup = setup_with_way_in();
  setup.pools[0].replicas = 2;
  setup.make_router = routers.find("least_loaded")->make;
  setup.sample_interval = Seconds(2e-3);
  const Watcher seen = serve(setup, {request_at(0, 10, 5), request_at(kMs, 10, 5)});
  const auto records = seen.by_index();
  CHECK(records.at(0).replica != records.at(1).replica);
  const PoolSample& sample = seen.samples.at(1).pools.at(0);  // at 2 ms
  CHECK(sample.waiting == 2);
  CHECK(sample.arriving == 2);
  CHECK(sample.running == 0);
}

TEST_CASE("an engine refuses a request when it gets there, the gateway one that no replica takes at once") {
  ClusterSetup setup = setup_with_way_in();
  setup.max_contexts = {2000};
  setup.pools[0].limits.blocks = 100;
  const auto records = serve(setup, {request_at(0, 1500, 100), request_at(0, 2000, 1)}).by_index();
  CHECK(records.at(0).reason == EndReason::kKvTooSmall);
  CHECK(records.at(0).end == at(5));
  CHECK(records.at(1).reason == EndReason::kContextTooLong);
  CHECK(records.at(1).end == at(0));
}

// One client, who thinks for 1 ms.
class Asker final : public RequestSource {
 public:
  std::optional<SimTime> next_time() override { return left_ > 0 ? next_ : std::nullopt; }
  RequestSpec take() override {
    --left_;
    const RequestSpec spec = request_at(next_->ns, 100, 1);
    next_.reset();
    return spec;
  }
  bool more_after_ends() const override { return left_ > 0; }
  void ended(const RequestSpec&, SimTime now, bool) override { next_ = now + Seconds(1e-3); }

 private:
  int left_ = 3;
  std::optional<SimTime> next_ = SimTime{};
};

TEST_CASE("a client of a closed loop thinks from its answer on, and then its next request is on its way") {
  Asker source;
  Watcher seen;
  Cluster cluster(setup_with_way_in(), source, seen);
  while (cluster.run(1000)) {
  }
  REQUIRE(seen.records.size() == 3);
  double now = 0;
  for (const RequestRecord& record : seen.records) {
    CHECK(record.arrival == at(now));
    now += 5 + 1.100;
    CHECK(record.end == at(now));
    now += 1;
  }
  CHECK(cluster.now() == at(now - 1));
}

}  // namespace
}  // namespace silicast::testing
