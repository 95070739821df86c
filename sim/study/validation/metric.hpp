// What can be measured of a serving system and compared with a prediction: one table of names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/io/quantity_text.hpp"

namespace silicast {

// Metrics that are put together in tables of errors. Tails stand apart: they are harder, and noisier.
enum class MetricClass {
  kTtft,
  kTpot,  // time per output token, and gaps between tokens
  kE2e,
  kThroughput,
  kTail,       // p90 and above of any latency
  kMakespan,   // first arrival to last token
  kQueue,      // running and waiting requests
  kIteration,  // one forward pass
  kMemory,
  kTransfer,  // of KV caches between replicas
};
std::string_view name_of(MetricClass metric_class);  // "TTFT", "TPOT/ITL", ...

// Values are in base units (s, token/s, 1/s, B).
struct MetricInfo {
  std::string_view name;  // "ttft_mean"
  MetricClass metric_class;
  Dimension dimension;
};

// nullptr where there is none of that name.
const MetricInfo* find_metric(std::string_view name);
std::vector<std::string> metric_names();

// The percentile of a latency metric: "ttft_p99" is (kTtft's "ttft", 0.99), "tpot_mean" ("tpot", mean); nullopt for
// metrics that are no statistic of requests.
struct RequestStatistic {
  std::string_view of;  // "ttft", "tpot", "itl", "e2e", "transfer"
  double quantile = 0;  // below 0: the mean
};
std::optional<RequestStatistic> request_statistic(std::string_view name);

}  // namespace silicast
