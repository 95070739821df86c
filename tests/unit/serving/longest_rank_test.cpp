// The longest of several ranks against all of their lines, iteration by iteration.
#include "sim/serving/longest_rank.hpp"

#include "serving_for_tests.hpp"
#include "sim/base/first_integer.hpp"

namespace silicast::testing {
namespace {

TEST_CASE("ranks without work take no time") {
  LongestRank ranks(3);
  CHECK(ranks.line(5).first == 0);
  CHECK(ranks.line(5).slope == 0);
  CHECK(ranks.most_tokens() == 0);
}

TEST_CASE("the longest rank counts until another overtakes it") {
  LongestRank ranks(3);
  ranks.set(0, {10, 0}, 7, 0);
  ranks.set(2, {4, 1}, 9, 2);
  IterationLine line = ranks.line(2);
  CHECK(line.first == 10);
  CHECK(line.slope == 0);
  CHECK(line.iterations == 7);  // 4 + i exceeds 10 first at i = 7
  CHECK(ranks.rank() == 0);
  CHECK(ranks.most_tokens() == 9);
  line = ranks.line(9);
  CHECK(line.first == 11);
  CHECK(line.slope == 1);
  CHECK(line.iterations == kForever);
  CHECK(ranks.rank() == 2);
  ranks.set(2, {0, 0}, 0, 9);  // its work is done
  CHECK(ranks.line(9).first == 10);
  CHECK(ranks.most_tokens() == 7);
}

struct Lane {
  double first = 0, slope = 0;
  std::int64_t since = 0;
  std::int32_t tokens = 0;
  double at(std::int64_t i) const { return first + slope * static_cast<double>(i - since); }
};

TEST_CASE("the longest line is the maximum of all, for as long as it says, whatever changes") {
  std::int64_t overtaken = 0;
  check_property(300, [&] {
    const std::int32_t count = draw(1, 9);
    LongestRank ranks(count);
    std::vector<Lane> lanes(static_cast<std::size_t>(count));
    std::int64_t now = 0;
    for (int step = 0; step < 60; ++step) {
      const std::int32_t rank = draw(0, count - 1);
      Lane& lane = lanes[static_cast<std::size_t>(rank)];
      lane = {draw(0, 4) == 0 ? 0 : 1e-3 * draw(1, 1000), 1e-5 * draw(0, 30), now, draw(0, 100)};
      ranks.set(rank, {lane.first, lane.slope}, lane.tokens, now);
      const IterationLine line = ranks.line(now);
      std::int32_t most = 0;
      for (const Lane& one : lanes) most = std::max(most, one.tokens);
      RC_ASSERT(ranks.most_tokens() == most);
      RC_ASSERT(line.iterations >= 1);
      overtaken += line.iterations < 400;
      const std::int64_t last = std::min<std::int64_t>(line.iterations, 400);
      for (std::int64_t i = 0; i < last; ++i) {
        double longest = 0;
        for (const Lane& one : lanes) longest = std::max(longest, one.at(now + i));
        const double ours = line.first + line.slope * static_cast<double>(i);
        RC_ASSERT(std::abs(ours - longest) <= 1e-12 * longest);
      }
      now += draw<std::int64_t>(1, std::min<std::int64_t>(line.iterations, 500));
    }
  });
  CHECK(overtaken > 1000);
}

}  // namespace
}  // namespace silicast::testing
