#include "sim/study/validation/statistics.hpp"

#include <algorithm>
#include <cmath>

#include "sim/report/quantiles.hpp"

namespace silicast {
namespace {

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return quantile_of_sorted(values, q);
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

ErrorStatistics error_statistics(const std::vector<double>& errors) {
  std::vector<double> sizes;
  for (const double error : errors) sizes.push_back(std::abs(error));
  return {errors.size(), 1, quantile(errors, 0.5), quantile(sizes, 0.5), quantile(sizes, 0.9), mean(sizes)};
}

ErrorStatistics over_groups(const std::map<std::string, std::vector<double>>& errors_by_group) {
  ErrorStatistics all;
  std::vector<double> bias, median, p90, means;
  for (const auto& [group, errors] : errors_by_group) {
    const ErrorStatistics one = error_statistics(errors);
    all.cases += one.cases;
    bias.push_back(one.bias);
    median.push_back(one.median);
    p90.push_back(one.p90);
    means.push_back(one.mean);
  }
  all.groups = errors_by_group.size();
  all.bias = quantile(bias, 0.5);
  all.median = quantile(median, 0.5);
  all.p90 = quantile(p90, 0.5);
  all.mean = mean(means);
  return all;
}

}  // namespace silicast
