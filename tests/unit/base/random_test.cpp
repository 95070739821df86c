// Random streams: repeatable, independent of each other, and distributed as they say.
#include "sim/base/random.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <vector>

namespace silicast {
namespace {

constexpr int kDraws = 400'000;

struct Moments {
  double mean, variance;
};

template <class Draw>
Moments moments_of(Draw draw) {
  double sum = 0, squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = static_cast<double>(draw());
    sum += x;
    squares += x * x;
  }
  const double mean = sum / kDraws;
  return {mean, squares / kDraws - mean * mean};
}

TEST_CASE("a stream is a function of its seed and name") {
  RandomStream a(1, "lengths"), again(1, "lengths"), other_seed(2, "lengths"), other_name(1, "length");
  const std::uint64_t first = a.next();
  CHECK(first == again.next());
  CHECK(first != other_seed.next());
  CHECK(first != other_name.next());
  CHECK(first != a.next());
}

TEST_CASE("streams of neighbouring seeds and names are uncorrelated") {
  RandomStream a(1, "x"), b(2, "x"), c(1, "y");
  double ab = 0, ac = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = a.uniform() - 0.5;
    ab += u * (b.uniform() - 0.5);
    ac += u * (c.uniform() - 0.5);
  }
  const double bound = 4 / 12.0 / std::sqrt(kDraws);  // four standard errors
  CHECK(std::abs(ab / kDraws) < bound);
  CHECK(std::abs(ac / kDraws) < bound);
}

TEST_CASE("uniform numbers fill [0, 1) evenly") {
  RandomStream stream(3, "uniform");
  std::vector<int> bins(100);
  for (int i = 0; i < kDraws; ++i) {
    const double u = stream.uniform();
    REQUIRE((u >= 0 && u < 1));
    ++bins[static_cast<std::size_t>(100 * u)];
  }
  double chi_squared = 0;
  for (const int count : bins) chi_squared += std::pow(count - kDraws / 100.0, 2) / (kDraws / 100.0);
  CHECK(chi_squared < 148.2);  // 99.9% of chi-squared with 99 degrees of freedom
}

TEST_CASE("whole numbers below a bound are unbiased, also for bounds that are no power of two") {
  RandomStream stream(4, "below");
  CHECK(stream.below(1) == 0);
  std::vector<int> counts(7);
  for (int i = 0; i < kDraws; ++i) ++counts.at(stream.below(7));
  double chi_squared = 0;
  for (const int count : counts) chi_squared += std::pow(count - kDraws / 7.0, 2) / (kDraws / 7.0);
  CHECK(chi_squared < 22.5);  // 99.9% with 6
  // Two thirds of 2^64: an unrejected tail would make the lower half twice as likely.
  const std::uint64_t bound = std::uint64_t{3} << 62;
  int low = 0;
  for (int i = 0; i < kDraws; ++i) low += stream.below(bound) < bound / 2;
  CHECK(low / static_cast<double>(kDraws) == Approx(0.5).margin(4 * 0.5 / std::sqrt(kDraws)));
}

TEST_CASE("distributions have the mean and variance of their formulas") {
  RandomStream s(5, "distributions");
  const auto check = [](Moments found, double mean, double variance) {
    CHECK(found.mean == Approx(mean).margin(5 * std::sqrt(variance / kDraws)));
    CHECK(found.variance == Approx(variance).epsilon(0.03));
  };
  check(moments_of([&] { return s.exponential(); }), 1, 1);
  check(moments_of([&] { return s.normal(); }), 0, 1);
  for (const double shape : {0.4, 1.0, 3.5}) check(moments_of([&] { return s.gamma(shape); }), shape, shape);
  for (const double shape : {0.8, 2.0}) {
    const double g1 = std::tgamma(1 + 1 / shape), g2 = std::tgamma(1 + 2 / shape);
    check(moments_of([&] { return s.weibull(shape); }), g1, g2 - g1 * g1);
  }
  for (const double mean : {1.5, 40.0}) check(moments_of([&] { return s.geometric(mean); }), mean, mean * (mean - 1));
}

TEST_CASE("a geometric number is at least 1, and exactly 1 for a mean of 1") {
  RandomStream s(6, "geometric");
  for (int i = 0; i < 10'000; ++i) CHECK(s.geometric(2.5) >= 1);
  for (int i = 0; i < 100; ++i) CHECK(s.geometric(1) == 1);
}

}  // namespace
}  // namespace silicast
