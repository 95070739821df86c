// How long one iteration of a replica takes, compiled before the run: tables over the token and sequence
// counts, lines over the KV length. The event loop only reads it; no kernel model runs inside the loop.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "sim/base/units.hpp"

namespace silicast {

// All that the cost of an iteration depends on.
struct BatchShape {
  std::int32_t decode_sequences = 0;   // sequences that compute one token each
  std::int64_t decode_kv_tokens = 0;   // sum of their KV lengths, this iteration's token included
  std::int32_t prefill_sequences = 0;  // sequences that compute a chunk of their prompt
  std::int32_t prefill_tokens = 0;     // sum of the chunks
  double prefill_attention = 0;        // sum over chunks of IterationCost::prefill_attention, s per layer
  std::int32_t sampled_sequences = 0;  // sequences that get a token out of this iteration
  std::int32_t largest_chunk = 0;      // tokens of the largest chunk, where there are several
  double largest_attention = 0;        // its prefill_attention
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

// A piecewise linear, continuous, non-decreasing function on x >= 0; its last piece has no end.
struct PiecewiseLine {
  struct Piece {
    double start;  // x where the piece begins; the first begins at 0
    double value;  // at start
    double slope;
  };
  std::vector<Piece> pieces;

  // The piece that holds x.
  const Piece& at(double x) const {
    std::size_t i = pieces.size() - 1;
    while (i > 0 && pieces[i].start > x) --i;
    return pieces[i];
  }
};

// One pipeline stage, all of its layers together; every entry in seconds.
struct StageCost {
  double layers = 0;
  std::vector<double> tokens;       // [m]: GEMMs, norms, collectives, sends of m tokens; [0] is 0
  std::vector<double> sequences;    // [s]: LM head and sampling of s sequences (last stage); [0] is 0
  std::vector<double> decode_base;  // [n]: part of decode attention that depends on the sequences alone; [0] is 0
  PiecewiseLine decode_kv;          // part of decode attention by total KV tokens of the batch
};

class IterationCost {
 public:
  struct HostOverhead {
    double per_iteration = 0;  // s, scheduling, input preparation, output handling
    double per_sequence = 0;   // s for each sequence of the batch
    bool overlapped = false;   // runs beside the chips' work (the longer counts) instead of before it
  };

  IterationCost() = default;
  // `prefill_quadratic[c]`: seconds per layer and per (query, key) pair for a chunk of c tokens when compute
  // binds; `prefill_kv`: seconds per layer and KV token read when memory binds.
  IterationCost(std::vector<StageCost> stages, HostOverhead host, std::vector<double> prefill_quadratic,
                double prefill_kv);

  // Largest token and sequence counts that the tables hold.
  std::int32_t max_tokens() const { return static_cast<std::int32_t>(stages_[0].tokens.size()) - 1; }
  std::int32_t max_sequences() const { return static_cast<std::int32_t>(stages_[0].sequences.size()) - 1; }

  // Attention of a prompt chunk of `tokens` over `context` earlier tokens and itself (causal), seconds per
  // layer.
  double prefill_attention(std::int32_t tokens, std::int64_t context) const;

  // Durations from this shape on, as long as the batch stays as it is. The shape must be within the tables
  // and not empty. `line.iterations` is 1 or more; it is 1 for a shape with prefill tokens.
  IterationLine line(const BatchShape& shape) const;

 private:
  IterationLine envelope_line(const BatchShape& shape, std::int32_t sequences) const;

  std::vector<StageCost> stages_;
  HostOverhead host_;
  std::vector<double> prefill_quadratic_;
  double prefill_kv_ = 0;
  bool simple_ = false;  // one stage, one decode piece
};

}  // namespace silicast
