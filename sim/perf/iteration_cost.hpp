// How long one iteration of a replica takes, compiled before the run: tables over the token and sequence
// counts, lines over the KV length. The event loop only reads it; no kernel model runs inside the loop.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/perf/attention_table.hpp"
#include "sim/perf/cost_pieces.hpp"

namespace silicast {

// Sum over the decode sequences of a length that grows by a fixed amount per iteration.
struct LengthSum {
  double tokens = 0;  // as of the first iteration, its own token included
  double growth = 0;  // per iteration
};

// Lengths that some attention counts up to a limit only (windows, best entries), beside whole contexts.
inline constexpr std::size_t kMaxReaches = 4;

// All that the cost of an iteration depends on.
struct BatchShape {
  std::int32_t decode_sequences = 0;             // sequences that compute one token each
  std::int64_t decode_kv_tokens = 0;             // sum of their KV lengths, this iteration's token included
  std::int32_t prefill_sequences = 0;            // sequences that compute a chunk of their prompt
  std::int32_t prefill_tokens = 0;               // sum of the chunks
  double prefill_attention = 0;                  // sum over chunks of IterationCost::prefill_attention, s
  std::int32_t sampled_sequences = 0;            // sequences that get a token out of this iteration
  std::int32_t largest_chunk = 0;                // tokens of the largest chunk
  double largest_attention = 0;                  // its prefill_attention
  double accepted_drafts = 0;                    // drafted tokens per iteration that stay, of all decode sequences
  std::array<LengthSum, kMaxReaches> limited{};  // by IterationCost::reaches
  std::int64_t largest_context = 0;              // tokens before the largest chunk
};

// Durations of consecutive iterations of an unchanged batch: iteration i (from 0) takes first + slope * i
// seconds while i < iterations, because each decode sequence's KV grows by one token per iteration.
struct IterationLine {
  double first = 0;
  double slope = 0;
  std::int64_t iterations = std::numeric_limits<std::int64_t>::max();
};

// Sum of the first `count` durations of a line, in the one order of evaluation that every mode uses.
inline double cumulative(const IterationLine& line, std::int64_t count) {
  const double n = static_cast<double>(count);
  return n * line.first + line.slope * (0.5 * n * (n - 1));
}

// One pipeline stage, all of its layers together; every entry in seconds.
struct StageCost {
  double prefill_share = 1;         // of the model's prefill attention
  std::vector<double> tokens;       // [m]: GEMMs, norms, collectives, sends of m tokens; [0] is 0
  std::vector<double> sequences;    // [s]: LM head and sampling of s tokens (last stage); [0] is 0
  std::vector<double> decode_base;  // [n]: part of decode attention that depends on the sequences alone; [0] is 0
  // Part of decode attention by KV tokens of the batch: whole contexts, then one for each reach.
  std::vector<PiecewiseLine> decode_kv;
};

class IterationCost {
 public:
  struct HostOverhead {
    double per_iteration = 0;  // s, scheduling, input preparation, output handling
    double per_sequence = 0;   // s for each sequence of the batch
    bool overlapped = false;   // runs beside the chips' work (the longer counts) instead of before it
  };

  // What holds for all stages.
  struct Common {
    std::vector<PrefillPart> prefill;
    std::vector<std::int64_t> reaches;  // limits of the lengths in BatchShape::limited
    double mixed = 1;                   // factor on decode attention in one iteration with prompts
    std::int32_t prefill_split = 1;     // groups of ranks that a prompt's tokens are shared out over
    std::int32_t query_tokens = 1;      // that a decode sequence computes: itself and drafts to verify
    // Ranks in lock step: seconds that all wait for together, by tokens of the whole group and by those of its fullest
    // rank. Empty where each replica runs by itself.
    std::vector<double> group_tokens;
    std::vector<double> exchange;
    // Measured: then it stands for the prefill parts, decode_base, decode_kv and `mixed`. One stage only.
    std::optional<AttentionTable> attention;
  };

  IterationCost() = default;
  IterationCost(std::vector<StageCost> stages, HostOverhead host, Common common);

  // Largest token and sequence counts that the tables hold.
  std::int32_t max_tokens() const { return max_tokens_; }
  std::int32_t max_sequences() const { return max_sequences_; }

  const std::vector<std::int64_t>& reaches() const { return common_.reaches; }
  std::int32_t query_tokens() const { return common_.query_tokens; }

  // Attention of a prompt chunk of `tokens` over `context` earlier tokens and itself (causal), seconds of all layers.
  double prefill_attention(std::int32_t tokens, std::int64_t context) const;

  // What ranks in lock step add to the longest of their own durations: routed experts and the exchange of tokens.
  double shared(std::int64_t tokens, std::int32_t largest) const;

  // Durations from this shape on, as long as the batch stays as it is. The shape must be within the tables
  // and not empty. `line.iterations` is 1 or more; it is 1 for a shape with prefill tokens.
  IterationLine line(const BatchShape& shape) const;

 private:
  // That a rank computes, and that get sampled, drafts to verify among them.
  std::int32_t tokens_of(const BatchShape& shape) const {
    const std::int32_t split = common_.prefill_split;
    const std::int32_t prompts = split == 1 ? shape.prefill_tokens : (shape.prefill_tokens + split - 1) / split;
    return shape.decode_sequences * common_.query_tokens + prompts;
  }
  std::int32_t sampled_of(const BatchShape& shape) const {
    return shape.sampled_sequences + shape.decode_sequences * (common_.query_tokens - 1);
  }
  IterationLine price(const BatchShape& shape) const;
  IterationLine envelope_line(const BatchShape& shape) const;
  IterationLine measured_line(const BatchShape& shape, double others) const;

  std::vector<StageCost> stages_;
  HostOverhead host_;
  Common common_;
  std::int32_t max_tokens_ = 0;
  std::int32_t max_sequences_ = 0;
  std::int32_t max_sampled_ = 0;
  bool simple_ = false;  // one stage, decode lines of one piece, no table of attention
};

}  // namespace silicast
