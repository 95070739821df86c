#include "sim/memory/block_growth.hpp"

#include <catch2/catch.hpp>

#include "sim/base/random.hpp"
#include "sim/memory/block_pool.hpp"

namespace silicast {
namespace {

TEST_CASE("block growth equals counting every sequence") {
  RandomStream draw(3, "block_growth_test");
  for (int round = 0; round < 300; ++round) {
    const auto size = static_cast<std::int32_t>(1 + draw.below(40));
    BlockGrowth growth(size);
    std::vector<std::int64_t> lengths;
    for (int step = 0; step < 60; ++step) {
      if (draw.below(3) != 0 || lengths.empty()) {
        lengths.push_back(static_cast<std::int64_t>(1 + draw.below(200)));
        growth.add(lengths.back());
      } else if (draw.below(3) == 0) {
        const std::size_t victim = draw.below(lengths.size());
        growth.remove(lengths[victim]);
        lengths.erase(lengths.begin() + static_cast<std::ptrdiff_t>(victim));
      }
      const auto jump = static_cast<std::int64_t>(draw.below(100));
      growth.advance(jump);
      for (std::int64_t& length : lengths) length += jump;
      const auto needed = [&](std::int64_t iterations) {
        std::int64_t blocks = 0;
        for (const std::int64_t length : lengths)
          blocks += blocks_for(length + iterations, size) - blocks_for(length, size);
        return blocks;
      };
      const auto ahead = static_cast<std::int64_t>(draw.below(150));
      REQUIRE(growth.needed(ahead) == needed(ahead));
      const auto free = static_cast<std::int64_t>(draw.below(100));
      std::int64_t most = 0;
      while (most < 500 && needed(most + 1) <= free) ++most;
      REQUIRE(growth.iterations_within(free, 500) == most);
    }
  }
}

TEST_CASE("a pool never holds more than it has, nor less than nothing") {
  BlockPool pool(3);
  pool.take(3);
  CHECK(pool.free() == 0);
  CHECK_THROWS_AS(pool.take(1), InternalError);
  BlockPool empty(3);
  CHECK_THROWS_AS(empty.give_back(1), InternalError);
}

}  // namespace
}  // namespace silicast
