// What must hold between two runs: the same inputs, twice the capacity, a link more; and what an event may cost.
#include <catch2/catch.hpp>
#include <map>

#include "tests/support/property.hpp"
#include "tests/unit/perf/flows/flows_for_tests.hpp"

namespace silicast::testing {
namespace {

struct Started {
  TestFlow flow;
  std::int64_t bytes = 0;
  SimTime time;
};

// Flows that start at instants of their own; ends by number of the flow.
std::vector<std::int64_t> ends_of(FlowNetwork network, const std::vector<Started>& flows) {
  std::vector<std::int64_t> ends(flows.size(), -1);
  const auto note = [&](std::span<const FlowEnd> ended) {
    for (const FlowEnd& end : ended) ends[static_cast<std::size_t>(end.tag)] = end.time.ns;
  };
  for (std::size_t i = 0; i < flows.size(); ++i) {
    note(network.advance(flows[i].time));
    network.start(flows[i].flow.links, flows[i].bytes, flows[i].time,
                  {BytesPerSecond(flows[i].flow.cap), static_cast<std::int64_t>(i)});
  }
  note(network.advance({std::int64_t{1} << 60}));
  return ends;
}

std::vector<Started> random_starts(RandomStream& draw, std::size_t links, int count) {
  std::vector<Started> flows;
  std::int64_t time = 0;
  for (int i = 0; i < count; ++i) {
    time += 2 * static_cast<std::int64_t>(draw.below(3) == 0 ? 0 : draw.below(50'000'000));
    flows.push_back({random_flow(draw, links, 4), static_cast<std::int64_t>(draw.below(400'000'000)), {time}});
  }
  return flows;
}

struct Case {
  std::vector<double> capacities;
  std::vector<Started> flows;
};
Case random_case() {
  RandomStream stream(draw<std::uint64_t>(0, 1'000'000), "relations");
  Case made;
  made.capacities = random_capacities(stream, draw<std::size_t>(1, 16), 10);
  made.flows = random_starts(stream, made.capacities.size(), draw(1, 60));
  return made;
}

TEST_CASE("every flow ends, and the same flows end at the same instants again") {
  check_property(300, [] {
    const Case made = random_case();
    const std::vector<std::int64_t> ends = ends_of(network_of(made.capacities), made.flows);
    for (std::size_t i = 0; i < ends.size(); ++i) RC_ASSERT(ends[i] >= made.flows[i].time.ns);
    RC_ASSERT(ends == ends_of(network_of(made.capacities), made.flows));
  });
}

TEST_CASE("at twice all capacities and caps flows take half as long, within a nanosecond for each end on the way") {
  std::int64_t flows = 0, within_one = 0;
  check_property(300, [&] {
    Case made = random_case();
    const std::vector<std::int64_t> ends = ends_of(network_of(made.capacities), made.flows);
    for (double& capacity : made.capacities) capacity *= 2;
    for (Started& start : made.flows) {
      start.flow.cap *= 2;
      start.time.ns /= 2;
    }
    const std::vector<std::int64_t> fast = ends_of(network_of(made.capacities), made.flows);
    for (std::size_t i = 0; i < ends.size(); ++i) {
      // Who shares with a flow gets its part when that has ended, up to a nanosecond late.
      const auto before = std::count_if(ends.begin(), ends.end(), [&](std::int64_t end) { return end < ends[i]; });
      const std::int64_t apart = std::abs(2 * fast[i] - ends[i]);
      RC_ASSERT(apart <= 2 * (1 + before));
      ++flows;
      within_one += apart <= 2 ? 1 : 0;
    }
  });
  CHECK(static_cast<double>(within_one) >= 0.95 * static_cast<double>(flows));
}

TEST_CASE("links that nobody uses change nothing") {
  check_property(300, [] {
    Case made = random_case();
    const std::vector<std::int64_t> ends = ends_of(network_of(made.capacities), made.flows);
    made.capacities.push_back(made.capacities[0]);
    made.capacities.push_back(made.capacities[0] / 100);
    RC_ASSERT(ends == ends_of(network_of(made.capacities), made.flows));
  });
}

TEST_CASE("a wide link that all flows pass changes nothing") {
  check_property(300, [] {
    Case made = random_case();
    const auto wide = static_cast<std::int32_t>(made.capacities.size());
    // The widest link sets the unit of rates; it is there in both runs.
    made.capacities.push_back(1e13);
    const std::vector<std::int64_t> ends = ends_of(network_of(made.capacities), made.flows);
    for (Started& start : made.flows)
      if (!start.flow.links.empty()) start.flow.links.push_back(wide);
    RC_ASSERT(ends == ends_of(network_of(made.capacities), made.flows));
  });
}

TEST_CASE("the order in which flows of one instant start does not show in their rates") {
  check_property(300, [] {
    Case made = random_case();
    const auto rates = [&](bool reversed, bool one_by_one) {
      FlowNetwork network = network_of(made.capacities);
      std::map<std::size_t, FlowId> ids;
      for (std::size_t n = 0; n < made.flows.size(); ++n) {
        const std::size_t i = reversed ? made.flows.size() - 1 - n : n;
        ids[i] = network.start(made.flows[i].flow.links, 1'000'000, {0}, {BytesPerSecond(made.flows[i].flow.cap)});
        if (one_by_one) network.next_end();
      }
      std::vector<double> found;
      for (const auto& [i, id] : ids) found.push_back(network.rate(id).value());
      return found;
    };
    const std::vector<double> all = rates(false, false), other = rates(true, true);
    RC_ASSERT(all == rates(true, false));
    for (std::size_t i = 0; i < all.size(); ++i)
      RC_ASSERT(all[i] == other[i] || std::abs(all[i] - other[i]) <= 1e-9 * all[i]);
  });
}

TEST_CASE("an event rates flows of its own group only, however many groups there are") {
  for (const int groups : {1, 10, 300}) {
    FlowNetwork network = network_of(std::vector<double>(static_cast<std::size_t>(8 * groups), 1e9));
    RandomStream draw(3, "groups");
    std::vector<FlowId> flows;
    const auto begin = [&](int group) {
      const std::vector<std::int32_t> links{8 * group + static_cast<std::int32_t>(draw.below(4)),
                                            8 * group + 4 + static_cast<std::int32_t>(draw.below(4))};
      return network.start(links, std::int64_t{1} << 40, {0});
    };
    for (int i = 0; i < 32 * groups; ++i) flows.push_back(begin(i / 32));
    network.next_end();
    for (std::size_t i = 0; i < 500; ++i) {
      const std::size_t which = draw.below(flows.size());
      std::uint64_t rated = network.rated();
      network.cancel(flows[which], {0});
      network.next_end();
      CHECK(network.rated() - rated <= 31);
      rated = network.rated();
      flows[which] = begin(static_cast<int>(which) / 32);
      network.next_end();
      CHECK(network.rated() - rated <= 32);
    }
  }
}

TEST_CASE("a flow that is alone on its links costs one rating, whoever passes the wide link behind") {
  FlowNetwork network = network_of([] {
    std::vector<double> capacities(1001, 1e9);
    capacities[1000] = 1e12;
    return capacities;
  }());
  for (std::int32_t i = 0; i < 1000; ++i) network.start(std::vector<std::int32_t>{i, 1000}, 1000 + i, {0});
  network.next_end();
  CHECK(network.rated() == 1000);
  CHECK(network.advance({3000}).size() == 1000);
  CHECK(network.rated() == 1000);
}

}  // namespace
}  // namespace silicast::testing
