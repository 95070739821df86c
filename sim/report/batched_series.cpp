// Statistics of correlated observations: MSER, means and quantiles with their intervals.
#include "sim/report/batched_series.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

constexpr std::size_t kMinForMser = 10;

// Latencies are not; the approximations behind an interval may be.
Interval not_negative(const Interval& interval) {
  return {interval.low < 0 ? 0 : interval.low, interval.high};
}

}  // namespace

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
  if (cut > 0 && 2 * (cut + 1) > n) return std::nullopt;  // still falling at the edge: no steady state in sight
  return cut;
}

void BatchedSeries::drop_values() {
  exact_ = false;
  std::vector<Value>().swap(values_);
}

std::span<const Sketch> BatchedSeries::kept(std::int64_t first_index) const {
  SILICAST_CHECK(first_index >= 0 && (first_index >> shift() << shift()) == first_index, "index {} of cohorts of {}",
                 first_index, std::int64_t{1} << shift());
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
  if (means.size() > 1 && 2 * cohorts.back().count() < std::int64_t{1} << shift() && cohorts.back().count() > 0)
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
  std::vector<BatchSum> sums;
  for (const Sketch& cohort : kept(first_index)) sums.push_back({static_cast<double>(cohort.count()), cohort.sum()});
  result.mean_interval = not_negative(mean_interval(sums));
  result.p99_interval = not_negative(p99_interval(kept(first_index), result.mean, result.p99));
  return result;
}

}  // namespace silicast
