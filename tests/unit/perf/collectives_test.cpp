// Collectives: prices by hand, and bounds that no algorithm may break.
#include "sim/perf/collectives.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "setups_for_tests.hpp"
#include "sim/base/check.hpp"

namespace silicast {
namespace {

GroupLinks mesh_group(std::int32_t size, double all_to_all, double ring) {
  GroupLinks group = switched_group(size);
  group.all_to_all = BytesPerSecond(all_to_all);
  group.ring = BytesPerSecond(ring);
  return group;
}

// Every link whole, the starts of round_calibration().
ChipRates perfect_chip() {
  ChipRates chip = h200_rates();
  Calibration::Collective& reached = chip.reached.collective;
  reached.efficiency.value = reached.bulk_efficiency.value = reached.exchange_efficiency.value = 1;
  return chip;
}

}  // namespace

TEST_CASE("a group of one has nothing to say") {
  const GroupLinks alone = switched_group(1);
  CHECK(price_all_reduce(h200_rates(), alone, Bytes(1e9)).time.value() == 0);
  CHECK(price_all_gather(h200_rates(), alone, Bytes(1e9)).time.value() == 0);
  CHECK(price_reduce_scatter(h200_rates(), alone, Bytes(1e9)).time.value() == 0);
  CHECK(price_all_to_all(h200_rates(), alone, Bytes(1e9)).time.value() == 0);
}

TEST_CASE("small all-reduces go in one shot, larger ones in two, the largest by the library") {
  ChipRates chip = perfect_chip();
  const CollectivePrice small = price_all_reduce(chip, switched_group(8), Bytes(1024));
  CHECK(small.algorithm == CollectiveAlgorithm::kOneShot);
  CHECK(small.time.value() == Approx(4.5e-6 + 1e-6 + 7 * 1024 / 450e9));
  CHECK(small.start.value() == Approx(5.5e-6));
  const CollectivePrice larger = price_all_reduce(chip, switched_group(8), Bytes(1e7));
  CHECK(larger.algorithm == CollectiveAlgorithm::kTwoShot);
  CHECK(larger.time.value() == Approx(4.5e-6 + 2.5e-6 + 2e-6 + 2 * 7.0 / 8 * 1e7 / 450e9));
  // Kernels that read the peers' memory reach less of the links than the library.
  chip.reached.collective.efficiency.value = 0.6;
  const CollectivePrice largest = price_all_reduce(chip, switched_group(8), Bytes(1e9));
  CHECK(largest.algorithm == CollectiveAlgorithm::kRing);
  CHECK(largest.time.value() == Approx(23e-6 + 14 * (0.9e-6 + 1e-6) + 2 * 7.0 / 8 * 1e9 / 450e9));
}

TEST_CASE("beyond a node only the library is left: half the rate at once, or all of it after a longer start") {
  const ChipRates chip = h200_rates();
  GroupLinks group = mesh_group(8, 50e9, 50e9);
  group.within_node = false;
  const double sent = 2 * 7.0 / 8, rate = 50e9 * 0.8, ranks = 14 * (0.9e-6 + 1e-6);
  const CollectivePrice small = price_all_reduce(chip, group, Bytes(1e4));
  CHECK(small.algorithm == CollectiveAlgorithm::kRing);
  CHECK(small.time.value() == Approx(5e-6 + ranks + 2 * sent * 1e4 / rate));
  CHECK(small.start.value() == Approx(5e-6 + ranks));
  const CollectivePrice large = price_all_reduce(chip, group, Bytes(1e8));
  CHECK(large.time.value() == Approx(23e-6 + ranks + sent * 1e8 / rate));
  CHECK(large.start.value() == Approx(23e-6 + ranks));
}

// Two nodes of 8: 400 GB/s round a node at 1 us, 50 GB/s on each rail between them at 5 us.
GroupLinks two_nodes() {
  GroupLinks group = mesh_group(16, 50e9, 50e9);
  group.latency = Seconds(5e-6);
  group.within_node = group.within_pod = false;
  group.per_node = 8;
  group.inner_ring = BytesPerSecond(400e9);
  group.rail = BytesPerSecond(50e9);
  group.inner_latency = Seconds(1e-6);
  return group;
}

TEST_CASE("over several nodes the library goes level by level, a node's share along each rail") {
  const ChipRates chip = perfect_chip();
  const double within = 23e-6 + 2 * 7 * (0.9e-6 + 1e-6) + 2 * 7.0 / 8 * 1e9 / 400e9;
  const double between = 23e-6 + 2 * (0.9e-6 + 5e-6) + 2 * 0.5 * (1e9 / 8) / 50e9;
  const CollectivePrice large = price_all_reduce(chip, two_nodes(), Bytes(1e9));
  CHECK(large.algorithm == CollectiveAlgorithm::kTwoLevel);
  CHECK(large.time.value() == Approx(within + between));
  CHECK(price_all_gather(chip, two_nodes(), Bytes(1e9)).time.value() ==
        Approx(23e-6 + 7 * 1.9e-6 + 7.0 / 8 * 1e9 / 400e9 + 23e-6 + 5.9e-6 + 0.5 * (1e9 / 8) / 50e9));
  // Next to nothing to send: 2 x 15 hops of 5.9 us round all against 14 of 1.9 us and 2 of 5.9 us.
  CHECK(price_all_reduce(chip, two_nodes(), Bytes(1)).time.value() ==
        Approx(2 * 5e-6 + 14 * 1.9e-6 + 2 * 5.9e-6).epsilon(1e-4));
  GroupLinks apart = two_nodes();
  apart.per_node = 0;
  CHECK(price_all_reduce(chip, apart, Bytes(1e9)).algorithm == CollectiveAlgorithm::kRing);
}

TEST_CASE("between pods an exchange starts twice and gets the share of the NIC that the library gets") {
  const CollectivePrice price = price_all_to_all(h200_rates(), two_nodes(), Bytes(1e7));
  CHECK(price.time.value() == Approx(2 * 9e-6 + 5e-6 + 1e7 / (50e9 * 0.8)));
}

TEST_CASE("copies that ranks of a node share go between nodes once, and on within the node") {
  const ChipRates chip = h200_rates();
  const auto seconds = [&](const GroupLinks& group, double sent, double copy, double spread) {
    return price_shared_all_to_all(chip, group, Bytes(sent), Bytes(copy), spread).time.value();
  };
  // Of 8 experts of a token, one at the least is on the other of two nodes in all but 1/256 of the cases.
  CHECK(seconds(two_nodes(), 4e7, 1e7, 8) == Approx(2 * 9e-6 + 5e-6 + 1e7 * (1 - 1 / 256.0) / (50e9 * 0.8)));
  // Many copies within the node take longer than one between the nodes.
  CHECK(seconds(two_nodes(), 4e8, 1e7, 8) == Approx(2 * 9e-6 + 5e-6 + 4e8 / (400e9 * 0.55)));
  for (const GroupLinks& group : {two_nodes(), mesh_group(8, 200e9, 400e9)})
    CHECK(seconds(group, 1e7, 1e7, 0) == price_all_to_all(chip, group, Bytes(1e7)).time.value());
  CHECK(seconds(mesh_group(8, 200e9, 400e9), 1e7, 1e7, 8) ==
        price_all_to_all(chip, mesh_group(8, 200e9, 400e9), Bytes(1e7)).time.value());
}

TEST_CASE("a ring wins where neighbours have more bandwidth than the crowd, if the buffer is large") {
  const ChipRates chip = perfect_chip();
  const GroupLinks group = mesh_group(8, 50e9, 400e9);
  const CollectivePrice large = price_all_reduce(chip, group, Bytes(1e9));
  CHECK(large.algorithm == CollectiveAlgorithm::kRing);
  CHECK(large.time.value() == Approx(23e-6 + 14 * 1.9e-6 + 2 * 7.0 / 8 * 1e9 / 400e9));
  CHECK(price_all_reduce(chip, group, Bytes(8)).algorithm == CollectiveAlgorithm::kOneShot);
}

TEST_CASE("an all-gather and a reduce-scatter are half of the library's all-reduce") {
  const ChipRates chip = perfect_chip();
  const GroupLinks group = mesh_group(8, 50e9, 400e9);
  const double expected = 23e-6 + 7 * 1.9e-6 + 7.0 / 8 * 1e9 / 400e9;
  CHECK(price_all_gather(chip, group, Bytes(1e9)).time.value() == Approx(expected));
  CHECK(price_reduce_scatter(chip, group, Bytes(1e9)).time.value() == Approx(expected));
  CHECK(price_all_gather(chip, group, Bytes(1e3)).time.value() ==
        Approx(5e-6 + 7 * 1.9e-6 + 2 * 7.0 / 8 * 1e3 / 400e9));
}

TEST_CASE("an exchange from all to all takes what each rank sends at the all-to-all rate") {
  const CollectivePrice price = price_all_to_all(h200_rates(), mesh_group(8, 200e9, 400e9), Bytes(1e7));
  CHECK(price.algorithm == CollectiveAlgorithm::kDirect);
  CHECK(price.time.value() == Approx(9e-6 + 1e-6 + 1e7 / (200e9 * 0.55)));
  CHECK(price.start.value() == Approx(10e-6));
}

TEST_CASE("no all-reduce beats 2(n-1)/n of its bytes at the wire's rate, and more bytes never take less") {
  const ChipRates chip = h200_rates();
  for (std::int32_t n : {2, 3, 4, 8, 16, 64}) {
    for (double ring : {30e9, 450e9, 900e9}) {
      for (bool within_node : {true, false}) {
        GroupLinks group = mesh_group(n, 450e9, ring);
        group.within_node = within_node;
        double before = 0;
        for (double size = 1; size < 4e9; size *= 1.3) {
          const double seconds = price_all_reduce(chip, group, Bytes(size)).time.value();
          CHECK(seconds >= 2.0 * (n - 1) / n * size / std::max(450e9, ring));
          CHECK(seconds >= before);
          before = seconds;
        }
      }
    }
  }
}

TEST_CASE("a send takes its bytes at the pair's rate") {
  const CollectivePrice send = price_send(perfect_chip(), switched_group(2), Bytes(45e6));
  CHECK(send.time.value() == Approx(5e-6 + 1e-6 + 1e-4));
  CHECK_THROWS_AS(price_send(perfect_chip(), switched_group(3), Bytes(1)), InternalError);
}

TEST_CASE("a group without links is refused") {
  CHECK_THROWS_WITH(price_all_reduce(perfect_chip(), mesh_group(2, 0, 0), Bytes(1)),
                    Catch::Contains("a group of 2 without links"));
}

}  // namespace silicast
