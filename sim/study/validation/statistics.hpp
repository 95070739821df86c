// Errors of predictions, alone and over groups of cases that are alike.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace silicast {

// Of relative errors, predicted / measured - 1.
struct ErrorStatistics {
  std::size_t cases = 0;
  std::size_t groups = 0;
  double bias = 0;    // median of the errors, sign and all
  double median = 0;  // of their absolute values, like the rest
  double p90 = 0;
  double mean = 0;
};

// At least one error; percentiles interpolate between neighbouring ranks.
ErrorStatistics error_statistics(const std::vector<double>& errors);

// Every group counts once, however many cases it has: bias, median and p90 are the medians over the groups of theirs,
// the mean is the mean of their means. At least one group, none of them empty.
ErrorStatistics over_groups(const std::map<std::string, std::vector<double>>& errors_by_group);

}  // namespace silicast
