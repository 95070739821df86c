// What a class of requests is promised, as a scenario states it: limits for each request, limits for
// percentiles.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "sim/io/config_reader.hpp"

namespace silicast {

enum class LatencyMetric { kTtft, kTpot, kE2e, kItl };
std::string_view name_of(LatencyMetric metric);  // "ttft", "tpot", "e2e", "itl"

// "ttft_p99: 2 s": at least the share `quantile` of the requests within `limit` seconds; quantile < 0 is the
// mean.
struct PercentileTarget {
  LatencyMetric metric = LatencyMetric::kTtft;
  double quantile = 0.99;
  double limit = 0;
  std::string name() const;  // "ttft_p99", "tpot_mean"
};

struct Targets {
  // Seconds that each request must keep to count as good; infinity where nothing is asked.
  double ttft = std::numeric_limits<double>::infinity();
  double tpot = std::numeric_limits<double>::infinity();
  double e2e = std::numeric_limits<double>::infinity();
  std::vector<PercentileTarget> percentiles;
  bool own_limits = false;  // one of them was given, not lent by a percentile

  bool any_per_request() const;
  // A TPOT of NaN (one output token) meets any target.
  bool good(double ttft_s, double tpot_s, double e2e_s) const {
    return ttft_s <= ttft && !(tpot_s > tpot) && e2e_s <= e2e;
  }
};

// {ttft: 2 s, tpot: 50 ms, e2e: 60 s, ttft_p99: 2 s, itl_p95: 100 ms, tpot_mean: 40 ms}; percentiles p50,
// p90, p95, p99 and mean. Where a metric has no limit per request, that of its highest percentile target from
// p90 on is the limit per request too: no single request can be held to a median or a mean. Errors
// (InputError): unknown keys, times that are not positive.
Targets read_targets(const ConfigValue& value);

}  // namespace silicast
