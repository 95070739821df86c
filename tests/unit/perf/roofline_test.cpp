// Prices of single kernels against arithmetic by hand and against measured kernels.
#include "sim/perf/roofline.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "setups_for_tests.hpp"
#include "tests/support/measured_data.hpp"

namespace silicast {
namespace {

Kernel gemm(std::int64_t m, std::int64_t n, std::int64_t k, NumberFormat format) {
  Kernel kernel;
  kernel.kernel_class = KernelClass::kGemm;
  kernel.name = "gemm";
  kernel.format = format;
  kernel.m = m;
  kernel.n = n;
  kernel.k = k;
  kernel.flops = Flops(2.0 * static_cast<double>(m * n * k));
  kernel.bytes = Bytes(bytes_of(format) * static_cast<double>(m * k + n * k) + 2.0 * static_cast<double>(m * n));
  return kernel;
}

Kernel elementwise(double bytes) {
  Kernel kernel;
  kernel.kernel_class = KernelClass::kElementwise;
  kernel.bytes = Bytes(bytes);
  return kernel;
}

Evidence evidence(double value) {
  Evidence out;
  out.value = value;
  return out;
}

ChipRates bare_chip() {
  ChipRates chip;
  chip.peak = {0, 1e15, 1e15, 0, 2e15, 0};
  chip.memory_bandwidth = 1e12;
  return chip;
}

}  // namespace

TEST_CASE("a GEMM of many tokens takes its FLOPs at the reachable peak, then the launch") {
  ChipRates chip = bare_chip();
  chip.compute = 0.5;
  chip.launch = 3e-6;
  const KernelPrice price = price_gemm(chip, gemm(4096, 4096, 4096, NumberFormat::kBf16));
  CHECK(price.time.value() == Approx(2.0 * 4096 * 4096 * 4096 / 0.5e15 + 3e-6));
  CHECK(price.bound == Bound::kCompute);
}

TEST_CASE("a GEMM of gemm_half_tokens tokens computes at half speed") {
  ChipRates chip = bare_chip();
  chip.memory_bandwidth = 1e15;
  const double full = price_gemm(chip, gemm(64, 4096, 4096, NumberFormat::kBf16)).compute.value();
  chip.gemm_half_tokens = 64;
  CHECK(price_gemm(chip, gemm(64, 4096, 4096, NumberFormat::kBf16)).compute.value() == Approx(2 * full));
}

TEST_CASE("a GEMM of one token streams its weights, with the memory ramp") {
  ChipRates chip = bare_chip();
  chip.memory = 0.8;
  chip.memory_half_bytes = 1e6;
  const Kernel kernel = gemm(1, 8192, 8192, NumberFormat::kBf16);
  const KernelPrice price = price_gemm(chip, kernel);
  CHECK(price.time.value() == Approx((kernel.bytes.value() + 1e6) / 0.8e12));
  CHECK(price.bound == Bound::kMemory);
}

TEST_CASE("a matrix unit works on whole tiles of rows") {
  const ChipRates chip = bare_chip();
  const auto compute = [&](std::int64_t m) {
    return price_gemm(chip, gemm(m, 64, 64, NumberFormat::kBf16)).compute.value();
  };
  CHECK(compute(1) == Approx(compute(16)).epsilon(1e-14));
  CHECK(compute(17) == Approx(compute(32)).epsilon(1e-14));
  CHECK(compute(32) == Approx(2 * compute(16)).epsilon(1e-14));
}

TEST_CASE("a kernel of few bytes is bound by overhead") {
  ChipRates chip = bare_chip();
  chip.launch = 2e-6;
  CHECK(price_elementwise(chip, elementwise(1e3)).bound == Bound::kOverhead);
  CHECK(price_elementwise(chip, elementwise(1e9)).bound == Bound::kMemory);
  CHECK(price_elementwise(chip, elementwise(1e6)).time.value() == Approx(1e-6 + 2e-6));
  chip.memory_half_bytes = 1e8;
  CHECK(price_gemm(chip, gemm(1, 1024, 1024, NumberFormat::kBf16)).bound == Bound::kOverhead);
}

TEST_CASE("a format without native support moves its own bytes and computes in BF16") {
  const ChipRates chip = bare_chip();
  CHECK(chip.compute_format(NumberFormat::kFp8) == NumberFormat::kBf16);
  CHECK(chip.compute_format(NumberFormat::kInt8) == NumberFormat::kInt8);
  CHECK(chip.peak_flops(NumberFormat::kFp4) == 1e15);
  CHECK(chip.peak_flops(NumberFormat::kInt8) == 2e15);
  CHECK(chip.peak_flops(NumberFormat::kFp32) == 0.5e15);
  const Kernel fp8 = gemm(16, 4096, 4096, NumberFormat::kFp8);
  const Kernel bf16 = gemm(16, 4096, 4096, NumberFormat::kBf16);
  CHECK(price_gemm(chip, fp8).compute.value() == price_gemm(chip, bf16).compute.value());
  CHECK(price_gemm(chip, fp8).memory.value() < 0.6 * price_gemm(chip, bf16).memory.value());
}

TEST_CASE("attention rates follow from the heads, the formats and the chip") {
  ReplicaSetup setup = llama_setup(4, {80});
  const ChipRates& chip = setup.chip;
  const AttentionRates rates = attention_rates(chip, StageWork(setup.model, setup.plan, setup.precision, 0));
  const double bandwidth = 4.8e12 * 0.85;
  CHECK(rates.decode_kv_memory == Approx(2 * 2 * 128 / bandwidth));  // K and V, 2 heads to a rank, 1 B each
  CHECK(rates.prefill_kv == Approx(rates.decode_kv_memory));
  CHECK(rates.prefill_pair == Approx(4 * 16 * 128 / (989e12 * 0.68)));
  CHECK(rates.decode_kv_compute == Approx(rates.prefill_pair));
  CHECK(rates.decode_sequence == Approx(2 * 16 * 128 * 2 / bandwidth));
  CHECK(rates.decode_kv_floor == Approx(6e6 / bandwidth));
  CHECK(rates.prefill_quadratic(512) == Approx(2 * rates.prefill_pair));
  CHECK(rates.decode_kv(0) == rates.decode_kv_floor);
}

TEST_CASE("decode attention binds on compute where a chip has little of it for its bandwidth") {
  ReplicaSetup setup = llama_setup(4, {80});
  setup.chip.peak[static_cast<std::size_t>(NumberFormat::kBf16)] = 10e12;
  const AttentionRates rates = attention_rates(setup.chip, StageWork(setup.model, setup.plan, setup.precision, 0));
  CHECK(rates.decode_kv(1e6) == Approx(1e6 * 4 * 16 * 128 / (10e12 * 0.68)));
  CHECK(rates.decode_kv(10) == Approx(rates.decode_kv_floor + 10 * rates.decode_kv_memory));
}

// Measured: aiconfigurator, vLLM 0.24 on H200 SXM.
TEST_CASE("H200 kernels come out within 35% of their measured times") {
  const ChipRates chip = h200_rates();
  const auto microseconds = [&](std::int64_t m, std::int64_t n, std::int64_t k, NumberFormat format) {
    return 1e6 * price_gemm(chip, gemm(m, n, k, format)).time.value();
  };
  CHECK(microseconds(8192, 8192, 8192, NumberFormat::kBf16) == Approx(1640).epsilon(0.35));
  CHECK(microseconds(8192, 8192, 8192, NumberFormat::kFp8) == Approx(835).epsilon(0.35));
  CHECK(microseconds(1024, 8192, 8192, NumberFormat::kBf16) == Approx(167).epsilon(0.35));
  CHECK(microseconds(256, 8192, 7168, NumberFormat::kFp8) == Approx(30.6).epsilon(0.35));
  CHECK(microseconds(1, 8192, 8192, NumberFormat::kBf16) == Approx(34.9).epsilon(0.35));
  CHECK(microseconds(1, 65536, 8192, NumberFormat::kFp8) == Approx(145).epsilon(0.35));
  CHECK(microseconds(16, 4096, 4096, NumberFormat::kBf16) == Approx(12.8).epsilon(0.35));
}

TEST_CASE("datasheet and calibration become rates field by field") {
  ChipSpec chip;
  chip.peak[static_cast<std::size_t>(NumberFormat::kBf16)] = evidence(4e14);
  chip.peak[static_cast<std::size_t>(NumberFormat::kFp8)] = evidence(8e14);
  chip.memory_bandwidth.value = 2e12;
  Calibration calibration;
  calibration.compute.value = 0.5;
  calibration.gemm_half_tokens.value = 7;
  calibration.attention_compute.value = 0.4;
  calibration.attention_half_tokens.value = 11;
  calibration.memory.value = 0.6;
  calibration.memory_half_bytes.value = 8e6;
  calibration.launch.value = 9e-6;
  calibration.collective_start.value = 10e-6;
  calibration.collective_efficiency.value = 0.7;
  const ChipRates rates = chip_rates(chip, calibration);
  CHECK(rates.peak_flops(NumberFormat::kFp16) == 4e14);
  CHECK(rates.peak_flops(NumberFormat::kFp8) == 8e14);
  CHECK(rates.compute_format(NumberFormat::kInt8) == NumberFormat::kBf16);
  CHECK(rates.memory_bandwidth == 2e12);
  CHECK(rates.compute == 0.5);
  CHECK(rates.gemm_half_tokens == 7);
  CHECK(rates.attention_compute == 0.4);
  CHECK(rates.attention_half_tokens == 11);
  CHECK(rates.memory == 0.6);
  CHECK(rates.memory_half_bytes == 8e6);
  CHECK(rates.launch == 9e-6);
  CHECK(rates.collective_start == 10e-6);
  CHECK(rates.collective_efficiency == 0.7);
}

// Single kernels, alone on the chip. The shipped fractions are those of whole serving stacks
// (configs/calibration/README.md), so kernels come out slow; this says how slow.
void check_gemms(const std::string& chip_name, NumberFormat format, const std::string& file, int m, int k, int n,
                 int time, double unit, const std::string& kernel, double slowest_median) {
  const auto data = testing::data_dir();
  if (!data) {
    WARN("SKIPPED: no data folder; set SILICAST_DATA");
    return;
  }
  const std::string configs = SILICAST_SOURCE_DIR "/configs";
  const ChipRates chip =
      chip_rates(read_chip(ConfigValue::from_file(configs + "/chips/" + chip_name + ".yaml")),
                 read_calibration(ConfigValue::from_file(configs + "/calibration/" + chip_name + ".yaml")));
  std::vector<double> ratios;
  for (const auto& row : testing::csv_rows(*data + file)) {
    if (!kernel.empty() && row[1] != kernel) continue;
    Kernel gemm;
    gemm.kernel_class = KernelClass::kGemm;
    gemm.format = format;
    gemm.m = std::stoll(row[static_cast<std::size_t>(m)]);
    gemm.k = std::stoll(row[static_cast<std::size_t>(k)]);
    gemm.n = std::stoll(row[static_cast<std::size_t>(n)]);
    const double rows = static_cast<double>(gemm.m), depth = static_cast<double>(gemm.k),
                 columns = static_cast<double>(gemm.n);
    if (depth * columns < 8e6) continue;  // no layer of a model worth serving is smaller
    gemm.flops = Flops(2 * rows * depth * columns);
    gemm.bytes = Bytes((depth * columns + rows * depth) * bytes_of(format) + rows * columns * 2);
    ratios.push_back(price_gemm(chip, gemm).time.value() / (unit * std::stod(row[static_cast<std::size_t>(time)])));
    testing::note_accuracy(
        "GEMM kernels alone on " + chip_name + " against measured (fractions of whole stacks: too slow)", "test_perf",
        ratios.back() - 1);
  }
  REQUIRE(ratios.size() > 200);
  std::nth_element(ratios.begin(), ratios.begin() + std::ssize(ratios) / 2, ratios.end());
  const double median = ratios[ratios.size() / 2];
  CAPTURE(median);
  CHECK(median > 1);
  CHECK(median < slowest_median);
}

TEST_CASE("GEMMs on H20 take at most 1.7 times their measured times, in the median") {
  check_gemms("h20-96", NumberFormat::kFp8, "/ops/h20_infersim/gemm.csv", 0, 1, 2, 3, 1e-6, "", 1.7);
}

TEST_CASE("GEMMs on H200 in BF16 take at most 1.7 times their measured times, in the median") {
  check_gemms("h200", NumberFormat::kBf16, "/ops/h200_sxm_vllm0.24.0/gemm.csv.gz", 2, 4, 3, 5, 1e-3,
              "torch.nn.functional.linear", 1.7);
}

}  // namespace silicast
