// The sketch against sorted arrays and ramps against adding one by one.
#include "sim/report/quantiles.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "sim/base/random.hpp"

using namespace silicast;

namespace {

constexpr double kShares[] = {0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1};

void require_near(const Sketch& sketch, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  for (const double q : kShares) {
    const double exact = quantile_of_sorted(values, q);
    INFO("q = " << q);
    REQUIRE(std::abs(sketch.quantile(q) - exact) <= kSketchError * exact);
  }
}

void require_equal_bins(const Sketch& a, const Sketch& b) {
  const auto bins_a = a.bins(), bins_b = b.bins();
  REQUIRE(bins_a.size() == bins_b.size());
  for (std::size_t i = 0; i < bins_a.size(); ++i) {
    REQUIRE(bins_a[i].low == bins_b[i].low);
    REQUIRE(bins_a[i].count == bins_b[i].count);
  }
}

}  // namespace

TEST_CASE("sketch quantiles stay within the stated error for spread, narrow, heavy-tailed and tiny samples") {
  RandomStream random(7, "sketch");
  for (const std::size_t size : {1, 2, 3, 10, 1000, 50'000}) {
    for (const double spread : {0.001, 1.0, 3.0}) {
      Sketch sketch;
      std::vector<double> values;
      for (std::size_t i = 0; i < size; ++i) values.push_back(0.05 * std::exp(spread * random.normal()));
      for (const double value : values) sketch.add(value);
      require_near(sketch, values);
      REQUIRE(sketch.count() == static_cast<std::int64_t>(size));
    }
  }
}

TEST_CASE("the sketch's error reaches most of its bound, so the bound is not slack by a factor") {
  double worst = 0;
  for (int i = 0; i < 1000; ++i) {
    const double value = 1 + i * 1e-3;
    Sketch sketch;
    sketch.add(value - 1e-9);
    sketch.add(value);
    sketch.add(2.5 * value);
    worst = std::max(worst, std::abs(sketch.quantile(0.5) - value) / value);
  }
  REQUIRE(worst > 0.6 * kSketchError);
  REQUIRE(worst <= kSketchError);
}

TEST_CASE("merging sketches equals sketching everything") {
  RandomStream random(8, "merge");
  Sketch all, left, right;
  for (int i = 0; i < 5000; ++i) {
    const double value = random.exponential();
    all.add(value);
    (i % 3 == 0 ? left : right).add(value);
  }
  left.merge(right);
  left.merge(Sketch{});
  require_equal_bins(all, left);
  REQUIRE(left.count() == 5000);
  REQUIRE(left.sum() == Approx(all.sum()).epsilon(1e-12));
  REQUIRE(left.min() == all.min());
  REQUIRE(left.max() == all.max());
}

TEST_CASE("a weighted ramp fills the very bins that adding its values one by one fills") {
  RandomStream random(9, "ramps");
  for (int trial = 0; trial < 400; ++trial) {
    const double first = 0.001 + random.uniform();
    const double step =
        (random.uniform() < 0.2 ? 0 : random.uniform() - 0.3) * std::pow(10, -7 * random.uniform()) * first;
    const auto count = static_cast<std::int64_t>(random.below(2000));
    const auto weight = static_cast<std::int64_t>(1 + random.below(256));
    if (first + step * static_cast<double>(count) <= 0) continue;
    Sketch ramp, single;
    ramp.add_ramp(first, step, count, weight);
    for (std::int64_t i = 0; i < count; ++i) single.add(first + step * static_cast<double>(i), weight);
    require_equal_bins(ramp, single);
    REQUIRE(ramp.count() == count * weight);
    REQUIRE(ramp.sum() == Approx(single.sum()).epsilon(1e-9));
    REQUIRE(ramp.min() == single.min());
    REQUIRE(ramp.max() == single.max());
  }
}

TEST_CASE("a ramp whose values sit on bin edges fills the same bins as one by one") {
  Sketch ramp, single;
  ramp.add_ramp(1.0, 1.0 / 128, 300, 1);
  for (int i = 0; i < 300; ++i) single.add(1.0 + i * (1.0 / 128));
  require_equal_bins(ramp, single);
}

TEST_CASE("values beyond the range of the bins count, and max is exact") {
  Sketch sketch;
  for (const double value : {0.0, -3.0, 1e-300, 1e300}) sketch.add(value);
  REQUIRE(sketch.count() == 4);
  REQUIRE(sketch.max() == 1e300);
  REQUIRE(sketch.min() == -3.0);
  REQUIRE(sketch.bins().size() == 2);
}

TEST_CASE("quantiles of sorted values interpolate as numpy's default does") {
  const std::vector<double> values = {1, 2, 4, 8};
  REQUIRE(quantile_of_sorted(values, 0.5) == 3.0);
  REQUIRE(quantile_of_sorted(values, 0.9) == Approx(6.8));
  REQUIRE(quantile_of_sorted(values, 1) == 8.0);
  REQUIRE(std::isnan(quantile_of_sorted({}, 0.5)));
  REQUIRE(std::isnan(Sketch{}.quantile(0.5)));
}
