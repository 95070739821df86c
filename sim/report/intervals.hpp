// 95% confidence intervals of the mean and the p99 of correlated observations. Sources:
//   Steiger and Wilson, "An improved batch means procedure for simulation output analysis", Management
//   Science 48(12), 2002 (ASAP: merge batches until they look independent)
//   Tafazzoli, Wilson, Lada and Steiger, "Performance of Skart", INFORMS J. on Computing 23(2), 2011
//   (correction of the variance for the correlation that is left, and of the interval for skewness)
//   Willink, "A confidence interval and test for the mean of an asymmetric distribution", Communications in
//   Statistics 34(4), 2005 (the correction for skewness)
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "sim/report/quantiles.hpp"

namespace silicast {

// NaN when there are too few batches to tell.
struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

// Consecutive observations; the number may be 0.
struct BatchSum {
  double count = 0;
  double sum = 0;
};

// Of the overall mean, from batches of unlike sizes in order of time (ratio estimator), at least 10 that are
// not empty. They are merged, from 32 down to 10, until their means pass for uncorrelated.
Interval mean_interval(std::span<const BatchSum> batches);

// Of the overall p99 from batches in order of time: the values x for which the share of observations above x
// is compatible with 1% (a score test over the batches), and at least as wide, relatively, as the interval of
// the mean, because the length of the tail is never better known than the mean. `mean` and `p99` are the
// overall ones; under 2,500 observations there is none.
Interval p99_interval(std::span<const Sketch> batches, double mean, double p99);

// Student's t at 97.5% for 1 degree of freedom and more; between whole numbers (from 2 on) within 2%, on the
// wide side.
double student_t975(double degrees);

}  // namespace silicast
