// Small parts to build serving tests from: a source over a vector, an observer that keeps everything, simple costs.
#pragma once

#include <algorithm>
#include <vector>

#include "sim/serving/cluster.hpp"

namespace silicast::testing {

class VectorSource final : public RequestSource {
 public:
  // `blocks`: of each prompt, of `block_tokens` tokens; none: empty.
  explicit VectorSource(std::vector<RequestSpec> specs, std::vector<std::vector<std::uint64_t>> blocks = {},
                        std::int32_t block_tokens = 0)
      : specs_(std::move(specs)), blocks_(std::move(blocks)), block_tokens_(block_tokens) {}
  std::optional<SimTime> next_time() override {
    if (next_ == specs_.size()) return std::nullopt;
    return specs_[next_].arrival;
  }
  RequestSpec take() override { return specs_[next_++]; }
  std::span<const std::uint64_t> blocks() const override {
    return blocks_.empty() ? std::span<const std::uint64_t>{} : blocks_[next_ - 1];
  }
  std::int32_t block_tokens() const override { return block_tokens_; }

 private:
  std::vector<RequestSpec> specs_;
  std::vector<std::vector<std::uint64_t>> blocks_;
  std::int32_t block_tokens_ = 0;
  std::size_t next_ = 0;
};

struct Gap {
  double seconds;
  std::int64_t count;
};

class Collector final : public ServingObserver {
 public:
  std::vector<RequestRecord> records;  // in the order of their ends
  std::vector<RunRecord> runs;
  std::vector<Gap> gaps;

  void request_ended(const RequestRecord& record) override { records.push_back(record); }
  void run_ended(const RunRecord& run) override { runs.push_back(run); }
  void token_gap(PoolId, Seconds gap, std::int64_t count) override { gaps.push_back({gap.value(), count}); }

  std::vector<RequestRecord> by_index() const {
    std::vector<RequestRecord> sorted = records;
    std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
    return sorted;
  }
};

// An iteration takes base + per_token * tokens + per_kv_token * KV tokens of the decoding sequences.
inline IterationCost linear_cost(double base, double per_token, double per_kv_token, std::int32_t max_tokens,
                                 std::int32_t max_sequences, IterationCost::Common common = {}) {
  StageCost stage;
  for (std::int32_t m = 0; m <= max_tokens; ++m) stage.tokens.push_back(m == 0 ? 0 : base + per_token * m);
  const std::int32_t sampled = max_sequences * common.query_tokens;
  stage.sequences.assign(static_cast<std::size_t>(sampled) + 1, 0.0);
  stage.decode_base.assign(static_cast<std::size_t>(max_sequences) + 1, 0.0);
  stage.decode_kv.assign(1 + common.reaches.size(), PiecewiseLine{{{0, 0, per_kv_token}}});
  return IterationCost({stage}, {}, std::move(common));
}

inline RequestSpec request_at(std::int64_t ns, std::int32_t prompt, std::int32_t output) {
  RequestSpec spec;
  spec.arrival = {ns};
  spec.prompt_tokens = prompt;
  spec.output_tokens = output;
  return spec;
}

}  // namespace silicast::testing
