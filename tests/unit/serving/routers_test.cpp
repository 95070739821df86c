// Each router against what its name says, and against a scan over the loads.
#include <array>
#include <set>

#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

std::unique_ptr<Router> router(std::string_view name, std::int32_t replicas, std::uint64_t seed = 1) {
  return routers.find(name)->make(replicas, seed);
}

// A router and the book-keeping of the loads that it is told about.
struct Gateway {
  Gateway(std::string_view name, std::int32_t replicas, std::uint64_t seed = 1)
      : choice(router(name, replicas, seed)), loads(static_cast<std::size_t>(replicas)) {}

  void set(std::int32_t replica, ReplicaLoad load) {
    loads[static_cast<std::size_t>(replica)] = load;
    choice->load_changed({replica}, load);
  }
  std::int32_t choose() { return choice->choose({10, 0, ClassId{0}}, loads).value; }
  std::vector<std::int32_t> choose(int times) {
    std::vector<std::int32_t> chosen;
    while (times-- > 0) chosen.push_back(choose());
    return chosen;
  }

  std::unique_ptr<Router> choice;
  std::vector<ReplicaLoad> loads;
};

TEST_CASE("the routers are those of the issue, each with a line of help") {
  CHECK(routers.names() == std::vector<std::string>{"round_robin", "random", "least_loaded", "two_choices",
                                                    "shortest_by_tokens", "prefix_affinity"});
  for (const auto& entry : routers.entries()) CHECK_FALSE(entry.summary.empty());
}

TEST_CASE("every router sends everything to an only replica") {
  for (const auto& entry : routers.entries()) {
    INFO(entry.name);
    CHECK(Gateway(entry.name, 1).choose(3) == std::vector<std::int32_t>{0, 0, 0});
  }
}

TEST_CASE("round robin cycles from the first replica, whatever the loads") {
  Gateway gateway("round_robin", 3);
  gateway.set(1, {100, 100'000});
  CHECK(gateway.choose(7) == std::vector<std::int32_t>{0, 1, 2, 0, 1, 2, 0});
}

TEST_CASE("prefix affinity sends a prompt where the longest beginning of it went, unless that has far more to do") {
  Gateway gateway("prefix_affinity", 3);
  const auto send = [&](const std::vector<std::uint64_t>& blocks) {
    return gateway.choice->choose({10, 0, ClassId{0}, blocks}, gateway.loads).value;
  };
  gateway.set(0, {1, 10});
  CHECK(send({1, 2, 3}) == 1);  // the least loaded
  gateway.set(1, {4, 40});
  CHECK(send({1, 2, 9}) == 1);                    // not the least loaded any more, but has the first two
  CHECK(send({1, 20, 21, 22, 23, 24, 25}) == 2);  // what most prompts begin with is not enough
  CHECK(send({1, 2, 9}) == 1);
  CHECK(send({7, 8}) == 2);
  CHECK(send({}) == 2);
  gateway.set(1, {9, 90});
  CHECK(send({1, 2, 3}) == 2);  // over four more than the least loaded, and over half as many again
  gateway.set(2, {3, 30});
  CHECK(send({1, 2, 3}) == 2);  // where it went last
}

TEST_CASE("random and two choices draw the same again with their seed, and otherwise with another") {
  for (const char* name : {"random", "two_choices"}) {
    INFO(name);
    const auto drawn = Gateway(name, 8, 7).choose(50);
    CHECK(Gateway(name, 8, 7).choose(50) == drawn);
    CHECK(Gateway(name, 8, 8).choose(50) != drawn);
  }
}

TEST_CASE("random draws evenly") {
  // Each of 4 replicas gets 1,000 of 4,000 on average, with a standard deviation of 27.
  std::array<int, 4> counts{};
  for (std::int32_t replica : Gateway("random", 4).choose(4000)) ++counts[static_cast<std::size_t>(replica)];
  for (int count : counts) CHECK(std::abs(count - 1000) < 5 * 27);
}

TEST_CASE("least loaded takes the fewest requests, the lowest id among equals, and ignores tokens") {
  Gateway gateway("least_loaded", 4);
  CHECK(gateway.choose() == 0);
  gateway.set(0, {1, 1});
  gateway.set(1, {1, 1});
  CHECK(gateway.choose() == 2);
  gateway.set(2, {2, 1});
  gateway.set(3, {1, 999});
  CHECK(gateway.choose() == 0);
  gateway.set(0, {2, 1});
  CHECK(gateway.choose() == 1);
}

TEST_CASE("shortest by tokens takes the fewest prompt tokens, the lowest id among equals, and ignores requests") {
  Gateway gateway("shortest_by_tokens", 3);
  gateway.set(0, {1, 500});
  gateway.set(1, {9, 90});
  gateway.set(2, {2, 400});
  CHECK(gateway.choose() == 1);
  gateway.set(1, {9, 400});
  CHECK(gateway.choose() == 1);
}

TEST_CASE("least loaded and shortest by tokens choose as a scan over the loads does") {
  for (const char* name : {"least_loaded", "shortest_by_tokens"}) {
    const bool by_tokens = std::string_view(name) == "shortest_by_tokens";
    check_property(200, [&] {
      const std::int32_t replicas = draw(1, 19);
      Gateway gateway(name, replicas);
      for (int step = 0; step < 50; ++step) {
        gateway.set(draw(0, replicas - 1), {draw(0, 3), draw(0, 3)});
        const auto least = std::min_element(gateway.loads.begin(), gateway.loads.end(), [&](auto a, auto b) {
          return by_tokens ? a.prompt_tokens < b.prompt_tokens : a.requests < b.requests;
        });
        RC_ASSERT(gateway.choose() == least - gateway.loads.begin());
      }
    });
  }
}

TEST_CASE("two choices takes the better of two different replicas, drawn evenly") {
  // With loads 0, 1, 2, 3 the least loaded is in 3 of the 6 pairs, the next in 2 others, then 1, then none.
  Gateway gateway("two_choices", 4);
  for (std::int32_t replica = 0; replica < 4; ++replica) gateway.set(replica, {replica, 0});
  std::array<int, 4> counts{};
  for (std::int32_t replica : gateway.choose(6000)) ++counts[static_cast<std::size_t>(replica)];
  CHECK(std::abs(counts[0] - 3000) < 5 * 39);  // standard deviations of the binomial
  CHECK(std::abs(counts[1] - 2000) < 5 * 37);
  CHECK(std::abs(counts[2] - 1000) < 5 * 29);
  CHECK(counts[3] == 0);
}

ClusterSetup two_replicas(std::string_view router_name) {
  ClusterSetup setup = one_replica();
  setup.pools[0].replicas = 2;
  setup.make_router = routers.find(router_name)->make;
  return setup;
}

TEST_CASE("in a cluster a request counts as load until it ends") {
  // Alone on the second replica, the second ends at 1.010; the third ties with it and goes to the first.
  const auto records = serve(two_replicas("least_loaded"), {request_at(0, 10, 100), request_at(0, 10, 1),
                                                            request_at(500 * kUs, 10, 1), request_at(3 * kMs, 10, 1)})
                           .by_index();
  CHECK(records[1].replica == ReplicaId{1});
  CHECK(records[2].replica == ReplicaId{0});
  CHECK(records[3].replica == ReplicaId{1});
}

TEST_CASE("in a cluster the prompt tokens of a request count until it ends") {
  // Prompts of 90 and 10 stay; 60 and 50 join the 10. Once these have ended, another goes there again.
  const auto records = serve(two_replicas("shortest_by_tokens"),
                             {request_at(0, 90, 100), request_at(0, 10, 100), request_at(500 * kUs, 60, 1),
                              request_at(600 * kUs, 50, 1), request_at(700 * kUs, 5, 1), request_at(20 * kMs, 5, 1)})
                           .by_index();
  CHECK((records[2].replica == ReplicaId{1} && records[3].replica == ReplicaId{1}));
  CHECK(records[4].replica == ReplicaId{0});  // 90 against 120
  CHECK(records[5].replica == ReplicaId{1});
}

}  // namespace
}  // namespace silicast::testing
