// Cohorts: consecutive requests in order of arrival, never more than 128 of them. When a request comes that
// would need one more, neighbours are merged and the cohort size doubles, so a run of any length keeps 64 to
// 128.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/check.hpp"

namespace silicast {

inline constexpr std::int64_t kMaxCohorts = 128;
inline constexpr int kFirstCohortShift = 3;  // the first cohorts hold 8 requests each

// T is default-constructible and has merge(const T&). Boundaries are multiples of 2^shift, so those of a
// coarser table are boundaries of a finer one.
template <class T>
class CohortTable {
 public:
  // The cohort of the request with this index (in order of arrival, from 0). Indices may come in any order.
  T& at(std::int64_t index) {
    const std::int64_t cohort = index >> shift_;
    if (cohort >= static_cast<std::int64_t>(cohorts_.size())) [[unlikely]]
      return grow_to(index);
    return cohorts_[static_cast<std::size_t>(cohort)];
  }

  int shift() const { return shift_; }
  std::span<const T> cohorts() const { return cohorts_; }

  // Merges until cohorts hold 2^shift requests.
  void coarsen(int shift) {
    while (shift_ < shift) halve();
  }

 private:
  T& grow_to(std::int64_t index) {
    SILICAST_CHECK(index >= 0);
    while ((index >> shift_) >= kMaxCohorts) halve();
    const auto cohort = static_cast<std::size_t>(index >> shift_);
    if (cohort >= cohorts_.size()) cohorts_.resize(cohort + 1);
    return cohorts_[cohort];
  }

  void halve() {
    const std::size_t half = (cohorts_.size() + 1) / 2;
    for (std::size_t i = 0; i < half; ++i) {
      if (i > 0) cohorts_[i] = std::move(cohorts_[2 * i]);
      if (2 * i + 1 < cohorts_.size()) cohorts_[i].merge(cohorts_[2 * i + 1]);
    }
    cohorts_.resize(half);
    ++shift_;
  }

  std::vector<T> cohorts_;
  int shift_ = kFirstCohortShift;
};

}  // namespace silicast
