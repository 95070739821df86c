// What a trace holds, counted as its requests go by: load, burstiness, lengths, and how much of its prompts a cache
// could give back. Memory: one number for each length that occurs and one for each block.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/study/traces/id_set.hpp"
#include "workloads/request_source.hpp"

namespace silicast {

// Tokens. A quantile is the smallest length that so large a share of the requests does not exceed.
struct LengthSummary {
  double mean = 0;
  std::int32_t p50 = 0;
  std::int32_t p99 = 0;
  std::int32_t max = 0;
};

struct TraceSummary {
  std::int64_t requests = 0;
  double span_s = 0;                       // from the first arrival to the last
  std::optional<double> rate;              // requests/s: gaps over span; none where all come at once
  std::optional<double> gap_cv;            // standard deviation of the gaps over their mean: 1 for Poisson
  double zero_gaps = 0;                    // share of the gaps that are 0
  LengthSummary prompt, output;            // of no requests: zeros
  std::vector<std::int64_t> class_counts;  // by ClassId
  std::int32_t block_tokens = 0;           // 0: no ids of blocks, and no counts of them
  std::int64_t blocks = 0;                 // that the prompts name, partial ones counted
  std::int64_t distinct_blocks = 0;        // the others were seen before: what a cache without limit would have held
  std::int64_t seen_blocks() const { return blocks - distinct_blocks; }
};

class TraceCounter {
 public:
  explicit TraceCounter(std::int32_t block_tokens) : block_tokens_(block_tokens) {}
  void add(const RequestSpec& request, std::span<const std::uint64_t> blocks);
  TraceSummary summary() const;
  // Of its blocks, those of its prompt: they are looked for; what its answer names is found by others.
  std::size_t of_prompt(const RequestSpec& request, std::span<const std::uint64_t> blocks) const;

 private:
  class Lengths {
   public:
    void add(std::int32_t tokens) { ++counts_[tokens]; }
    LengthSummary summary() const;

   private:
    std::map<std::int32_t, std::int64_t> counts_;
  };

  std::int32_t block_tokens_;
  std::int64_t requests_ = 0;
  SimTime first_, last_;
  double gap_mean_ = 0, gap_square_ = 0;  // running mean, and sum of squared distances from it (Welford 1962)
  std::int64_t zero_gaps_ = 0;
  Lengths prompt_, output_;
  std::vector<std::int64_t> class_counts_;
  std::int64_t blocks_ = 0, distinct_blocks_ = 0;
  IdSet seen_;
};

// A table for people; `description` says where the requests come from, names of classes are those of ClassIds.
std::string trace_summary_text(const TraceSummary& summary, const std::string& description,
                               const std::vector<std::string>& class_names);
// The same as one JSON object, with `curves` and `reuse` where they are not empty.
std::string trace_summary_json(const TraceSummary& summary, const std::string& description,
                               const std::vector<std::string>& class_names, const std::string& curves,
                               const std::string& reuse = {});

}  // namespace silicast
