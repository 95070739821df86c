// Calibrations: known numbers back from tables made of them, the shipped ones from the tables that they were made of.
#include "sim/study/calibration/calibrate_kernels.hpp"

#include <fmt/format.h>

#include "sim/io/config_reader.hpp"
#include "sim/perf/roofline.hpp"
#include "sim/study/calibration/evidence_yaml.hpp"
#include "sim/study/calibration/kernel_samples.hpp"
#include "study_for_tests.hpp"
#include "tests/support/measured_data.hpp"

namespace silicast::testing {
namespace {

const FittedField& field(const KernelCalibration& fitted, const std::string& name) {
  for (const FittedField& one : fitted.fields)
    if (one.group + "." + one.key == name) return one;
  FAIL(name << " is no field");
  return fitted.fields[0];
}

double median(const std::vector<ResidualRow>& rows, const std::string& kernel_class) {
  for (const ResidualRow& row : rows)
    if (row.kernel_class == kernel_class && row.band.empty()) return row.median;
  FAIL("no residuals of " << kernel_class);
  return 0;
}

KernelTablesOptions options_of(const std::string& chip) {
  KernelTablesOptions options;
  options.configs_dir = kConfigs;
  options.chip = chip;
  options.source = "made up";
  return options;
}

// The H200's datasheet with a calibration of its own.
ChipRates known_chip() {
  const auto file = [](const char* kind) {
    return ConfigValue::from_file(fmt::format("{}/{}/h200.yaml", kConfigs, kind));
  };
  ChipRates chip = chip_rates(read_chip(file("chips")), read_calibration(file("calibration")));
  chip.reached.gemm.compute.value = 0.6;
  chip.reached.gemm.memory.value = 0.7;
  chip.reached.gemm.start.value = 8e-6;
  chip.reached.gemm.per_k.value = 0.5e-9;
  chip.reached.attention.memory.value = 0.5;
  chip.reached.attention.item.value = 40e-9;
  chip.reached.attention.start.value = 20e-6;
  chip.reached.collective.small_start.value = 9e-6;
  chip.reached.collective.bulk_start.value = 60e-6;
  chip.reached.collective.bulk_efficiency.value = 0.5;
  return chip;
}

std::string gemm_table(const ChipRates& chip) {
  std::string text = "gemm_dtype,kernel,m,n,k,latency_ms\n";
  for (const int n : {2048, 4096, 14336, 28672})
    for (const int k : {2048, 4096, 8192})
      for (const int m : {1, 8, 16, 64, 128, 512, 2048, 8192}) {
        Kernel kernel;
        kernel.m = m;
        kernel.n = n;
        kernel.k = k;
        kernel.flops = Flops(2.0 * m * n * k);
        kernel.output = Bytes(2.0 * m * n);
        kernel.bytes = Bytes(2.0 * (n + m) * k) + kernel.output;
        text += fmt::format("bfloat16,linear,{},{},{},{:.9g}\n", m, n, k, 1e3 * price_gemm(chip, kernel).time.value());
      }
  return text;
}

TEST_CASE("GEMMs of a known chip give its numbers back, and leave the others alone") {
  const TempFolder folder;
  KernelTablesOptions options = options_of("h200");
  options.gemm = {write(folder, "gemm.csv", gemm_table(known_chip()))};
  const KernelCalibration fitted = calibrate_kernels(options);
  CHECK(field(fitted, "gemm.compute").value == Approx(0.6).epsilon(0.01));
  CHECK(field(fitted, "gemm.memory").value == Approx(0.7).epsilon(0.01));
  CHECK(field(fitted, "gemm.start").value == Approx(8e-6).epsilon(0.02));
  CHECK(field(fitted, "gemm.per_k").value == Approx(0.5e-9).epsilon(0.02));
  CHECK(median(fitted.residuals, "GEMM, 16-bit") < 0.001);
  CHECK(median(fitted.present, "GEMM, 16-bit") > 0.1);
  CHECK(field(fitted, "gemm.narrow_compute").undetermined == "hardly any measured value depends on it");
  CHECK(field(fitted, "attention.walk").undetermined == "no table tells it");
  CHECK(field(fitted, "attention.walk").value == field(fitted, "attention.walk").present);
  CHECK(fitted.calibration.gemm.compute.source == "made up");
  CHECK(fitted.calibration.gemm.compute.grade == Grade::kMeasured);
}

TEST_CASE("the file that is written is a calibration of the catalogue, with what was not fitted as it was") {
  const TempFolder folder;
  KernelTablesOptions options = options_of("h200");
  options.source = "a \"quoted\" source";
  options.gemm = {write(folder, "gemm.csv", gemm_table(known_chip()))};
  const std::string text = calibration_yaml(calibrate_kernels(options));
  const Calibration back = read_calibration(ConfigValue::from_text(text, "written.yaml"));
  const Calibration shipped = read_calibration(ConfigValue::from_file(kConfigs + "/calibration/h200.yaml"));
  CHECK(back.gemm.compute.value == Approx(0.6).epsilon(0.02));
  CHECK(back.gemm.compute.source == "a \"quoted\" source");
  CHECK(back.attention.walk.value == Approx(shipped.attention.walk.value));
  CHECK(back.attention.walk.grade == shipped.attention.walk.grade);
  CHECK(back.experts.padding.source == shipped.experts.padding.source);
}

TEST_CASE("decodes and collectives of a known chip give its numbers back") {
  const ChipRates chip = known_chip();
  const TempFolder folder;
  // Written by the samples' own predictions for the known chip, times of 1 ms in between.
  const auto remade = [&](const std::string& name, const std::string& head, const std::vector<std::string>& rows,
                          auto read, auto of) {
    std::string draft = head;
    for (const std::string& row : rows) draft += row + ",1\n";
    KernelSamples samples;
    read(TableOption{write(folder, name, draft), ""}, samples);
    std::string text = head;
    REQUIRE(of(samples).size() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
      text += fmt::format("{},{:.9g}\n", rows[i], 1e3 * of(samples)[i].predicted(chip));
    return write(folder, name, text);
  };
  std::vector<std::string> decodes, collectives;
  for (const int heads : {8, 32, 64})
    for (const int sequences : {1, 64, 256})
      for (const int length : {16, 16384, 65536}) {
        const double megabytes = 2e-6 * 2 * 128 * 8 * sequences * length;
        if (megabytes > 4 && megabytes < 100) continue;
        decodes.push_back(fmt::format("bfloat16,bfloat16,fa3,{},{},{},8,128,0", sequences, length, heads));
      }
  for (const int chips : {2, 4, 8})
    for (double bytes = 1024; bytes < 2e9; bytes *= 4)
      for (const char* op : {"all_reduce", "all_gather"})
        collectives.push_back(fmt::format("{},half,{},{:.0f}", op, chips, bytes));
  KernelTablesOptions options = options_of("h200");
  options.attention = {remade(
      "decode.csv",
      "attn_dtype,kv_cache_dtype,kernel,batch_size,kv_len,num_heads,num_kv_heads,head_dim,window_size,latency_ms\n",
      decodes, read_attention_samples, [](const KernelSamples& s) { return s.attention; })};
  const auto group = [](std::int32_t chips) {
    GroupLinks links;
    links.size = chips;
    links.all_to_all = links.ring = BytesPerSecond(450e9);
    links.latency = Seconds(1e-6);
    return links;
  };
  const std::string head = "op,dtype,num_gpus,bytes,latency_ms\n";
  options.collectives = {remade(
      "nccl.csv", head, collectives,
      [&](const TableOption& table, KernelSamples& into) { read_collective_samples(table, group, into); },
      [](const KernelSamples& s) { return s.by_library; })};
  const KernelCalibration fitted = calibrate_kernels(options);
  CHECK(field(fitted, "attention.memory").value == Approx(0.5).epsilon(0.02));
  CHECK(field(fitted, "attention.start").value == Approx(20e-6).epsilon(0.05));
  CHECK(median(fitted.residuals, "decode attention, 16-bit KV") < 0.01);
  // The catalogue's links have a latency of their own, which a start makes up for.
  CHECK(field(fitted, "collective.bulk_efficiency").value == Approx(0.5).epsilon(0.05));
  CHECK(median(fitted.residuals, "library all-reduce") < 0.05);
}

std::string message(const KernelTablesOptions& options) {
  try {
    calibrate_kernels(options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST_CASE("what cannot be calibrated is said") {
  const TempFolder folder;
  CHECK(message(options_of("h2000")).starts_with("--chip 'h2000': unknown; did you mean 'h200'?"));
  CHECK(message(options_of("h200")) == "give tables by --gemm, --attention, --moe or --collectives");
  KernelTablesOptions options = options_of("h200");
  const std::string path = write(folder, "t.csv", "a,b\n1,2\n");
  options.gemm = {path};
  CHECK(message(options) ==
        path +
            ": is no table of GEMMs: it has neither the columns (gemm_dtype, kernel, m, n, k, latency_ms) nor (m, k, "
            "n, latency_us)");
  options.gemm = {write(folder, "t.csv", "gemm_dtype,kernel,m,n,k,latency_ms\nbfloat16,x,1,4096,4096,-1\n")};
  CHECK(message(options) == path + ":2:24: latency_ms: -1 must be over 0");
  options.gemm = {write(folder, "t.csv", "gemm_dtype,kernel,m,n,k,latency_ms\nint4,x,1,4096,4096,1\n")};
  CHECK(message(options) == "no row of the tables tells anything: t.csv: int4 is not fitted (1 row)");
  options.gemm.clear();
  options.attention = {write(folder, "mha_decode.csv", "dtype,kv_dtype,batch_size,kv_len,latency_us,mfu\n")};
  CHECK(message(options) == (folder / "mha_decode.csv") +
                                ": must end in its heads, KV heads and head size, as mha_decode_32-8-128.csv does");
  options.attention.clear();
  options.collectives = {write(folder, "t.csv", "op,num_gpus,bytes,latency_ms\nall_reduce,16,1024,1\n")};
  CHECK(message(options) == "a collective of 16 chips: node 'hgx-h200' has 8; name a larger one by --node");
  options.node = "hgx-h20-96";
  CHECK(message(options) == "--node 'hgx-h20-96': its chips are h20-96, not h200");
}

TEST_CASE("numbers of the catalogue are written with their units") {
  CHECK(evidence_yaml({3.456e-6, 3e-6, 4e-6, Grade::kMeasured, "x"}, Dimension::kTime) ==
        "{value: 3.46 us, range: [3 us, 4 us], grade: measured, source: \"x\"}");
  CHECK(evidence_yaml({1.2e-11, 0, 2e-3, Grade::kEstimate, "x"}, Dimension::kTime) ==
        "{value: 0.012 ns, range: [0 s, 2 ms], grade: estimate, source: \"x\"}");
  CHECK(evidence_yaml({0.8768, 0.8, 0.9, Grade::kVendor, "x"}, Dimension::kNumber) ==
        "{value: 0.877, range: [0.8, 0.9], grade: vendor, source: \"x\"}");
  CHECK(evidence_yaml({900, 800, 1300.4, Grade::kVendor, "a\nb"}, Dimension::kNumber) ==
        "{value: 900, range: [800, 1300], grade: vendor, source: \"a\\nb\"}");
}

// What the formulas reach on whole tables.
TEST_CASE("H200 and H20 from their tables: medians, and values near the shipped ones") {
  const auto data = data_dir();
  if (!data || !std::filesystem::is_directory(*data + "/ops")) {
    WARN("skipped: no SILICAST_DATA with ops/");
    return;
  }
  const auto near = [](const KernelCalibration& fitted, const std::string& name, double factor) {
    const FittedField& one = field(fitted, name);
    INFO(name << ": shipped " << one.present << ", fitted " << one.value);
    CHECK(one.undetermined.empty());
    CHECK(one.value < one.present * factor);
    CHECK(one.value > one.present / factor);
  };
  const std::string h200 = *data + "/ops/h200_sxm_vllm0.24.0/", h20 = *data + "/ops/h20_infersim/";
  KernelTablesOptions options = options_of("h200");
  options.gemm = {h200 + "gemm.csv.gz"};
  options.attention = {h200 + "context_attention.csv.gz@fa3", h200 + "generation_attention.csv.gz@fa3"};
  options.moe = {h200 + "moe.csv.gz@triton"};
  options.collectives = {h200 + "nccl.csv.gz", h200 + "custom_allreduce.csv.gz", h200 + "deepep_low_latency.csv.gz",
                         *data + "/ops/apex_h200-sxm-141gb_collectives.csv"};
  KernelCalibration fitted = calibrate_kernels(options);
  CHECK(median(fitted.residuals, "GEMM, 16-bit") < 0.07);
  CHECK(median(fitted.residuals, "prefill attention") < 0.09);
  CHECK(median(fitted.residuals, "decode attention, 16-bit KV") < 0.07);
  CHECK(median(fitted.residuals, "library all-reduce") < 0.16);
  CHECK(median(fitted.residuals, "library all-gather, reduce-scatter") < 0.18);
  CHECK(median(fitted.residuals, "experts, 16-bit") < 0.10);
  for (const char* name : {"gemm.compute", "gemm.memory", "attention.compute", "attention.memory"})
    near(fitted, name, 1.1);
  options = options_of("h20-96");
  options.gemm = {h20 + "gemm.csv"};
  options.attention = {h20 + "mha_decode_32-8-128.csv", h20 + "mha_decode_32-4-128.csv",
                       h20 + "mha_prefill_32-8-128.csv", h20 + "mha_prefill_32-4-128.csv"};
  fitted = calibrate_kernels(options);
  CHECK(median(fitted.residuals, "GEMM, 8-bit") < 0.06);
  CHECK(median(fitted.residuals, "prefill attention") < 0.06);
  CHECK(median(fitted.residuals, "decode attention, 16-bit KV") < 0.08);
  for (const char* name : {"gemm.narrow_compute"}) near(fitted, name, 1.1);
}

}  // namespace
}  // namespace silicast::testing
