// Statistics of correlated observations: truncation, intervals, and that merging cohorts loses nothing.
#include "sim/report/batched_series.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "sim/base/check.hpp"
#include "sim/base/random.hpp"

using namespace silicast;

TEST_CASE("cohorts keep exact sums however often they double, in any order of arrival of the values") {
  BatchedSeries series;
  constexpr std::int64_t kCount = 100'003;
  // A stride coprime to the count visits every index once, far out of order.
  for (std::int64_t i = 0; i < kCount; ++i) {
    const std::int64_t index = i * 7919 % kCount;
    series.add(index, static_cast<double>(index + 1));
  }
  const auto cohorts = series.cohorts();
  REQUIRE(cohorts.size() <= static_cast<std::size_t>(kMaxCohorts));
  REQUIRE(cohorts.size() > static_cast<std::size_t>(kMaxCohorts) / 2);
  const std::int64_t size = std::int64_t{1} << series.shift();
  for (std::size_t i = 0; i < cohorts.size(); ++i) {
    const std::int64_t from = static_cast<std::int64_t>(i) * size, to = std::min(kCount, from + size);
    REQUIRE(cohorts[i].count() == to - from);
    REQUIRE(cohorts[i].sum() == static_cast<double>((from + 1 + to) * (to - from) / 2));
  }
}

TEST_CASE("a distribution is that of the values from the first index on") {
  BatchedSeries series;
  for (int i = 0; i < 4000; ++i) series.add(i, i < 2048 ? 1000.0 : 1.0 + i % 100);
  const Distribution all = series.distribution(0), kept = series.distribution(2048);
  REQUIRE(all.max == 1000);
  REQUIRE(kept.count == 4000 - 2048);
  REQUIRE(kept.max == 100);
  REQUIRE(kept.exact);
  REQUIRE(kept.p50 == 52);  // 19 times 1 to 100 and 49 to 100 once more
}

TEST_CASE("a first index inside a cohort is refused") {
  BatchedSeries series;
  for (int i = 0; i < 4000; ++i) series.add(i, 1.0);
  REQUIRE_THROWS_AS(series.distribution(3), InternalError);
}

TEST_CASE("quantiles are exact up to the bound and within the sketch's error over it") {
  RandomStream random(3, "exact");
  BatchedSeries series;
  std::vector<double> values;
  for (std::size_t i = 0; i < BatchedSeries::kExactBound; ++i) {
    values.push_back(random.exponential());
    series.add(static_cast<std::int64_t>(i), values.back());
  }
  std::sort(values.begin(), values.end());
  REQUIRE(series.distribution(0).exact);
  REQUIRE(series.distribution(0).p99 == quantile_of_sorted(values, 0.99));
  series.add(static_cast<std::int64_t>(values.size()), 0.5);
  const Distribution sketched = series.distribution(0);
  REQUIRE_FALSE(sketched.exact);
  REQUIRE(sketched.p99 == Approx(quantile_of_sorted(values, 0.99)).epsilon(kSketchError));
  REQUIRE(sketched.p99 != quantile_of_sorted(values, 0.99));
}

TEST_CASE("MSER agrees with its definition evaluated in full") {
  RandomStream random(4, "mser");
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<double> means;
    for (int i = 0; i < 80; ++i) means.push_back(100 + (i < 15 ? (15 - i) * random.uniform() : 0) + random.normal());
    std::size_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t d = 0; 2 * d <= means.size(); ++d) {
      const double kept = static_cast<double>(means.size() - d);
      const double mean = std::accumulate(means.begin() + static_cast<std::ptrdiff_t>(d), means.end(), 0.0) / kept;
      double squares = 0;
      for (std::size_t i = d; i < means.size(); ++i) squares += (means[i] - mean) * (means[i] - mean);
      if (squares / (kept * kept) < least) least = squares / (kept * kept), best = d;
    }
    const auto cut = mser_cut(means);
    if (2 * (best + 1) > means.size())
      REQUIRE_FALSE(cut);
    else
      REQUIRE(cut == best);
  }
}

TEST_CASE("MSER cuts a transient at its end") {
  RandomStream random(5, "transient");
  BatchedSeries series;
  for (int i = 0; i < 64'000; ++i) series.add(i, 10 + (i < 10'000 ? 8.0 * (1 - i / 10'000.0) : 0.0) + random.uniform());
  const auto from = series.steady_from();
  REQUIRE(from);
  REQUIRE(*from >= 8'000);
  REQUIRE(*from <= 16'000);
}

TEST_CASE("MSER finds no steady state in a series that grows all along") {
  BatchedSeries series;
  for (int i = 0; i < 10'000; ++i) series.add(i, 1 + i * 0.01);
  REQUIRE_FALSE(series.steady_from());
}

TEST_CASE("MSER cuts nothing off a constant series and refuses a short one") {
  BatchedSeries constant, small;
  for (int i = 0; i < 10'000; ++i) constant.add(i, 2.0);
  for (int i = 0; i < 40; ++i) small.add(i, 2.0);
  REQUIRE(constant.steady_from() == 0);
  REQUIRE_FALSE(small.steady_from());
}

TEST_CASE("intervals cover the truth about 95 times in 100 on an autocorrelated series") {
  // AR(1) with coefficient 0.9: naive intervals would cover the mean about a third of the time.
  RandomStream random(6, "ar1");
  constexpr int kTrials = 300;
  constexpr double kMean = 50, kRho = 0.9;
  const double deviation = 1 / std::sqrt(1 - kRho * kRho);
  const double p99 = kMean + 2.3263479 * deviation;
  int covers_mean = 0, covers_p99 = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    BatchedSeries series;
    double x = deviation * random.normal();
    for (int i = 0; i < 20'000; ++i) {
      x = kRho * x + random.normal();
      series.add(i, kMean + x);
    }
    const Distribution d = series.distribution(0);
    covers_mean += d.mean_interval.low <= kMean && kMean <= d.mean_interval.high;
    covers_p99 += d.p99_interval.low <= p99 && p99 <= d.p99_interval.high;
  }
  CHECK(covers_mean > 0.90 * kTrials);
  CHECK(covers_mean < 0.99 * kTrials);
  CHECK(covers_p99 > 0.86 * kTrials);
  CHECK(covers_p99 < kTrials);
}
