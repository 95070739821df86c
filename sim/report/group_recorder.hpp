// What is kept of the requests of one group: the whole run, one pool or one class.
#pragma once

#include <array>
#include <cstdint>

#include "sim/report/batched_series.hpp"
#include "sim/report/summary.hpp"
#include "sim/serving/observer.hpp"

namespace silicast {

// The latencies of one ended request, seconds; worked out once and given to each group that it belongs to.
struct Latencies {
  std::int64_t index = 0;  // among the requests that arrived in the window; negative: outside
  double ttft = 0;
  double tpot = 0;  // NaN with under two output tokens
  double e2e = 0;   // arrival to the end; of any request
  double queue = 0;
  double preemption = 0;
  double transfer = 0;  // from the end of its prefill to its first token, where these are two replicas'
  double wait = 0;      // arrival to the first iteration, or to the end if there was none; of any request
  bool completed = false;
  bool good = false;
};

// Of the completions so far; snapshots of it bound the throughput window.
struct CompletionTotals {
  std::int64_t requests = 0;
  std::int64_t good = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t output_tokens = 0;

  CompletionTotals operator-(const CompletionTotals& start) const {
    return {requests - start.requests, good - start.good, prompt_tokens - start.prompt_tokens,
            output_tokens - start.output_tokens};
  }
};

struct CohortSums {
  std::int64_t ended = 0;
  std::int64_t completed = 0;
  std::int64_t good = 0;
  double ttft = 0, queue = 0, preemption = 0, transfer = 0;  // of the completed
  double wait = 0, stay = 0;                                 // of all

  void merge(const CohortSums& other);
};

class GroupRecorder {
 public:
  void add(const RequestRecord& record, const Latencies& latencies) {
    ++states_[static_cast<std::size_t>(record.state)];
    ++reasons_[static_cast<std::size_t>(record.reason)];
    preemptions_ += record.preemptions;
    prompt_tokens_ += record.prompt_tokens;
    cached_tokens_ += record.cached_tokens;
    for (std::size_t tier = 0; tier < kMaxTiers; ++tier) fetched_tokens_[tier] += record.fetched_tokens[tier];
    if (latencies.completed) {
      ++totals_.requests;
      totals_.good += latencies.good;
      totals_.prompt_tokens += record.prompt_tokens;
      totals_.output_tokens += record.output_tokens;
    }
    if (latencies.index >= 0) add_in_window(latencies);
  }

  int shift() const;
  void coarsen(int shift);
  const CompletionTotals& totals() const { return totals_; }
  const BatchedSeries& ttft() const { return ttft_; }
  const BatchedSeries& tpot() const { return tpot_; }
  const BatchedSeries& e2e() const { return e2e_; }
  std::span<const CohortSums> cohorts() const { return sums_.cohorts(); }

  // Everything but the ITL, target results and the name. `first_index` is a cohort boundary; `completions`
  // those of the throughput window of `seconds`.
  GroupSummary summary(std::int64_t first_index, const CompletionTotals& completions, double seconds,
                       std::size_t tiers) const;

 private:
  void add_in_window(const Latencies& latencies);

  std::array<std::int64_t, kEndStates> states_{};
  std::array<std::int64_t, kEndReasons> reasons_{};
  std::int64_t preemptions_ = 0;
  std::int64_t prompt_tokens_ = 0, cached_tokens_ = 0;    // of all that ended
  std::array<std::int64_t, kMaxTiers> fetched_tokens_{};  // of the cached ones, from tiers
  CompletionTotals totals_;
  CohortTable<CohortSums> sums_;
  BatchedSeries ttft_, tpot_, e2e_;
};

}  // namespace silicast
