// A histogram of positive values whose bins are linear inside each power of two: quantiles within 0.4% of the
// exact order statistic at any size, mergeable, and cheap enough to be fed by every token of a long run.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace silicast {

// Largest relative error of a quantile; the geometry gives 1/256 (half of a bin of 1/128).
inline constexpr double kSketchError = 0.005;

class Sketch {
 public:
  // A value of any size; below 2^-30 (about 1 ns, when values are seconds) and above 2^40 it counts as the
  // nearest of these in the bins, as itself in sum(), min() and max(). NaN counts as the smallest.
  void add(double value, std::int64_t weight = 1) {
    count_in(bin_of(value), weight);
    count_ += weight;
    sum_ += value * static_cast<double>(weight);
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
  }

  // The values first + step * i for i in [0, count), `weight` times each; work is proportional to the bins
  // that they span. The bins are exactly those that adding one by one gives. count and weight may be 0.
  void add_ramp(double first, double step, std::int64_t count, std::int64_t weight);

  void merge(const Sketch& other);

  std::int64_t count() const { return count_; }
  double sum() const { return sum_; }
  double mean() const {
    return count_ > 0 ? sum_ / static_cast<double>(count_) : std::numeric_limits<double>::quiet_NaN();
  }
  double min() const { return min_; }
  double max() const { return max_; }

  // The value below which a share q (0 to 1) lies, interpolated between neighbouring ranks as numpy does; NaN
  // when empty.
  double quantile(double q) const;

  // One bin with something in it: values in [low, high).
  struct Bin {
    double low;
    double high;
    std::int64_t count;
  };
  std::vector<Bin> bins() const;

 private:
  // Exponent and the top 7 bits of the mantissa, as one integer that grows with the value.
  static std::int32_t bin_of(double value) {
    const double bounded = value > kSmallest ? (value < kLargest ? value : kLargest) : kSmallest;
    return static_cast<std::int32_t>(std::bit_cast<std::uint64_t>(bounded) >> (52 - kMantissaBits));
  }
  static double low_edge(std::int32_t bin) {
    return std::bit_cast<double>(static_cast<std::uint64_t>(bin) << (52 - kMantissaBits));
  }
  void count_in(std::int32_t bin, std::int64_t weight) {
    const auto i = static_cast<std::size_t>(static_cast<std::int64_t>(bin) - base_);
    if (i >= counts_.size()) [[unlikely]] {
      widen(bin);
      counts_[static_cast<std::size_t>(bin - base_)] += weight;
      return;
    }
    counts_[i] += weight;
  }
  void widen(std::int32_t bin);
  double value_at_rank(std::int64_t rank) const;

  static constexpr int kMantissaBits = 7;
  static constexpr double kSmallest = 0x1p-30;
  static constexpr double kLargest = 0x1p40;

  std::int32_t base_ = 0;  // bin of counts_[0]
  std::vector<std::int64_t> counts_;
  std::int64_t count_ = 0;
  double sum_ = 0;
  double min_ = std::numeric_limits<double>::infinity();
  double max_ = -std::numeric_limits<double>::infinity();
};

// The same interpolated quantile of sorted values; NaN when empty.
double quantile_of_sorted(std::span<const double> sorted, double q);

}  // namespace silicast
