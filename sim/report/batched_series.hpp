// One metric of the requests of a run, kept by arrival cohort: steady state, means and percentiles with
// confidence intervals. Source: White, "An effective truncation heuristic for bias reduction in simulation
// output", Simulation 69(6), 1997 (MSER).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "sim/report/cohorts.hpp"
#include "sim/report/intervals.hpp"
#include "sim/report/quantiles.hpp"

namespace silicast {

// What a report says of one metric; values in the metric's own unit, NaN when empty.
struct Distribution {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  std::int64_t count = 0;
  double mean = kNone, p50 = kNone, p90 = kNone, p95 = kNone, p99 = kNone, max = kNone;
  Interval mean_interval;
  Interval p99_interval;
  bool exact = true;  // quantiles come from the values themselves, not from the sketch
};

class BatchedSeries {
 public:
  // Values are kept one by one up to this many, then only sketched.
  static constexpr std::size_t kExactBound = 200'000;

  // `index` counts requests in order of arrival from 0; values may arrive in any order.
  void add(std::int64_t index, double value) {
    batches_.at(index).add(value);
    if (!exact_) return;
    if (values_.size() < kExactBound)
      values_.push_back({index, value});
    else
      drop_values();
  }

  // Merges cohorts until each spans 2^shift requests.
  void coarsen(int shift) { batches_.coarsen(shift); }
  int shift() const { return batches_.shift(); }

  // The index of the first request of the steady state, a cohort boundary; nullopt when there are under 10
  // cohorts or no steady state begins in the first half.
  std::optional<std::int64_t> steady_from() const;

  // Of the requests from `first_index` on, which must be a multiple of 2^shift().
  Distribution distribution(std::int64_t first_index) const;
  Sketch sketch(std::int64_t first_index) const;
  // Share-interpolated quantile of the same requests.
  double quantile(std::int64_t first_index, double q) const;

  std::span<const Sketch> cohorts() const { return batches_.cohorts(); }

 private:
  struct Value {
    std::int64_t index;
    double value;
  };
  void drop_values();
  std::vector<double> sorted_values(std::int64_t first_index) const;
  std::span<const Sketch> kept(std::int64_t first_index) const;

  CohortTable<Sketch> batches_;
  std::vector<Value> values_;
  bool exact_ = true;
};

// The number of leading batch means to leave out so that the standard error of the rest is least (MSER); at
// most half of them, nullopt when the minimum is not reached within that half.
std::optional<std::size_t> mser_cut(std::span<const double> batch_means);

}  // namespace silicast
