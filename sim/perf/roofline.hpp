// The price of one kernel on one chip: computing and moving bytes at the fractions of the datasheet that the
// calibration says, and what a kernel takes that has next to nothing to do. Collectives are priced apart
// (collectives.hpp).
#pragma once

#include <cstdint>
#include <string_view>

#include "sim/base/units.hpp"
#include "sim/model/iteration_work.hpp"
#include "sim/perf/chip_rates.hpp"

namespace silicast {

enum class Bound { kCompute, kMemory, kLink, kOverhead, kMeasured };  // kMeasured: by a table, for whatever reason
std::string_view name_of(Bound bound);  // "compute", "memory", "link", "overhead", "measured"

// Of one launch; time is not the sum of its parts, which overlap.
struct KernelPrice {
  Seconds time;
  Seconds compute;
  Seconds memory;
  Seconds link;
  Seconds start;
  Bound bound = Bound::kOverhead;  // overhead: the kernel takes over twice as long as the bytes or FLOPs would alone
};

// Two demands on a kernel that overlap imperfectly: the longer, and more of it where both are alike (26% at most).
// The exponent of 3 fits GEMMs of Hopper and Blackwell within 6% (median over thousands of shapes).
double overlapped(double a, double b);

// Rows of the smallest tile that holds m of them: a matrix unit works on 16, 32, 64 or 128 rows at once, some kernels
// on no fewer than `least`; above that tiles are so many that a part-filled one does not show.
double tiled_rows(double m, double least = 16);

// GEMM: start + per_k k + overlapped(2 tiled(m) n k / (peak compute), (weights + inputs) / (bandwidth memory))
//       + outputs / (bandwidth memory): results are written when the computing is over.
KernelPrice price_gemm(const ChipRates& chip, const Kernel& kernel);

// Routed experts of a layer: start + overlapped(compute with `padding` rows more for each expert and a tile's at the
// least, weights) + passes over activations.
KernelPrice price_experts(const ChipRates& chip, const Kernel& kernel);

// Norms, rotary, activation functions, copies: start + bytes / (bandwidth memory).
KernelPrice price_elementwise(const ChipRates& chip, const Kernel& kernel);

// Coefficients of attention, because IterationCost adds it up over a batch. Seconds per layer.
struct AttentionRates {
  double start = 0;            // once for a batch, whatever mix of prompts and decodes is in it
  double prefill_pair = 0;     // per (query, key) pair
  double prefill_row = 0;      // per row of a chunk besides: tiles that the diagonal cuts, prologue, epilogue
  double prefill_walk = 0;     // per key that one tile of queries passes
  double prefill_kv = 0;       // per KV token read by a prompt chunk
  double decode_sequence = 0;  // per decode sequence
  double decode_memory = 0;    // per KV token of decode sequences when memory binds
  double decode_compute = 0;   // the same when compute binds

  void scale(double factor);
  // Part of decode attention that depends on the KV tokens of the batch: continuous, convex, non-decreasing.
  double decode_kv(double kv_tokens) const;
};

// `query_tokens` that each decode sequence computes in an iteration (over 1: drafts are verified). `narrow_kv`:
// the cache is of 8 bits and unpacked on the way.
AttentionRates attention_rates(const ChipRates& chip, const AttentionPart& part, bool narrow_kv,
                               std::int32_t query_tokens);

}  // namespace silicast
