// Loads of routed experts against tokens drawn one by one.
#include "sim/model/expert_load.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "sim/base/check.hpp"
#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using namespace test;

FeedForwardSpec block_of(std::int32_t experts, std::int32_t active) {
  FeedForwardSpec block;
  block.intermediate = 64;
  block.experts = experts;
  block.active = active;
  return block;
}

ParallelPlan shares_of(std::int32_t shares, std::int32_t redundant = 0) {
  ParallelPlan plan;
  plan.data = plan.expert = shares;
  plan.redundant_experts = redundant;
  plan.stage_layers = {1};
  return plan;
}

// A generator of its own, so that nothing is shared with the code under test.
class Dice {
 public:
  double uniform() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state_ >> 11) * 0x1p-53;
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(uniform() * static_cast<double>(n)); }
  template <class T>
  void shuffle(std::vector<T>& values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }

 private:
  std::uint64_t state_ = 12345;
};

// Popularities whose logarithms are normal, the coefficient of variation `skew`, summing up to `active`: quantiles found
// by adding up the density.
std::vector<double> popularities(std::int32_t experts, std::int32_t active, double skew) {
  const double sigma = std::sqrt(std::log(1 + skew * skew));
  std::vector<double> result;
  double below = 0, x = -8;
  constexpr double kStep = 1e-4;
  for (std::int32_t i = 0; i < experts; ++i) {
    for (; below < (i + 0.5) / experts; x += kStep)
      below += kStep * std::exp(-0.5 * x * x) / std::sqrt(2 * 3.14159265358979);
    result.push_back(std::exp(sigma * x));
  }
  const double sum = std::accumulate(result.begin(), result.end(), 0.0);
  for (double& p : result) p *= active / sum;
  return result;
}

// `active` different experts, each with its popularity: a random order is walked with equal strides.
void draw(std::vector<std::size_t>& order, const std::vector<double>& popularity, Dice& dice, std::vector<int>& rows) {
  dice.shuffle(order);
  double at = dice.uniform(), sum = 0;
  for (const std::size_t expert : order) {
    sum += popularity[expert];
    if (sum <= at) continue;
    ++rows[expert];
    at += 1;
  }
}

struct Drawn {
  double experts = 0;       // distinct, of all shares
  double rows = 0;          // of the busiest share
  double busy_experts = 0;  // distinct experts of the share that has most
};

// Mean over many batches; experts lie in shares at random, five times anew for every batch.
Drawn drawn(std::int32_t experts, std::int32_t active, double skew, std::size_t shares, int tokens) {
  const int batches = std::clamp(20000 / tokens, 20, 1000);
  constexpr int kPlacements = 5;
  const std::vector<double> popularity = popularities(experts, active, skew);
  for (const double p : popularity) REQUIRE(p <= 1);
  std::vector<std::size_t> order(popularity.size()), place(popularity.size());
  std::iota(order.begin(), order.end(), 0);
  std::iota(place.begin(), place.end(), 0);
  Dice dice;
  Drawn sum;
  for (int batch = 0; batch < batches; ++batch) {
    std::vector<int> rows(popularity.size(), 0);
    for (int i = 0; i < tokens; ++i) draw(order, popularity, dice, rows);
    for (int trial = 0; trial < kPlacements; ++trial) {
      dice.shuffle(place);
      std::vector<double> share_rows(shares, 0), share_experts(shares, 0);
      for (std::size_t e = 0; e < rows.size(); ++e) {
        const std::size_t share = place[e] * shares / rows.size();
        share_rows[share] += rows[e];
        share_experts[share] += rows[e] > 0;
      }
      sum.experts += std::accumulate(share_experts.begin(), share_experts.end(), 0.0);
      sum.rows += *std::max_element(share_rows.begin(), share_rows.end());
      sum.busy_experts += *std::max_element(share_experts.begin(), share_experts.end());
    }
  }
  const double count = batches * kPlacements;
  return {sum.experts / count, sum.rows / count, sum.busy_experts / count};
}

TEST_CASE("distinct experts of a batch are those of tokens drawn one by one, popular ones or not") {
  for (const auto& [experts, active] : {std::pair{8, 2}, std::pair{128, 4}, std::pair{256, 8}}) {
    for (const double skew : {0.0, 0.5, 1.0}) {
      for (const int tokens : {1, 4, 32, 200}) {
        if (experts == 8 && skew > 0.5) continue;  // an expert would be chosen more than always
        const Drawn expected = drawn(experts, active, skew, 1, tokens);
        const ExpertLoad load = ExpertLoads(block_of(experts, active), shares_of(1), skew).load(tokens);
        CAPTURE(experts, active, skew, tokens);
        CHECK(load.experts == Approx(expected.experts).epsilon(0.01));
        CHECK(load.rows == tokens * active);  // one share has all
      }
    }
  }
}

TEST_CASE("with experts alike, a share of one token has the token's experts and many tokens have all") {
  const ExpertLoads loads(block_of(64, 4), shares_of(1), 0);
  CHECK(loads.load(1).experts == Approx(4));
  CHECK(loads.load(2).experts == Approx(4 + 4 * (1 - 4.0 / 64)));
  CHECK(loads.load(10000).experts == Approx(64));
}

TEST_CASE("rows of the busiest of several shares are those of tokens drawn one by one, within 12%") {
  for (const int shares : {2, 8, 32}) {
    for (const double skew : {0.0, 0.5, 1.0}) {
      for (const int tokens : {16, 128, 1024}) {
        const Drawn expected = drawn(256, 8, skew, static_cast<std::size_t>(shares), tokens);
        const ExpertLoad load = ExpertLoads(block_of(256, 8), shares_of(shares), skew).load(tokens);
        CAPTURE(shares, skew, tokens);
        CHECK(load.rows == Approx(expected.rows).epsilon(0.12));
      }
    }
  }
}

TEST_CASE("distinct experts of the busiest of several shares are those of tokens drawn one by one, within 15%") {
  for (const int shares : {2, 8, 32}) {
    for (const double skew : {0.0, 0.5}) {
      for (const int tokens : {16, 128, 1024}) {
        const Drawn expected = drawn(256, 8, skew, static_cast<std::size_t>(shares), tokens);
        const ExpertLoad load = ExpertLoads(block_of(256, 8), shares_of(shares), skew).load(tokens);
        CAPTURE(shares, skew, tokens);
        CHECK(load.experts == Approx(expected.busy_experts).epsilon(0.15));
      }
    }
  }
}

TEST_CASE("the busiest share holds no more experts than it has, nor than rows, and no less than its mean") {
  for (const int shares : {1, 4, 64}) {
    for (const double skew : {0.0, 1.0}) {
      const ExpertLoads loads(block_of(256, 8), shares_of(shares), skew);
      CHECK(loads.placement_imbalance() >= 1);
      CHECK(loads.placement_imbalance() <= shares);
      double rows = 0, experts = 0;
      for (std::int64_t tokens = 1; tokens <= 8192; tokens *= 2) {
        const ExpertLoad load = loads.load(tokens);
        CAPTURE(shares, skew, tokens);
        CHECK(load.experts <= 256.0 / shares);
        CHECK(load.experts <= load.rows);
        CHECK(load.rows >= static_cast<double>(tokens) * 8 / shares);
        CHECK(load.rows <= static_cast<double>(tokens) * 8);
        CHECK(load.rows >= rows);  // more tokens are never less work
        CHECK(load.experts >= experts);
        rows = load.rows;
        experts = load.experts;
      }
    }
  }
}

TEST_CASE("one share, or experts alike, have no fuller share than the others") {
  CHECK(ExpertLoads(block_of(256, 8), shares_of(1), 1).placement_imbalance() == 1);
  CHECK(ExpertLoads(block_of(256, 8), shares_of(32), 0).placement_imbalance() == Approx(1));
}

TEST_CASE("unequal popularity makes a share fuller, as random placements do") {
  Dice dice;
  for (const double skew : {0.5, 1.0}) {
    std::vector<double> popularity = popularities(256, 8, skew);
    double sum = 0;
    for (int trial = 0; trial < 2000; ++trial) {
      dice.shuffle(popularity);
      double fullest = 0;
      for (std::size_t share = 0; share < 32; ++share)
        fullest =
            std::max(fullest, std::accumulate(popularity.begin() + static_cast<std::ptrdiff_t>(8 * share),
                                              popularity.begin() + static_cast<std::ptrdiff_t>(8 * share + 8), 0.0));
      sum += fullest / (8.0 / 32);
    }
    CHECK(ExpertLoads(block_of(256, 8), shares_of(32), skew).placement_imbalance() == Approx(sum / 2000).epsilon(0.05));
  }
}

TEST_CASE("copies of busy experts, packed evenly, take most of the imbalance away") {
  for (const double skew : {0.5, 1.0}) {
    const double random = ExpertLoads(block_of(256, 8), shares_of(32), skew).placement_imbalance();
    const double packed = ExpertLoads(block_of(256, 8), shares_of(32, 32), skew).placement_imbalance();
    CHECK(packed >= 1);
    CHECK(packed - 1 < 0.2 * (random - 1));
  }
}

TEST_CASE("a dense block has no loads") {
  CHECK_THROWS_AS(ExpertLoads(block_of(0, 0), shares_of(1), 0), InternalError);
  CHECK_THROWS_AS(ExpertLoads(block_of(8, 2), shares_of(1), -1), InternalError);
}

}  // namespace
}  // namespace silicast
