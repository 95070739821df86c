#include "sim/study/capacity/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace silicast {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

// Counts what is over the limits of percentiles while a run goes on.
class OverLimits final : public ServingObserver {
 public:
  explicit OverLimits(const Scenario& scenario) : requests_(scenario.workload_info.requests.value_or(0)) {
    // Nor where nobody knows how many will come; how many are of a class is not known before.
    if (scenario.classes.size() != 1 || requests_ == 0) return;
    for (const PercentileTarget& target : scenario.classes[0].targets.percentiles)
      if (target.quantile > 0 && target.metric != LatencyMetric::kItl) counts_.push_back({target, 0});
  }

  void request_ended(const RequestRecord& record) override {
    if (record.state != EndState::kCompleted || 2 * record.index < requests_) return;
    for (Count& count : counts_) count.over += latency(record, count.target.metric) > count.target.limit;
  }

  // A tenth more than is allowed, as the number of requests may be an expectation.
  const PercentileTarget* hopeless() const {
    for (const Count& count : counts_)
      if (static_cast<double>(count.over) > 1.1 * (1 - count.target.quantile) * static_cast<double>(requests_) + 10)
        return &count.target;
    return nullptr;
  }

 private:
  struct Count {
    PercentileTarget target;
    std::int64_t over = 0;
  };

  static double latency(const RequestRecord& record, LatencyMetric metric) {
    const double ttft = (record.first_token - record.arrival).value(), e2e = (record.end - record.arrival).value();
    if (metric == LatencyMetric::kTtft) return ttft;
    if (metric == LatencyMetric::kE2e) return e2e;
    return record.output_tokens > 1 ? (e2e - ttft) / (record.output_tokens - 1) : 0;
  }

  std::int64_t requests_;
  std::vector<Count> counts_;
};

}  // namespace

Verdict verdict_of(const Summary& summary, double least_good) {
  Verdict verdict;
  verdict.summary = summary;
  if (summary.unstable) {
    verdict.target = "stability", verdict.excess = kInfinite;
    return verdict;
  }
  const auto consider = [&](const std::string& target, double value, double limit, double excess) {
    if (!verdict.target.empty() && !(excess > verdict.excess)) return;
    verdict.target = target, verdict.value = value, verdict.limit = limit, verdict.excess = excess;
  };
  const Goodput& goodput = summary.total.goodput;
  for (const TargetResult& one : goodput.targets) {
    if (std::isfinite(one.value))
      consider(one.name, one.value, one.limit, one.value / one.limit);
    else if (one.unstable)
      consider(one.name, one.value, one.limit, kInfinite);
  }
  // Percentile targets lend their limits to single requests; a share of 99% of those alone is the p99 again.
  if (goodput.own_limits && std::isfinite(goodput.share))
    consider("share of good requests", goodput.share, least_good,
             least_good < 1      ? (1 - goodput.share) / (1 - least_good)
             : goodput.share < 1 ? kInfinite
                                 : 0);
  verdict.met = !verdict.target.empty() && verdict.excess <= 1;
  return verdict;
}

Verdict judge(const Scenario& scenario, double least_good) {
  OverLimits over(scenario);
  Simulation simulation(scenario, {.leap = true, .output_file = {}, .listener = &over});
  while (simulation.advance(1 << 8)) {
    const PercentileTarget* target = over.hopeless();
    if (target == nullptr) continue;
    Verdict verdict;
    verdict.target = target->name(), verdict.limit = target->limit, verdict.excess = kInfinite, verdict.stopped = true;
    return verdict;
  }
  return verdict_of(simulation.finish().summary, least_good);
}

}  // namespace silicast
