// Batch means with the corrections of Skart, and a quantile's interval by the inversion of a test.
#include "sim/report/intervals.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

constexpr std::size_t kGroups[] = {32, 24, 16, 12, 10};  // tried in turn
constexpr std::size_t kMinGroups = 10;                   // fewer tell too little of their own spread
constexpr double kMaxCorrelation = 0.9;
constexpr std::int64_t kMinForP99 = 2500;  // 25 observations beyond it
constexpr double kTail = 0.01;

// The spread of the deviations of batches from the overall value, which sum up to about 0.
struct Spread {
  double correlation = 0;  // of neighbours (lag 1), as estimated
  double error = 0;        // standard error of the overall value, correlation included
  double degrees = 0;      // of freedom of that error
  double skewness = 0;
  double outliers = 0;  // degrees of freedom that the fourth moments leave: 2 if one batch is all the spread
};

// From m batches the lag-1 correlation is estimated too low by about 1/m (Marriott and Pope, Biometrika 41,
// 1954).
double unbiased(double correlation, double m) {
  return std::clamp(correlation + 1 / m, 0.0, kMaxCorrelation);
}

Spread spread_of(std::span<const double> deviations, double least_correlation = 0) {
  const double m = static_cast<double>(deviations.size());
  double squares = 0, cubes = 0, fourths = 0, neighbours = 0;
  for (std::size_t i = 0; i < deviations.size(); ++i) {
    const double d = deviations[i];
    squares += d * d;
    cubes += d * d * d;
    fourths += d * d * d * d;
    if (i > 0) neighbours += d * deviations[i - 1];
  }
  Spread spread;
  if (!(squares > 0)) return {0, 0, m - 1, 0, m - 1};
  spread.correlation = neighbours / squares;
  const double r = std::max(least_correlation, unbiased(spread.correlation, m));
  // Batches whose means follow a first-order autoregression are worth this share of independent ones.
  const double worth = (1 - r) / (1 + r);
  const double variance = squares / (m - 1);
  spread.error = std::sqrt(variance / m / worth);
  spread.degrees = std::max(2.0, m * worth - 1);
  spread.skewness = cubes * m / ((m - 1) * (m - 2)) / (variance * std::sqrt(variance));
  // m normal deviations give (sum of squares)^2 / (sum of fourths) = m/3.
  spread.outliers = std::clamp(3 * squares * squares / fourths - 1, 2.0, spread.degrees);
  return spread;
}

// Von Neumann's test of no correlation, one-sided at 30%: with so few batches a stricter level would let most
// of the correlation pass.
bool passes_for_independent(const Spread& spread, std::size_t groups) {
  const double m = static_cast<double>(groups);
  return spread.correlation <= 0.5 / std::sqrt(m) - 1 / m;
}

// The group of each batch when neighbours are merged into `groups` of (nearly) equally many.
std::size_t group_of(std::size_t batch, std::size_t batches, std::size_t groups) {
  return batch * groups / batches;
}

// Deviations of batches from the overall ratio of sum to count, in its own unit.
std::vector<double> deviations_of(std::span<const BatchSum> batches) {
  BatchSum all;
  for (const BatchSum& batch : batches) {
    all.count += batch.count;
    all.sum += batch.sum;
  }
  const double ratio = all.sum / all.count;
  const double mean_count = all.count / static_cast<double>(batches.size());
  std::vector<double> deviations;
  for (const BatchSum& batch : batches) deviations.push_back((batch.sum - ratio * batch.count) / mean_count);
  return deviations;
}

std::vector<BatchSum> merged(std::span<const BatchSum> batches, std::size_t groups) {
  std::vector<BatchSum> result(groups);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    BatchSum& group = result[group_of(i, batches.size(), groups)];
    group.count += batches[i].count;
    group.sum += batches[i].sum;
  }
  return result;
}

// The finest grouping whose means pass for independent, else the coarsest, and its spread; 0: too few
// batches.
struct Grouping {
  std::size_t groups = 0;
  Spread spread;
};
Grouping grouping_of(std::span<const BatchSum> batches) {
  Grouping grouping;
  for (const std::size_t groups : kGroups) {
    if (groups > batches.size()) continue;
    grouping = {groups, spread_of(deviations_of(merged(batches, groups)))};
    if (passes_for_independent(grouping.spread, groups)) break;
  }
  return grouping;
}

// Willink's skewness-adjusted t.
double adjusted(double t, double skewness, std::size_t groups) {
  const double beta = skewness / (6 * std::sqrt(static_cast<double>(groups)));
  return std::abs(beta) > 1e-6 ? (std::cbrt(1 + 6 * beta * (t - beta)) - 1) / (2 * beta) : t;
}

// How many observations of each group lie at or above the lower edges of the bins of all of them.
class TailCounts {
 public:
  TailCounts(std::span<const Sketch> batches, std::size_t groups) : counts_(groups) {
    Sketch all;
    for (const Sketch& batch : batches) all.merge(batch);
    bins_ = all.bins();
    above_.assign(bins_.size(), std::vector<double>(groups));
    for (std::size_t i = 0; i < batches.size(); ++i) {
      const std::size_t group = group_of(i, batches.size(), groups);
      counts_[group] += static_cast<double>(batches[i].count());
      std::size_t at = 0;
      for (const Sketch::Bin& bin : batches[i].bins()) {
        while (bins_[at].low != bin.low) ++at;
        above_[at][group] += static_cast<double>(bin.count);
      }
    }
    for (std::size_t at = bins_.size() - 1; at-- > 0;)
      for (std::size_t group = 0; group < groups; ++group) above_[at][group] += above_[at + 1][group];
  }

  std::span<const Sketch::Bin> bins() const { return bins_; }
  std::vector<BatchSum> at(std::size_t bin) const {
    std::vector<BatchSum> sums;
    for (std::size_t group = 0; group < counts_.size(); ++group) sums.push_back({counts_[group], above_[bin][group]});
    return sums;
  }

 private:
  std::vector<Sketch::Bin> bins_;
  std::vector<double> counts_;              // by group
  std::vector<std::vector<double>> above_;  // by bin, group
};

// Whether 1% may be the true share at or above a threshold. The variance is scaled to that share (a score
// test): where the sample happens to hold few large values, it also holds few to estimate their variance
// from. Large values come in clusters, so a batch or two may be all the spread: the degrees of freedom count
// that.
bool may_be_tail(std::span<const BatchSum> above, double least_correlation) {
  BatchSum all;
  for (const BatchSum& group : above) {
    all.count += group.count;
    all.sum += group.sum;
  }
  const double share = all.sum / all.count;
  if (!(share > 0)) return false;
  const Spread spread = spread_of(deviations_of(above), least_correlation);
  return std::abs(share - kTail) <= student_t975(spread.outliers) * spread.error * std::sqrt(kTail / share);
}

// The thresholds around `p99` that pass, to half a bin.
Interval tail_interval(const TailCounts& tails, double p99, double least_correlation) {
  const auto bins = tails.bins();
  const auto passes = [&](std::size_t bin) { return may_be_tail(tails.at(bin), least_correlation); };
  std::size_t low = 0;
  while (low + 1 < bins.size() && bins[low + 1].low <= p99) ++low;
  std::size_t high = low;
  while (low > 0 && passes(low)) --low;
  while (high + 1 < bins.size() && passes(high + 1)) ++high;
  return {std::min(p99, 0.5 * (bins[low].low + bins[low].high)),
          std::max(p99, 0.5 * (bins[high].low + bins[high].high))};
}

}  // namespace

double student_t975(double degrees) {
  SILICAST_CHECK(degrees >= 1);
  constexpr double kSmall[] = {12.706205, 4.302653, 3.182446, 2.776445, 2.570582};
  if (degrees < 5) {
    const double below = std::floor(degrees);
    const auto i = static_cast<std::size_t>(below) - 1;
    const double share = (1 / below - 1 / degrees) / (1 / below - 1 / (below + 1));
    return kSmall[i] + share * (kSmall[i + 1] - kSmall[i]);
  }
  // Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5); within 0.01% from 5 degrees on.
  const double z = 1.959963985, v = degrees;
  const double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, z9 = z7 * z * z;
  return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v) +
         (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * v * v * v * v);
}

Interval mean_interval(std::span<const BatchSum> batches) {
  std::vector<BatchSum> used;
  BatchSum all;
  for (const BatchSum& batch : batches) {
    if (!(batch.count > 0)) continue;
    used.push_back(batch);
    all.count += batch.count;
    all.sum += batch.sum;
  }
  const auto [groups, spread] = grouping_of(used);
  if (groups < kMinGroups) return {};
  const double mean = all.sum / all.count, t = student_t975(spread.degrees);
  return {mean - spread.error * adjusted(t, spread.skewness, groups),
          mean - spread.error * adjusted(-t, spread.skewness, groups)};
}

Interval p99_interval(std::span<const Sketch> batches, double mean, double p99) {
  std::vector<Sketch> used;
  std::vector<BatchSum> sums;
  std::int64_t count = 0;
  for (const Sketch& batch : batches) {
    if (batch.count() == 0) continue;
    used.push_back(batch);
    sums.push_back({static_cast<double>(batch.count()), batch.sum()});
    count += batch.count();
  }
  const auto [groups, spread] = grouping_of(sums);
  if (groups < kMinGroups || count < kMinForP99) return {};
  const double correlation = unbiased(spread.correlation, static_cast<double>(groups));
  const Interval tail = tail_interval(TailCounts(used, groups), p99, correlation);
  const Interval of_mean = mean_interval(sums);
  return {std::min(tail.low, p99 * of_mean.low / mean), std::max(tail.high, p99 * of_mean.high / mean)};
}

}  // namespace silicast
