// Sums and series of one group of requests.
#include "sim/report/group_recorder.hpp"

#include <algorithm>
#include <cmath>

namespace silicast {

void CohortSums::merge(const CohortSums& other) {
  ended += other.ended;
  completed += other.completed;
  good += other.good;
  ttft += other.ttft;
  queue += other.queue;
  preemption += other.preemption;
  transfer += other.transfer;
  wait += other.wait;
  stay += other.stay;
}

void GroupRecorder::add_in_window(const Latencies& latencies) {
  CohortSums& sums = sums_.at(latencies.index);
  ++sums.ended;
  sums.wait += latencies.wait;
  sums.stay += latencies.e2e;
  if (!latencies.completed) return;
  ++sums.completed;
  sums.good += latencies.good;
  sums.ttft += latencies.ttft;
  sums.queue += latencies.queue;
  sums.preemption += latencies.preemption;
  sums.transfer += latencies.transfer;
  ttft_.add(latencies.index, latencies.ttft);
  e2e_.add(latencies.index, latencies.e2e);
  if (!std::isnan(latencies.tpot)) tpot_.add(latencies.index, latencies.tpot);
}

int GroupRecorder::shift() const {
  return std::max({sums_.shift(), ttft_.shift(), tpot_.shift(), e2e_.shift()});
}

void GroupRecorder::coarsen(int shift) {
  sums_.coarsen(shift);
  ttft_.coarsen(shift);
  tpot_.coarsen(shift);
  e2e_.coarsen(shift);
}

GroupSummary GroupRecorder::summary(std::int64_t first_index, const CompletionTotals& completions, double seconds,
                                    std::size_t tiers) const {
  GroupSummary group;
  group.states = states_;
  group.reasons = reasons_;
  group.preemptions = preemptions_;
  if (prompt_tokens_ > 0)
    group.cached_share = static_cast<double>(cached_tokens_) / static_cast<double>(prompt_tokens_);
  for (std::size_t tier = 0; tier < tiers; ++tier)
    group.tier_shares.push_back(prompt_tokens_ > 0
                                    ? static_cast<double>(fetched_tokens_[tier]) / static_cast<double>(prompt_tokens_)
                                    : kNoValue);
  for (const std::int64_t count : states_) group.requests += count;
  group.ttft = ttft_.distribution(first_index);
  group.tpot = tpot_.distribution(first_index);
  group.e2e = e2e_.distribution(first_index);
  CohortSums kept;
  for (std::size_t i = static_cast<std::size_t>(first_index >> sums_.shift()); i < sums_.cohorts().size(); ++i)
    kept.merge(sums_.cohorts()[i]);
  if (kept.completed > 0) {
    const double n = static_cast<double>(kept.completed);
    group.split.queue = kept.queue / n;
    group.split.preemption = kept.preemption / n;
    group.split.transfer = kept.transfer / n;
    group.split.prefill = (kept.ttft - kept.queue - kept.preemption - kept.transfer) / n;
  }
  if (kept.ended > 0) group.goodput.share = static_cast<double>(kept.good) / static_cast<double>(kept.ended);
  if (seconds > 0) {
    group.throughput.requests = static_cast<double>(completions.requests) / seconds;
    group.throughput.prompt_tokens = static_cast<double>(completions.prompt_tokens) / seconds;
    group.throughput.output_tokens = static_cast<double>(completions.output_tokens) / seconds;
    group.throughput.total_tokens = group.throughput.prompt_tokens + group.throughput.output_tokens;
    group.goodput.requests = static_cast<double>(completions.good) / seconds;
  }
  return group;
}

}  // namespace silicast
