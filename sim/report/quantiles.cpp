// Slow paths of the sketch: growing, ramps, merging, reading quantiles.
#include "sim/report/quantiles.hpp"

#include <cmath>

#include "sim/base/check.hpp"

namespace silicast {

void Sketch::widen(std::int32_t bin) {
  constexpr std::int32_t kMargin = 32;  // a quarter of an octave, so that slow drifts do not reallocate each time
  if (counts_.empty()) {
    base_ = bin - kMargin;
    counts_.assign(2 * kMargin + 1, 0);
    return;
  }
  if (bin < base_) {
    const std::int32_t base = bin - kMargin;
    counts_.insert(counts_.begin(), static_cast<std::size_t>(base_ - base), 0);
    base_ = base;
  } else {
    counts_.resize(static_cast<std::size_t>(bin - base_ + 1 + kMargin), 0);
  }
}

void Sketch::add_ramp(double first, double step, std::int64_t count, std::int64_t weight) {
  if (count <= 0 || weight <= 0) return;
  const auto value = [&](std::int64_t i) { return first + step * static_cast<double>(i); };
  const double last = value(count - 1);
  const double n = static_cast<double>(count);
  count_ += count * weight;
  sum_ += static_cast<double>(weight) * (n * first + step * (0.5 * n * (n - 1)));
  min_ = std::min({min_, first, last});
  max_ = std::max({max_, first, last});
  const std::int32_t last_bin = bin_of(last);
  std::int64_t i = 0;
  for (std::int32_t bin = bin_of(first); bin != last_bin; bin = bin_of(value(i))) {
    // The first index that leaves this bin: a guess by division, then the very comparison that add() would
    // make.
    const double edge = step > 0 ? low_edge(bin + 1) : low_edge(bin);
    const double guess = std::ceil((edge - first) / step);
    std::int64_t next = std::clamp(static_cast<std::int64_t>(std::min(guess, n)), i + 1, count - 1);
    while (next > i + 1 && bin_of(value(next - 1)) != bin) --next;
    while (next < count - 1 && bin_of(value(next)) == bin) ++next;
    count_in(bin, (next - i) * weight);
    i = next;
  }
  count_in(last_bin, (count - i) * weight);
}

void Sketch::merge(const Sketch& other) {
  if (other.count_ == 0) return;
  for (std::size_t i = 0; i < other.counts_.size(); ++i)
    if (other.counts_[i] != 0) count_in(other.base_ + static_cast<std::int32_t>(i), other.counts_[i]);
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

double Sketch::value_at_rank(std::int64_t rank) const {
  std::int64_t below = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    below += counts_[i];
    if (below <= rank) continue;
    const std::int32_t bin = base_ + static_cast<std::int32_t>(i);
    return std::clamp(0.5 * (low_edge(bin) + low_edge(bin + 1)), min_, max_);
  }
  return max_;
}

double Sketch::quantile(double q) const {
  SILICAST_CHECK(q >= 0 && q <= 1, "q = {}", q);
  if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
  const double position = q * static_cast<double>(count_ - 1);
  const auto rank = static_cast<std::int64_t>(position);
  const double low = value_at_rank(rank);
  const double share = position - static_cast<double>(rank);
  return share > 0 ? low + share * (value_at_rank(rank + 1) - low) : low;
}

std::vector<Sketch::Bin> Sketch::bins() const {
  std::vector<Bin> bins;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    const std::int32_t bin = base_ + static_cast<std::int32_t>(i);
    bins.push_back({low_edge(bin), low_edge(bin + 1), counts_[i]});
  }
  return bins;
}

double quantile_of_sorted(std::span<const double> sorted, double q) {
  SILICAST_CHECK(q >= 0 && q <= 1, "q = {}", q);
  if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto rank = static_cast<std::size_t>(position);
  const double share = position - static_cast<double>(rank);
  return share > 0 ? sorted[rank] + share * (sorted[rank + 1] - sorted[rank]) : sorted[rank];
}

}  // namespace silicast
