// Helpers of the workload tests: workloads from text, files that vanish, and the statistics to judge draws
// by.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "workloads/workload.hpp"

namespace silicast {

// A folder of its own for files of a test.
class TestFolder {
 public:
  TestFolder() {
    static std::atomic<int> count{0};
    path_ = std::filesystem::temp_directory_path() /
            ("silicast-test-" + std::to_string(getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path() const { return path_.string(); }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
  }

 private:
  std::filesystem::path path_;
};

inline WorkloadContext context_of(const std::string& base_dir = ".") {
  WorkloadContext context;
  context.base_dir = base_dir;
  context.configs_dir = std::string(SILICAST_SOURCE_DIR) + "/configs";
  return context;
}

inline Workload workload_of(const std::string& yaml, const WorkloadContext& context = context_of()) {
  return make_workload(ConfigValue::from_text(yaml, "w.yaml"), context);
}

inline std::vector<RequestSpec> drain(RequestSource& source) {
  std::vector<RequestSpec> requests;
  while (const auto time = source.next_time()) {
    requests.push_back(source.take());
    if (requests.back().arrival != *time) throw std::logic_error("take() gave another time than next_time()");
  }
  return requests;
}

inline std::vector<RequestSpec> requests_of(const std::string& yaml, const WorkloadContext& context = context_of()) {
  return drain(*workload_of(yaml, context).source);
}

// The message of the InputError that `action` throws, with `folder` in it replaced by DIR.
inline std::string message_of(const std::function<void()>& action, const std::string& folder = "") {
  try {
    action();
  } catch (const InputError& error) {
    std::string message = error.what();
    if (!folder.empty())
      for (std::size_t at; (at = message.find(folder)) != std::string::npos;) message.replace(at, folder.size(), "DIR");
    return message;
  }
  return "no error";
}

struct Moments {
  double mean = 0;
  double cv = 0;
};

inline Moments moments_of(const std::vector<double>& values) {
  double mean = 0, square = 0;
  for (const double value : values) mean += value;
  mean /= static_cast<double>(values.size());
  for (const double value : values) square += (value - mean) * (value - mean);
  return {mean, std::sqrt(square / static_cast<double>(values.size())) / mean};
}

// Kolmogorov-Smirnov: the largest distance between the empirical and the given distribution function, times
// sqrt(n). Over 1.95 has a probability of 0.001 if the draws are of that continuous distribution.
inline double ks_of(std::vector<double> values, const std::function<double(double)>& cdf) {
  std::sort(values.begin(), values.end());
  const double n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double p = cdf(values[i]);
    distance = std::max({distance, p - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - p});
  }
  return distance * std::sqrt(n);
}
inline constexpr double kKsLimit = 1.95;

// Chi-square of counts against expected counts, as a standard normal deviate (Wilson and Hilferty, 1931).
// Over 3.1 has a probability of 0.001.
inline double chi_square_deviate(const std::vector<double>& counts, const std::vector<double>& expected) {
  double chi = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    chi += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i];
  const double freedom = static_cast<double>(counts.size()) - 1;
  return (std::cbrt(chi / freedom) - (1 - 2 / (9 * freedom))) / std::sqrt(2 / (9 * freedom));
}
inline constexpr double kDeviateLimit = 3.1;

inline double normal_cdf_of(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

}  // namespace silicast
