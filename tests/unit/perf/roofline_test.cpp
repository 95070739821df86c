// Prices of single kernels against arithmetic by hand.
#include "sim/perf/roofline.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "setups_for_tests.hpp"
#include "sim/base/check.hpp"

namespace silicast {
namespace {

Kernel gemm(std::int64_t m, std::int64_t n, std::int64_t k, NumberFormat format) {
  Kernel kernel;
  kernel.kernel_class = KernelClass::kGemm;
  kernel.name = "gemm";
  kernel.format = kernel.weights = format;
  kernel.m = m;
  kernel.n = n;
  kernel.k = k;
  kernel.flops = Flops(2.0 * static_cast<double>(m * n * k));
  kernel.output = Bytes(2.0 * static_cast<double>(m * n));
  kernel.bytes = Bytes(bytes_of(format) * static_cast<double>(m * k + n * k)) + kernel.output;
  return kernel;
}

Kernel elementwise(double bytes) {
  Kernel kernel;
  kernel.kernel_class = KernelClass::kElementwise;
  kernel.bytes = Bytes(bytes);
  return kernel;
}

// 100 rows on 7 experts: so many FLOPs, bytes of weights and of activations.
Kernel experts(double flops, double weights, double passes, NumberFormat format) {
  Kernel kernel;
  kernel.kernel_class = KernelClass::kExperts;
  kernel.name = "experts";
  kernel.format = format;
  kernel.m = 100;
  kernel.experts = 7;
  kernel.flops = Flops(flops);
  kernel.output = Bytes(passes);
  kernel.bytes = Bytes(weights + passes);
  return kernel;
}

Evidence evidence(double value) {
  Evidence out;
  out.value = value;
  return out;
}

}  // namespace

TEST_CASE("two demands overlap to the longer, and to a quarter more where they are alike") {
  CHECK(overlapped(3, 0) == Approx(3));
  CHECK(overlapped(0, 3) == Approx(3));
  CHECK(overlapped(1, 1) == Approx(1.2599).margin(1e-4));
  CHECK(overlapped(3, 4) == Approx(std::cbrt(27.0 + 64.0)));
  CHECK(overlapped(100, 1) < 100.0001);
}

TEST_CASE("rows fill tiles of 16, 32, 64 and 128, and beyond count as they are") {
  for (const auto& [rows, tiled] :
       {std::pair{1, 16}, {16, 16}, {17, 32}, {32, 32}, {33, 64}, {65, 128}, {128, 128}, {129, 129}, {5000, 5000}})
    CHECK(tiled_rows(rows) == tiled);
  for (const auto& [rows, tiled] : {std::pair{1, 64}, {64, 64}, {65, 128}, {129, 129}})
    CHECK(tiled_rows(rows, 64) == tiled);
  CHECK(tiled_rows(200, 256) == 256);
}

TEST_CASE("8-bit GEMMs and experts of few rows take as long as a tile of their kernels, 16-bit ones do not") {
  ChipRates chip = h200_rates();
  const auto seconds = [&](std::int64_t m, NumberFormat format) {
    Kernel kernel = gemm(m, 4096, 2048, format);
    kernel.bytes = kernel.output = Bytes(0);
    return price_gemm(chip, kernel).time.value();
  };
  CHECK(seconds(16, NumberFormat::kFp8) < seconds(64, NumberFormat::kFp8));
  const double wide = seconds(16, NumberFormat::kBf16);
  chip.reached.gemm.narrow_tile.value = 64;
  CHECK(seconds(16, NumberFormat::kFp8) == Approx(seconds(64, NumberFormat::kFp8)));
  CHECK(seconds(16, NumberFormat::kBf16) == wide);
  // 7 experts of 100 rows in all, filled up by 40 each: 380, or 7 tiles of 64, 448.
  const double filled = price_experts(chip, experts(1e12, 0, 0, NumberFormat::kFp8)).time.value();
  const double plain = price_experts(chip, experts(1e12, 0, 0, NumberFormat::kBf16)).time.value();
  chip.reached.experts.narrow_tile.value = 64;
  CHECK(price_experts(chip, experts(1e12, 0, 0, NumberFormat::kFp8)).time.value() - 20e-6 ==
        Approx((filled - 20e-6) * 448 / 380));
  CHECK(price_experts(chip, experts(1e12, 0, 0, NumberFormat::kBf16)).time.value() == plain);
}

TEST_CASE("a GEMM starts, walks its inner dimension, overlaps computing with reading, and writes its results") {
  const ChipRates chip = h200_rates();
  for (const std::int64_t m : {1, 20, 100, 300, 8192}) {
    const KernelPrice price = price_gemm(chip, gemm(m, 4096, 2048, NumberFormat::kFp8));
    const double rows = static_cast<double>(m), tiled = m == 1 ? 16 : m == 20 ? 32 : m == 100 ? 128 : rows;
    const double compute = 2 * tiled * 4096 * 2048 / (1979e12 * 0.78);
    const double read = (4096 * 2048 + rows * 2048) / (4.8e12 * 0.85);
    const double written = 2 * rows * 4096 / (4.8e12 * 0.85);
    CAPTURE(m);
    CHECK(price.start.value() == Approx(3e-6 + 2048 * 0.1e-9));
    CHECK(price.time.value() ==
          Approx(3e-6 + 2048 * 0.1e-9 + std::cbrt(std::pow(compute, 3) + std::pow(read, 3)) + written));
    CHECK(price.compute.value() == Approx(2 * rows * 4096 * 2048 / (1979e12 * 0.78)));  // of full tiles
    CHECK(price.memory.value() == Approx(read + written));
  }
}

TEST_CASE("GEMMs of 16-bit inputs, and of formats that are unpacked to them, reach their own share of the peak") {
  ChipRates chip = h200_rates();
  const double flops = 2.0 * 1024 * 4096 * 2048;
  CHECK(price_gemm(chip, gemm(1024, 4096, 2048, NumberFormat::kBf16)).compute.value() ==
        Approx(flops / (989e12 * 0.8)));
  CHECK(price_gemm(chip, gemm(1024, 4096, 2048, NumberFormat::kMxFp4)).compute.value() ==
        Approx(flops / (1979e12 * 0.78)));
  peak_of(chip, NumberFormat::kFp8) = 0;
  CHECK(price_gemm(chip, gemm(1024, 4096, 2048, NumberFormat::kFp8)).compute.value() == Approx(flops / (989e12 * 0.8)));
}

TEST_CASE("large GEMMs are bound by compute, those of one token by memory, small ones by overhead") {
  const ChipRates chip = h200_rates();
  CHECK(price_gemm(chip, gemm(8192, 8192, 8192, NumberFormat::kBf16)).bound == Bound::kCompute);
  CHECK(price_gemm(chip, gemm(1, 8192, 8192, NumberFormat::kBf16)).bound == Bound::kMemory);
  CHECK(price_gemm(chip, gemm(1, 512, 512, NumberFormat::kBf16)).bound == Bound::kOverhead);
  CHECK_THROWS_AS(price_gemm(chip, gemm(0, 512, 512, NumberFormat::kBf16)), InternalError);
}

TEST_CASE("an elementwise kernel starts and moves its bytes") {
  const ChipRates chip = h200_rates();
  CHECK(price_elementwise(chip, elementwise(1e6)).time.value() == Approx(2e-6 + 1e6 / (4.8e12 * 0.88)));
  CHECK(price_elementwise(chip, elementwise(1e3)).bound == Bound::kOverhead);
  CHECK(price_elementwise(chip, elementwise(1e9)).bound == Bound::kMemory);
}

TEST_CASE("experts compute their rows and those that fill the last tile of each, overlapped with their weights") {
  const ChipRates chip = h200_rates();
  const double padded = 1 + 7 * 40 / 100.0;
  const double memory = 4.8e12 * 0.82;
  const auto expected = [&](double compute, double weights, double passes) {
    return 20e-6 + std::cbrt(std::pow(compute, 3) + std::pow(weights / memory, 3)) + passes / memory;
  };
  CHECK(price_experts(chip, experts(1e12, 1e8, 1e6, NumberFormat::kBf16)).time.value() ==
        Approx(expected(1e12 * padded / (989e12 * 0.7), 1e8, 1e6)));
  CHECK(price_experts(chip, experts(1e12, 1e8, 1e6, NumberFormat::kFp8)).time.value() ==
        Approx(expected(1e12 * padded / (1979e12 * 0.6), 1e8, 1e6)));
  CHECK(price_experts(chip, experts(1e9, 1e9, 1e6, NumberFormat::kFp8)).bound == Bound::kMemory);
  CHECK(price_experts(chip, experts(1e6, 1e3, 1e3, NumberFormat::kFp8)).bound == Bound::kOverhead);
}

TEST_CASE("a format without native support moves its own bytes and computes in one that has it") {
  ChipRates chip = h200_rates();
  CHECK(chip.compute_format(NumberFormat::kFp8) == NumberFormat::kFp8);
  for (const NumberFormat format :
       {NumberFormat::kMxFp8, NumberFormat::kHiF8, NumberFormat::kMxFp4, NumberFormat::kNvFp4}) {
    CHECK(chip.compute_format(format) == NumberFormat::kFp8);
    CHECK(chip.peak_flops(format) == 1979e12);
  }
  CHECK(chip.compute_format(NumberFormat::kInt4) == NumberFormat::kBf16);
  CHECK(chip.peak_flops(NumberFormat::kFp32) == 0.5 * 989e12);
  peak_of(chip, NumberFormat::kMxFp4) = 4e15;
  CHECK(chip.peak_flops(NumberFormat::kMxFp4) == 4e15);
  peak_of(chip, NumberFormat::kFp8) = 0;
  for (const NumberFormat format :
       {NumberFormat::kFp8, NumberFormat::kMxFp8, NumberFormat::kHiF8, NumberFormat::kNvFp4})
    CHECK(chip.compute_format(format) == NumberFormat::kBf16);
  const Kernel fp8 = gemm(16, 4096, 4096, NumberFormat::kFp8), bf16 = gemm(16, 4096, 4096, NumberFormat::kBf16);
  CHECK(price_gemm(chip, fp8).compute.value() == price_gemm(chip, bf16).compute.value());
  CHECK(price_gemm(chip, fp8).memory.value() < 0.6 * price_gemm(chip, bf16).memory.value());
}

TEST_CASE("attention rates follow from the heads, the formats and the chip") {
  const ReplicaSetup setup = llama_setup(4, {80});  // 16 query heads and 2 KV heads of 128 to a rank
  const StageWork work(setup.model, setup.plan, setup.precision, 0);
  const AttentionPart& part = work.attention()[0];
  const AttentionRates rates = attention_rates(setup.chip, part, true, 1);
  const double compute = 989e12 * 0.68, narrow = 4.8e12 * 0.65, wide = 4.8e12 * 0.9;
  CHECK(rates.start == 10e-6);
  CHECK(rates.prefill_pair == Approx(4 * 16 * 128 / compute));
  CHECK(rates.prefill_row == Approx(450 * rates.prefill_pair));  // a chunk of 900 has 900 x 450 pairs of its own
  CHECK(rates.prefill_walk == Approx(12e-9));
  CHECK(rates.prefill_kv == Approx(2 * 2 * 128 / narrow));  // K and V, 1 B each
  CHECK(rates.decode_memory == Approx(2 * 2 * 128 / narrow));
  CHECK(rates.decode_compute == Approx(4 * 16 * 128 / compute));
  CHECK(rates.decode_sequence == Approx(2 * 20e-9 + 2 * 16 * 128 * 2 / wide));  // queries in and outputs out
  CHECK(rates.decode_kv(1000) == Approx(1000 * rates.decode_memory));
  CHECK(attention_rates(setup.chip, part, false, 1).decode_memory == Approx(2 * 2 * 128 / wide));
}

TEST_CASE("drafts to verify multiply the computing of a decode sequence, not the KV that it reads") {
  const ReplicaSetup setup = llama_setup(4, {80});
  const StageWork work(setup.model, setup.plan, setup.precision, 0);
  const AttentionRates one = attention_rates(setup.chip, work.attention()[0], true, 1);
  const AttentionRates four = attention_rates(setup.chip, work.attention()[0], true, 4);
  CHECK(four.decode_memory == one.decode_memory);
  CHECK(four.decode_compute == Approx(4 * one.decode_compute));
  CHECK(four.decode_sequence - one.decode_sequence == Approx(3 * 2 * 16 * 128 * 2 / (4.8e12 * 0.9)));
}

TEST_CASE("decode attention binds on compute where a chip has little of it for its bandwidth") {
  ReplicaSetup setup = llama_setup(4, {80});
  peak_of(setup.chip, NumberFormat::kBf16) = 10e12;
  const StageWork work(setup.model, setup.plan, setup.precision, 0);
  CHECK(attention_rates(setup.chip, work.attention()[0], true, 1).decode_kv(1e6) ==
        Approx(1e6 * 4 * 16 * 128 / (10e12 * 0.68)));
}

TEST_CASE("short heads wait for the softmax: heads of 64 reach three quarters of what those of 128 do") {
  AttentionPart part;
  part.head_size = 128;
  part.prefill_flops = part.decode_flops = 1e6;
  const ChipRates chip = h200_rates();
  const AttentionRates reference = attention_rates(chip, part, false, 1);
  CHECK(reference.prefill_pair == Approx(1e6 / (989e12 * 0.68)));
  part.head_size = 64;
  const AttentionRates rates = attention_rates(chip, part, false, 1);
  CHECK(rates.prefill_pair == Approx(reference.prefill_pair / 0.75));  // 64 / (64 + 64) over 128 / (128 + 64)
  CHECK(rates.prefill_walk == Approx(reference.prefill_walk / 2));
}

TEST_CASE("a part of another kernel pays no start of its own, one without prompts no walk") {
  AttentionPart part;
  part.head_size = 128;
  part.launches = false;
  const AttentionRates rates = attention_rates(h200_rates(), part, false, 1);
  CHECK(rates.start == 0);
  CHECK(rates.prefill_walk == 0);
}

TEST_CASE("datasheet and calibration become rates") {
  ChipSpec chip;
  chip.peak[static_cast<std::size_t>(NumberFormat::kBf16)] = evidence(4e14);
  chip.peak[static_cast<std::size_t>(NumberFormat::kFp8)] = evidence(8e14);
  chip.memory_bandwidth.value = 2e12;
  const ChipRates rates = chip_rates(chip, round_calibration());
  CHECK(rates.peak_flops(NumberFormat::kFp16) == 4e14);
  CHECK(rates.peak_flops(NumberFormat::kFp8) == 8e14);
  CHECK(rates.compute_format(NumberFormat::kInt8) == NumberFormat::kBf16);
  CHECK(rates.memory_bandwidth == 2e12);
  CHECK(rates.reached.gemm.compute.value == 0.8);
  CHECK(rates.reached.collective.exchange_efficiency.value == 0.55);
}

TEST_CASE("rates that no chip has are refused, by name") {
  ChipSpec chip;
  chip.name = "c";
  CHECK_THROWS_WITH(chip_rates(chip, round_calibration()), Catch::Contains("chip c has no bf16 peak"));
  chip.peak[static_cast<std::size_t>(NumberFormat::kBf16)] = evidence(4e14);
  CHECK_THROWS_WITH(chip_rates(chip, round_calibration()), Catch::Contains("chip c has no memory bandwidth"));
  chip.memory_bandwidth.value = 2e12;
  Calibration calibration = round_calibration();
  calibration.attention.narrow_memory.value = 1.2;
  CHECK_THROWS_WITH(chip_rates(chip, calibration), Catch::Contains("attention.narrow_memory is 1.2"));
}

}  // namespace silicast
