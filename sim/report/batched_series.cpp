// Statistics of correlated observations: MSER, batch means, sectioned quantiles.
#include "sim/report/batched_series.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

constexpr std::size_t kMinBatches = 5;        // fewer give an interval too loose to print
constexpr std::size_t kMaxBatches = 32;       // more would be too short to be independent (Schmeiser)
constexpr std::int64_t kMinPerSection = 500;  // five observations beyond the p99 of each section
constexpr std::size_t kMinForMser = 10;

// Merges neighbours into at most `groups` groups of (nearly) equally many cohorts.
std::vector<Sketch> regroup(std::span<const Sketch> cohorts, std::size_t groups) {
  std::vector<Sketch> merged(std::min(groups, cohorts.size()));
  for (std::size_t i = 0; i < cohorts.size(); ++i)
    merged[i * merged.size() / cohorts.size()].merge(cohorts[i]);
  return merged;
}

Interval mean_interval(std::span<const Sketch> cohorts) {
  std::vector<BatchSum> sums;
  const std::size_t groups = std::min(kMaxBatches, cohorts.size());
  sums.resize(groups);
  for (std::size_t i = 0; i < cohorts.size(); ++i) {
    BatchSum& sum = sums[i * groups / cohorts.size()];
    sum.count += static_cast<double>(cohorts[i].count());
    sum.sum += cohorts[i].sum();
  }
  return interval_of_batches(sums);
}

// Sectioning: the spread of the sections' p99 around the overall p99.
Interval p99_interval(std::span<const Sketch> cohorts, double overall, std::int64_t count) {
  const auto groups = static_cast<std::size_t>(std::min<std::int64_t>(count / kMinPerSection, kMaxBatches));
  if (groups < kMinBatches) return {};
  double squares = 0;
  std::size_t sections = 0;
  for (const Sketch& section : regroup(cohorts, groups)) {
    if (section.count() < kMinPerSection / 2) continue;
    const double difference = section.quantile(0.99) - overall;
    squares += difference * difference;
    ++sections;
  }
  if (sections < kMinBatches) return {};
  const double n = static_cast<double>(sections);
  const double half =
      student_t975(static_cast<std::int64_t>(sections) - 1) * std::sqrt(squares / (n - 1) / n);
  return {overall - half, overall + half};
}

}  // namespace

double student_t975(std::int64_t degrees) {
  SILICAST_CHECK(degrees >= 1);
  constexpr double kSmall[] = {12.706205, 4.302653, 3.182446, 2.776445};
  if (degrees <= 4) return kSmall[degrees - 1];
  // Cornish-Fisher expansion (Abramowitz and Stegun 26.7.5); within 0.01% from 5 degrees on.
  const double z = 1.959963985, v = static_cast<double>(degrees);
  const double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, z9 = z7 * z * z;
  return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v) +
         (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * v * v * v * v);
}

Interval interval_of_batches(std::span<const BatchSum> batches) {
  double count = 0, sum = 0;
  std::size_t used = 0;
  for (const BatchSum& batch : batches) {
    count += batch.count;
    sum += batch.sum;
    used += batch.count > 0;
  }
  if (used < kMinBatches) return {};
  const double mean = sum / count;
  double squares = 0;
  for (const BatchSum& batch : batches) {
    const double residual = batch.sum - mean * batch.count;
    squares += residual * residual;
  }
  const double n = static_cast<double>(used);
  const double error = std::sqrt(squares * n / (n - 1)) / count;
  const double half = student_t975(static_cast<std::int64_t>(used) - 1) * error;
  return {mean - half, mean + half};
}

std::optional<std::size_t> mser_cut(std::span<const double> batch_means) {
  const std::size_t n = batch_means.size();
  if (n < 2) return std::nullopt;
  double sum = 0, squares = 0, best = std::numeric_limits<double>::infinity();
  std::size_t cut = 0;
  // From the end, so that the sums of the part that stays grow by one value at a time. The mean of all is
  // taken off first: sums of squares of large, nearly equal values would cancel.
  double centre = 0;
  for (const double mean : batch_means) centre += mean / static_cast<double>(n);
  for (std::size_t d = n; d-- > 0;) {
    const double value = batch_means[d] - centre;
    sum += value;
    squares += value * value;
    const double kept = static_cast<double>(n - d);
    if (2 * d > n) continue;
    const double score = std::max(0.0, squares - sum * sum / kept) / (kept * kept);
    if (score <= best) {
      best = score;
      cut = d;
    }
  }
  if (cut > 0 && 2 * (cut + 1) > n)
    return std::nullopt;  // still falling at the edge: no steady state in sight
  return cut;
}

void BatchedSeries::drop_values() {
  exact_ = false;
  std::vector<Value>().swap(values_);
}

std::span<const Sketch> BatchedSeries::kept(std::int64_t first_index) const {
  SILICAST_CHECK(first_index >= 0 && (first_index >> shift() << shift()) == first_index,
                 "index {} of cohorts of {}", first_index, std::int64_t{1} << shift());
  const auto all = batches_.cohorts();
  return all.subspan(std::min(all.size(), static_cast<std::size_t>(first_index >> shift())));
}

std::optional<std::int64_t> BatchedSeries::steady_from() const {
  std::vector<double> means;
  std::vector<std::int64_t> starts;
  const auto cohorts = batches_.cohorts();
  for (std::size_t i = 0; i < cohorts.size(); ++i) {
    if (cohorts[i].count() == 0) continue;
    means.push_back(cohorts[i].mean());
    starts.push_back(static_cast<std::int64_t>(i) << shift());
  }
  // The last cohort may hold a handful of requests; its mean would be mere noise.
  if (means.size() > 1 && 2 * cohorts.back().count() < std::int64_t{1} << shift() &&
      cohorts.back().count() > 0)
    means.pop_back();
  if (means.size() < kMinForMser) return std::nullopt;
  const std::optional<std::size_t> cut = mser_cut(means);
  if (!cut) return std::nullopt;
  return *cut == 0 ? 0 : starts[*cut];
}

std::vector<double> BatchedSeries::sorted_values(std::int64_t first_index) const {
  std::vector<double> sorted;
  sorted.reserve(values_.size());
  for (const Value& value : values_)
    if (value.index >= first_index) sorted.push_back(value.value);
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

Sketch BatchedSeries::sketch(std::int64_t first_index) const {
  Sketch all;
  for (const Sketch& cohort : kept(first_index)) all.merge(cohort);
  return all;
}

double BatchedSeries::quantile(std::int64_t first_index, double q) const {
  return exact_ ? quantile_of_sorted(sorted_values(first_index), q) : sketch(first_index).quantile(q);
}

Distribution BatchedSeries::distribution(std::int64_t first_index) const {
  const Sketch all = sketch(first_index);
  Distribution result;
  result.exact = exact_;
  result.count = all.count();
  if (all.count() == 0) return result;
  const std::vector<double> sorted = exact_ ? sorted_values(first_index) : std::vector<double>();
  const auto at = [&](double q) { return exact_ ? quantile_of_sorted(sorted, q) : all.quantile(q); };
  result.mean = all.mean();
  result.p50 = at(0.5);
  result.p90 = at(0.9);
  result.p95 = at(0.95);
  result.p99 = at(0.99);
  result.max = all.max();
  result.mean_interval = mean_interval(kept(first_index));
  result.p99_interval = p99_interval(kept(first_index), result.p99, result.count);
  return result;
}

}  // namespace silicast
