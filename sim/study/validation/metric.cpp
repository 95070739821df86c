#include "sim/study/validation/metric.hpp"

#include <algorithm>

namespace silicast {
namespace {

using enum MetricClass;

constexpr MetricInfo kMetrics[] = {
    {"ttft_mean", kTtft, Dimension::kTime},
    {"ttft_median", kTtft, Dimension::kTime},
    {"ttft_p90", kTail, Dimension::kTime},
    {"ttft_p95", kTail, Dimension::kTime},
    {"ttft_p99", kTail, Dimension::kTime},
    {"tpot_mean", kTpot, Dimension::kTime},
    {"tpot_median", kTpot, Dimension::kTime},
    {"tpot_p90", kTail, Dimension::kTime},
    {"tpot_p95", kTail, Dimension::kTime},
    {"tpot_p99", kTail, Dimension::kTime},
    {"itl_mean", kTpot, Dimension::kTime},
    {"transfer_mean", kTransfer, Dimension::kTime},
    {"e2e_mean", kE2e, Dimension::kTime},
    {"e2e_median", kE2e, Dimension::kTime},
    {"e2e_p90", kTail, Dimension::kTime},
    {"e2e_p95", kTail, Dimension::kTime},
    {"e2e_p99", kTail, Dimension::kTime},
    {"output_throughput", kThroughput, Dimension::kTokenRate},
    {"input_throughput", kThroughput, Dimension::kTokenRate},
    {"total_throughput", kThroughput, Dimension::kTokenRate},
    {"request_throughput", kThroughput, Dimension::kEventRate},
    {"makespan", kMakespan, Dimension::kTime},
    {"running", kQueue, Dimension::kNumber},
    {"waiting", kQueue, Dimension::kNumber},
    {"iteration_time", kIteration, Dimension::kTime},
    {"kv_memory", kMemory, Dimension::kBytes},
    {"kv_tokens", kMemory, Dimension::kNumber},
};

struct Statistic {
  std::string_view name;
  double quantile;
};
constexpr Statistic kStatistics[] = {{"mean", -1}, {"median", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}};

}  // namespace

std::string_view name_of(MetricClass metric_class) {
  constexpr std::string_view kNames[] = {"TTFT",     "TPOT/ITL", "E2E",       "throughput", "latency p90+",
                                         "makespan", "queue",    "iteration", "memory",     "KV transfer"};
  return kNames[static_cast<std::size_t>(metric_class)];
}

const MetricInfo* find_metric(std::string_view name) {
  const MetricInfo* found = std::find_if(std::begin(kMetrics), std::end(kMetrics),
                                         [&](const MetricInfo& metric) { return metric.name == name; });
  return found == std::end(kMetrics) ? nullptr : found;
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const MetricInfo& metric : kMetrics) names.emplace_back(metric.name);
  return names;
}

std::optional<RequestStatistic> request_statistic(std::string_view name) {
  const std::size_t split = name.find('_');
  if (split == std::string_view::npos) return std::nullopt;
  for (const Statistic& statistic : kStatistics)
    if (name.substr(split + 1) == statistic.name) return RequestStatistic{name.substr(0, split), statistic.quantile};
  return std::nullopt;
}

}  // namespace silicast
