// Collectives: bounds that no algorithm may break, and the times measured on an H200 board.
#include "sim/perf/collectives.hpp"

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

ChipRates perfect_chip() {
  ChipRates chip;
  chip.collective_start = 4e-6;
  return chip;
}

}  // namespace

TEST_CASE("a group of one has nothing to say") {
  const GroupLinks alone = switched_group(1);
  CHECK(price_all_reduce(h200_rates(), alone, Bytes(1e9)).time.value() == 0);
  CHECK(price_all_gather(h200_rates(), alone, Bytes(1e9)).time.value() == 0);
}

TEST_CASE("small all-reduces go in one shot, large ones in two") {
  const ChipRates chip = perfect_chip();
  const CollectivePrice small = price_all_reduce(chip, switched_group(8), Bytes(1024));
  CHECK(small.algorithm == CollectiveAlgorithm::kOneShot);
  CHECK(small.time.value() == Approx(4e-6 + 1e-6 + 7 * 1024 / 450e9));
  CHECK(small.start.value() == Approx(5e-6));
  const CollectivePrice large = price_all_reduce(chip, switched_group(8), Bytes(1e9));
  CHECK(large.algorithm == CollectiveAlgorithm::kTwoShot);
  CHECK(large.time.value() == Approx(4e-6 + 2e-6 + 2 * 7.0 / 8 * 1e9 / 450e9));
}

TEST_CASE("a ring wins where neighbours have more bandwidth than the crowd, if the buffer is large") {
  const ChipRates chip = perfect_chip();
  const GroupLinks group = mesh_group(8, 50e9, 400e9);
  const CollectivePrice large = price_all_reduce(chip, group, Bytes(1e9));
  CHECK(large.algorithm == CollectiveAlgorithm::kRing);
  CHECK(large.time.value() == Approx(4e-6 + 14 * 1e-6 + 2 * 7.0 / 8 * 1e9 / 400e9));
  CHECK(price_all_reduce(chip, group, Bytes(8)).algorithm == CollectiveAlgorithm::kOneShot);
  CHECK(price_all_gather(chip, group, Bytes(1e9)).time.value() ==
        Approx(4e-6 + 7 * 1e-6 + 7.0 / 8 * 1e9 / 400e9));
}

TEST_CASE("no all-reduce beats 2(n-1)/n of its bytes at the wire's rate, and more bytes never take less") {
  const ChipRates chip = h200_rates();
  for (std::int32_t n : {2, 3, 4, 8, 16, 64}) {
    for (double ring : {30e9, 450e9, 900e9}) {
      const GroupLinks group = mesh_group(n, 450e9, ring);
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

TEST_CASE("a reduce-scatter and an all-gather make up a two-shot all-reduce, but for the second start") {
  const ChipRates chip = h200_rates();
  const GroupLinks group = switched_group(4);
  const Seconds halves =
      price_all_gather(chip, group, Bytes(1e8)).time * 2;
  const Seconds whole = price_all_reduce(chip, group, Bytes(1e8)).time;
  CHECK((halves - whole).value() == Approx(chip.collective_start));
}

TEST_CASE("a send takes its bytes at the pair's rate") {
  const CollectivePrice send = price_send(perfect_chip(), switched_group(2), Bytes(45e6));
  CHECK(send.time.value() == Approx(4e-6 + 1e-6 + 1e-4));
  CHECK_THROWS_AS(price_send(perfect_chip(), switched_group(3), Bytes(1)), InternalError);
}

TEST_CASE("a group without links is refused") {
  CHECK_THROWS_WITH(price_all_reduce(perfect_chip(), mesh_group(2, 0, 0), Bytes(1)),
                    Catch::Contains("a group of 2 without links"));
}

// Measured: aiconfigurator, vLLM 0.24 custom all-reduce in a CUDA graph (NCCL where that is too large), H200
// SXM.
TEST_CASE("all-reduces on an H200 board come out within 30% of their measured times") {
  struct Measured {
    std::int32_t chips;
    double mebibytes;
    double microseconds;
  };
  for (const Measured& row : {Measured{4, 0.0625, 5.395},
                              {4, 0.25, 6.985},
                              {4, 1, 12.104},
                              {4, 4, 29.833},
                              {4, 16, 93.778},
                              {4, 64, 320.153},
                              {4, 256, 1181.572},
                              {8, 0.0625, 6.561},
                              {8, 0.25, 10.06},
                              {8, 1, 14.074},
                              {8, 4, 28.431},
                              {8, 16, 87.167},
                              {8, 64, 323.312},
                              {8, 256, 1052.365}}) {
    const double seconds =
        price_all_reduce(h200_rates(), switched_group(row.chips), Bytes(row.mebibytes * 1048576))
            .time.value();
    CAPTURE(row.chips, row.mebibytes);
    CHECK(1e6 * seconds == Approx(row.microseconds).epsilon(0.30));
  }
}

}  // namespace silicast
