// The price of one kernel on one chip: the longer of computing and moving bytes, at the fractions of the
// datasheet that the calibration says, plus the launch. Collectives are priced apart (collectives.hpp).
#pragma once

#include <cstdint>
#include <string_view>

#include "sim/base/units.hpp"
#include "sim/model/iteration_work.hpp"
#include "sim/perf/chip_rates.hpp"

namespace silicast {

enum class Bound { kCompute, kMemory, kLink, kOverhead };
std::string_view name_of(Bound bound);  // "compute", "memory", "link", "overhead"

// Of one launch. `time` is launch + the longest of the parts.
struct KernelPrice {
  Seconds time;
  Seconds compute;
  Seconds memory;
  Seconds link;
  Seconds launch;
  Bound bound = Bound::kOverhead;  // overhead: launch and ramps take longer than the bytes and FLOPs at full speed
};

// Seconds to stream that many bytes of chip memory: (b + memory_half_bytes) / (bandwidth * memory), which is
// the calibration's bandwidth * memory * b / (b + memory_half_bytes) turned round; 0 for no bytes.
double stream_seconds(const ChipRates& chip, double bytes);

// GEMM: compute = flops / (peak * compute * m / (m + gemm_half_tokens)), m and its flops rounded up to
// kTileRows.
KernelPrice price_gemm(const ChipRates& chip, const Kernel& kernel);

// Norms, rotary, activation functions, copies: bytes / (bandwidth * memory) + launch. No ramp: such
// tensors are small enough to stay in the last cache.
KernelPrice price_elementwise(const ChipRates& chip, const Kernel& kernel);

// Rows that a matrix unit works on at once at the least (tensor cores and Ascend's cube take 16).
inline constexpr std::int64_t kTileRows = 16;

// Attention over a KV cache, priced in parts because IterationCost adds them up over a batch. Seconds per
// layer.
struct AttentionRates {
  double launch = 0;             // once for a batch, whatever mix of prompts and decodes is in it
  double prefill_kv = 0;         // per KV token read by a prompt chunk
  double prefill_pair = 0;       // per (query, key) pair of a very long chunk
  double decode_sequence = 0;    // per decode sequence (its query and output)
  double decode_kv_memory = 0;   // per KV token of decode sequences when memory binds
  double decode_kv_floor = 0;    // for a batch with decode sequences, however short: the memory ramp
  double decode_kv_compute = 0;  // per KV token of decode sequences when compute binds
  double attention_half_tokens = 0;

  // Per pair of a chunk of `tokens`; the ramp is by chunk length.
  double prefill_quadratic(std::int32_t tokens) const {
    return prefill_pair * (tokens + attention_half_tokens) / tokens;
  }
  // Part of decode attention that depends on the KV tokens of the batch: continuous, convex, non-decreasing.
  double decode_kv(double kv_tokens) const;
};

// From the work of a stage's attention kernels on this chip.
AttentionRates attention_rates(const ChipRates& chip, const StageWork& work);

}  // namespace silicast
