// Reading and naming of latency targets.
#include "sim/report/targets.hpp"

#include <fmt/format.h>

#include <cmath>

namespace silicast {
namespace {

struct Suffix {
  std::string_view text;
  double quantile;
};
constexpr Suffix kSuffixes[] = {{"mean", -1}, {"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}};
// A p90 and above can be asked of nearly every request; a median or a mean leaves half of them on either
// side.
constexpr double kMinPerRequest = 0.9;
constexpr LatencyMetric kMetrics[] = {LatencyMetric::kTtft, LatencyMetric::kTpot, LatencyMetric::kE2e,
                                      LatencyMetric::kItl};

double* limit_of(Targets& targets, LatencyMetric metric) {
  switch (metric) {
    case LatencyMetric::kTtft:
      return &targets.ttft;
    case LatencyMetric::kTpot:
      return &targets.tpot;
    case LatencyMetric::kE2e:
      return &targets.e2e;
    case LatencyMetric::kItl:
      return nullptr;  // a gap belongs to an iteration, not to one request
  }
  return nullptr;
}

}  // namespace

std::string_view name_of(LatencyMetric metric) {
  switch (metric) {
    case LatencyMetric::kTtft:
      return "ttft";
    case LatencyMetric::kTpot:
      return "tpot";
    case LatencyMetric::kE2e:
      return "e2e";
    case LatencyMetric::kItl:
      return "itl";
  }
  return "";
}

std::string PercentileTarget::name() const {
  for (const Suffix& suffix : kSuffixes)
    if (suffix.quantile == quantile) return fmt::format("{}_{}", name_of(metric), suffix.text);
  return fmt::format("{}_p{:g}", name_of(metric), 100 * quantile);
}

bool Targets::any_per_request() const {
  return std::isfinite(ttft) || std::isfinite(tpot) || std::isfinite(e2e);
}

Targets read_targets(const ConfigValue& value) {
  Targets targets;
  ConfigMap map = value.map();
  for (const LatencyMetric metric : kMetrics) {
    double* limit = limit_of(targets, metric);
    if (limit != nullptr)
      if (const auto given = map.optional(name_of(metric))) {
        *limit = given->quantity(Dimension::kTime, kPositive);
        targets.own_limits = true;
      }
    PercentileTarget highest{metric, 0, std::numeric_limits<double>::infinity()};
    for (const Suffix& suffix : kSuffixes) {
      PercentileTarget target{metric, suffix.quantile, 0};
      const auto given = map.optional(target.name());
      if (!given) continue;
      target.limit = given->quantity(Dimension::kTime, kPositive);
      if (target.quantile >= kMinPerRequest && target.quantile > highest.quantile) highest = target;
      targets.percentiles.push_back(target);
    }
    if (limit != nullptr && std::isinf(*limit)) *limit = highest.limit;
  }
  map.done();
  return targets;
}

}  // namespace silicast
