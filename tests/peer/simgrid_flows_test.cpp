// The same flows in SimGrid, a peer with 20 years of validation (Casanova et al., J. Parallel Distrib. Comput. 2014):
// plain max-min sharing, that is model CM02 without TCP windows, without cross traffic of acknowledgements and without
// latencies (with them CM02 weights flows by 1/RTT). One process can hold one SimGrid engine, so all networks are
// islands of one platform and of one run.
#include <catch2/catch.hpp>
#include <simgrid/s4u.hpp>

#include "tests/unit/perf/flows/flows_for_tests.hpp"

namespace silicast::testing {
namespace {

namespace sg = simgrid::s4u;

struct Transfer {
  TestFlow flow;
  std::int64_t bytes = 0;
  SimTime start;
};

struct Island {
  std::vector<double> capacities;
  std::vector<Transfer> transfers;
};

Island random_island(std::uint64_t seed) {
  RandomStream draw(seed, "simgrid");
  Island island;
  island.capacities = random_capacities(draw, 1 + draw.below(12), 20);
  const std::size_t count = 2 + draw.below(19);
  std::int64_t time = 0;
  while (island.transfers.size() < count) {
    Transfer transfer{random_flow(draw, island.capacities.size(), 4), 0, {time}};
    if (transfer.flow.links.empty()) continue;
    transfer.bytes = static_cast<std::int64_t>(50'000'000 + draw.below(2'000'000'000));
    island.transfers.push_back(transfer);
    time += static_cast<std::int64_t>(draw.below(300'000'000));
  }
  return island;
}

// Seconds at which the transfers end, here.
std::vector<double> our_ends(const Island& island) {
  FlowNetwork network = network_of(island.capacities);
  std::vector<double> ends(island.transfers.size());
  const auto note = [&](std::span<const FlowEnd> ended) {
    for (const FlowEnd& end : ended) ends[static_cast<std::size_t>(end.tag)] = end.time.seconds();
  };
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const Transfer& transfer = island.transfers[i];
    note(network.advance(transfer.start));
    network.start(transfer.flow.links, transfer.bytes, transfer.start,
                  {BytesPerSecond(transfer.flow.cap), static_cast<std::int64_t>(i)});
  }
  note(network.advance({std::int64_t{1} << 60}));
  return ends;
}

// The links of an island, and for each transfer two hosts and, where it has a cap, a link of its own: in SimGrid 3.32 a
// transfer between hosts takes no rate.
void add_island(sg::NetZone* world, const Island& island, const std::string& name, std::vector<double>& ends) {
  sg::NetZone* zone = sg::create_full_zone(name)->set_parent(world);
  std::vector<const sg::Link*> links;
  for (std::size_t l = 0; l < island.capacities.size(); ++l)
    links.push_back(zone->create_link(name + "-" + std::to_string(l), island.capacities[l])->set_latency(0)->seal());
  ends.resize(island.transfers.size());
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const std::string end = name + "-" + std::to_string(i);
    sg::Host* from = zone->create_host(end + "-from", 1e9)->seal();
    sg::Host* to = zone->create_host(end + "-to", 1e9)->seal();
    std::vector<sg::LinkInRoute> route;
    for (const std::int32_t link : island.transfers[i].flow.links)
      route.emplace_back(links[static_cast<std::size_t>(link)]);
    const double cap = island.transfers[i].flow.cap;
    if (cap < kUncapped) route.emplace_back(zone->create_link(end + "-cap", cap)->set_latency(0)->seal());
    zone->add_route(from->get_netpoint(), to->get_netpoint(), nullptr, nullptr, route, false);
    sg::Actor::create(end, from, [from, to, transfer = island.transfers[i], &end_time = ends[i]] {
      sg::this_actor::sleep_until(transfer.start.seconds());
      const sg::CommPtr comm = sg::Comm::sendto_init(from, to);
      comm->set_payload_size(static_cast<std::uint64_t>(transfer.bytes));
      comm->wait();
      end_time = sg::Engine::get_clock();
    });
  }
  zone->seal();
}

TEST_CASE("on 60 random networks flows end when SimGrid says, within 1e-6") {
  int argc = 1;
  std::string program = "test_simgrid";
  char* argv[] = {program.data(), nullptr};
  sg::Engine engine(&argc, argv);
  for (const char* setting : {"network/model:CM02", "network/TCP-gamma:0", "network/crosstraffic:0"})
    sg::Engine::set_config(setting);
  sg::NetZone* world = sg::create_full_zone("world");
  std::vector<Island> islands;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) islands.push_back(random_island(seed));
  std::vector<std::vector<double>> ends(islands.size());
  for (std::size_t n = 0; n < islands.size(); ++n) add_island(world, islands[n], "island" + std::to_string(n), ends[n]);
  world->seal();
  engine.run();
  double apart = 0;
  std::size_t transfers = 0;
  for (std::size_t n = 0; n < islands.size(); ++n) {
    INFO("seed " << n + 1);
    const std::vector<double> ours = our_ends(islands[n]);
    for (std::size_t i = 0; i < ours.size(); ++i) {
      const double start = islands[n].transfers[i].start.seconds();
      CHECK(ours[i] - start == Approx(ends[n][i] - start).epsilon(1e-6));
      apart = std::max(apart, std::abs(ours[i] - ends[n][i]) / (ends[n][i] - start));
    }
    transfers += ours.size();
  }
  CHECK(transfers > 500);
  WARN(transfers << " transfers, at most " << apart << " apart");
}

}  // namespace
}  // namespace silicast::testing
