// Formulas and constants were found by fitting tables of measured kernels (H200, H20, RTX PRO 6000).
#include "sim/perf/roofline.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

// Exponentials of the softmax cost a score as much as so many more numbers of its head: FlashAttention 3 reaches 0.53,
// 0.69, 0.79 and 0.81 of the peak with heads of 64, 128, 192 and 256 (H200).
constexpr double kSoftmaxNumbers = 64;
constexpr double kReferenceHead = 128;  // that the calibration's `attention.compute` means

KernelPrice finish(double start, double compute, double memory, double work) {
  KernelPrice price;
  price.compute = Seconds(compute);
  price.memory = Seconds(memory);
  price.start = Seconds(start);
  price.time = Seconds(start + work);
  if (start + work <= 2 * std::max(compute, memory)) price.bound = compute >= memory ? Bound::kCompute : Bound::kMemory;
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
    case Bound::kMeasured:
      return "measured";
  }
  return "";
}

double overlapped(double a, double b) {
  return std::cbrt(a * a * a + b * b * b);
}

double tiled_rows(double m, double least) {
  for (const double tile : {16.0, 32.0, 64.0, 128.0})
    if (m <= tile) return std::max(tile, least);
  return std::max(m, least);
}

KernelPrice price_gemm(const ChipRates& chip, const Kernel& kernel) {
  SILICAST_CHECK(kernel.m > 0, "GEMM {} of {} rows", kernel.name, kernel.m);
  const Calibration::Gemm& reached = chip.reached.gemm;
  const double rows = static_cast<double>(kernel.m);
  const bool narrow = bytes_of(chip.compute_format(kernel.format)) < 2;
  const double rate = chip.peak_flops(kernel.format) * (narrow ? reached.narrow_compute : reached.compute).value;
  const double bandwidth = chip.memory_bandwidth * reached.memory.value;
  const double tiled = narrow ? tiled_rows(rows, reached.narrow_tile.value) : tiled_rows(rows);
  const double compute = kernel.flops.value() * (tiled / rows) / rate;
  const double read = (kernel.bytes - kernel.output).value() / bandwidth;
  const double written = kernel.output.value() / bandwidth;
  const double start = reached.start.value + reached.per_k.value * static_cast<double>(kernel.k);
  return finish(start, kernel.flops.value() / rate, read + written, overlapped(compute, read) + written);
}

KernelPrice price_experts(const ChipRates& chip, const Kernel& kernel) {
  const Calibration::Experts& reached = chip.reached.experts;
  SILICAST_CHECK(kernel.experts > 0 && kernel.flops.value() > 0, "{} of {} experts", kernel.name, kernel.experts);
  const bool narrow = bytes_of(chip.compute_format(kernel.format)) < 2;
  const double rows = static_cast<double>(kernel.m);
  const double least = narrow ? kernel.experts * reached.narrow_tile.value : 0;
  // Full tiles run as those of one large GEMM do.
  const double padded = kernel.padded ? 1 : std::max(least, rows + kernel.experts * reached.padding.value) / rows;
  const Calibration::Gemm& dense = chip.reached.gemm;
  const Evidence& compute = kernel.padded ? (narrow ? dense.narrow_compute : dense.compute)
                                          : (narrow ? reached.narrow_compute : reached.compute);
  const double rate = chip.peak_flops(kernel.format) * compute.value;
  const double bandwidth = chip.memory_bandwidth * reached.memory.value;
  const double read = (kernel.bytes - kernel.output).value() / bandwidth;
  const double passed = kernel.output.value() / bandwidth;
  return finish(reached.start.value, kernel.flops.value() / rate, read + passed,
                overlapped(kernel.flops.value() * padded / rate, read) + passed);
}

KernelPrice price_elementwise(const ChipRates& chip, const Kernel& kernel) {
  const Calibration::Elementwise& reached = chip.reached.elementwise;
  const double memory = kernel.bytes.value() / (chip.memory_bandwidth * reached.memory.value);
  return finish(reached.start.value, 0, memory, memory);
}

void AttentionRates::scale(double factor) {
  for (double* rate : {&start, &prefill_pair, &prefill_row, &prefill_walk, &prefill_kv, &decode_sequence,
                       &decode_memory, &decode_compute})
    *rate *= factor;
}

double AttentionRates::decode_kv(double kv_tokens) const {
  return std::max(decode_memory, decode_compute) * kv_tokens;
}

AttentionRates attention_rates(const ChipRates& chip, const AttentionPart& part, bool narrow_kv,
                               std::int32_t query_tokens) {
  const Calibration::Attention& reached = chip.reached.attention;
  const double head = part.head_size;
  const double softmax = (head / (head + kSoftmaxNumbers)) / (kReferenceHead / (kReferenceHead + kSoftmaxNumbers));
  const double rate = chip.peak_flops(part.format) * reached.compute.value * softmax;
  const double bandwidth = chip.memory_bandwidth * (narrow_kv ? reached.narrow_memory.value : reached.memory.value);
  AttentionRates rates;
  rates.start = part.launches ? reached.start.value : 0;
  rates.prefill_pair = part.prefill_flops / rate;
  // A recurrence does the same work for every token: no part of a triangle is wasted.
  rates.prefill_row = part.kind == AttentionKind::kLinear ? 0 : 0.5 * reached.half_tokens.value * rates.prefill_pair;
  rates.prefill_walk = part.prefill_flops > 0 ? reached.walk.value * head / kReferenceHead : 0;
  rates.prefill_kv = part.prefill_bytes / bandwidth;
  rates.decode_sequence = reached.item.value * part.kv_heads +
                          query_tokens * part.query_bytes / (chip.memory_bandwidth * reached.memory.value);
  rates.decode_memory = part.decode_bytes / bandwidth;
  rates.decode_compute = query_tokens * part.decode_flops / rate;
  return rates;
}

}  // namespace silicast
