// Rooflines with launch overhead and ramps.
#include "sim/perf/roofline.hpp"

#include <algorithm>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

// What binds is told by the ideals, the times without launch and ramps; where these take as long again, overhead does.
KernelPrice finish(const ChipRates& chip, double compute, double memory, double ideal_compute, double ideal_memory) {
  KernelPrice price;
  price.compute = Seconds(compute);
  price.memory = Seconds(memory);
  price.launch = Seconds(chip.launch);
  const double work = std::max(compute, memory);
  price.time = Seconds(work + chip.launch);
  if (work + chip.launch <= 2 * std::max(ideal_compute, ideal_memory))
    price.bound = ideal_compute >= ideal_memory ? Bound::kCompute : Bound::kMemory;
  return price;
}

}  // namespace

std::string_view name_of(Bound bound) {
  switch (bound) {
    case Bound::kCompute:
      return "compute";
    case Bound::kMemory:
      return "memory";
    case Bound::kLink:
      return "link";
    case Bound::kOverhead:
      return "overhead";
  }
  return "";
}

double stream_seconds(const ChipRates& chip, double bytes) {
  if (bytes <= 0) return 0;
  return (bytes + chip.memory_half_bytes) / (chip.memory_bandwidth * chip.memory);
}

KernelPrice price_gemm(const ChipRates& chip, const Kernel& kernel) {
  SILICAST_CHECK(kernel.m > 0, "GEMM {} of {} rows", kernel.name, kernel.m);
  const double rows = static_cast<double>(kernel.m);
  const double tiled = static_cast<double>((kernel.m + kTileRows - 1) / kTileRows * kTileRows);
  const double ideal_compute = kernel.flops.value() / (chip.peak_flops(kernel.format) * chip.compute);
  const double ideal_memory = kernel.bytes.value() / (chip.memory_bandwidth * chip.memory);
  return finish(chip, ideal_compute / rows * (tiled + chip.gemm_half_tokens),
                stream_seconds(chip, kernel.bytes.value()), ideal_compute, ideal_memory);
}

KernelPrice price_elementwise(const ChipRates& chip, const Kernel& kernel) {
  const double memory = kernel.bytes.value() / (chip.memory_bandwidth * chip.memory);
  return finish(chip, 0, memory, 0, memory);
}

double AttentionRates::decode_kv(double kv_tokens) const {
  return std::max(decode_kv_floor + decode_kv_memory * kv_tokens, decode_kv_compute * kv_tokens);
}

AttentionRates attention_rates(const ChipRates& chip, const StageWork& work) {
  // Work is linear in sequences, KV tokens and pairs: differences of small cases give each coefficient.
  const Kernel decode = work.decode_attention(1, 1);
  const Kernel decode_longer = work.decode_attention(1, 2);
  const Kernel decode_more = work.decode_attention(2, 2);
  const Kernel chunk = work.prefill_attention(1, 0);
  const Kernel chunk_longer = work.prefill_attention(1, 1);
  const double bandwidth = chip.memory_bandwidth * chip.memory;
  AttentionRates rates;
  rates.launch = chip.launch;
  rates.attention_half_tokens = chip.attention_half_tokens;
  rates.prefill_kv = (chunk_longer.bytes.value() - chunk.bytes.value()) / bandwidth;
  rates.prefill_pair =
      (chunk_longer.flops.value() - chunk.flops.value()) / (chip.peak_flops(chunk.format) * chip.attention_compute);
  rates.decode_sequence = (decode_more.bytes.value() - decode_longer.bytes.value()) / bandwidth;
  rates.decode_kv_memory = (decode_longer.bytes.value() - decode.bytes.value()) / bandwidth;
  rates.decode_kv_floor = chip.memory_half_bytes / bandwidth;
  rates.decode_kv_compute =
      (decode_longer.flops.value() - decode.flops.value()) / (chip.peak_flops(decode.format) * chip.attention_compute);
  for (double rate :
       {rates.prefill_kv, rates.prefill_pair, rates.decode_sequence, rates.decode_kv_memory, rates.decode_kv_compute})
    SILICAST_CHECK(rate >= 0, "attention work shrinks with its size: {}", rate);
  return rates;
}

}  // namespace silicast
