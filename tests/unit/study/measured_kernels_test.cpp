// The catalogue's calibrations against measured kernels. They were fitted on the very tables: what is asserted is that the
// formulas can say what was measured, with the numbers that ship.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "sim/io/config_reader.hpp"
#include "sim/report/quantiles.hpp"
#include "sim/study/calibration/kernel_samples.hpp"
#include "study_for_tests.hpp"
#include "tests/support/measured_data.hpp"

namespace silicast::testing {
namespace {

ChipRates shipped(const std::string& chip) {
  const auto file = [&](const char* kind) {
    return ConfigValue::from_file(fmt::format("{}/{}/{}.yaml", kConfigs, kind, chip));
  };
  return chip_rates(read_chip(file("chips")), read_calibration(file("calibration")));
}

// Absolute errors by kernel class, and of all kernels.
class Errors {
 public:
  Errors(const std::string& chip, const KernelSamples& samples) {
    const ChipRates rates = shipped(chip);
    for (const auto* some : {&samples.gemm, &samples.experts, &samples.attention})
      for (const KernelSample& sample : *some) {
        const double error = std::abs(sample.predicted(rates) / sample.measured - 1);
        note_accuracy(fmt::format("kernels of {}, {}, against measured (fitted on them)", chip, sample.kernel_class),
                      "test_study", error);
        of_[sample.kernel_class].push_back(error);
        of_[""].push_back(error);
      }
    for (auto& [name, errors] : of_) std::sort(errors.begin(), errors.end());
  }

  double median(const std::string& kernel_class) const { return quantile_of_sorted(of_.at(kernel_class), 0.5); }
  std::size_t count(const std::string& kernel_class) const { return of_.at(kernel_class).size(); }

 private:
  std::map<std::string, std::vector<double>> of_;
};

// The file of 64 heads has no header.
std::string with_header(const std::string& path, const TempFolder& folder) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return write(folder, "mha_decode_64-2-128.csv", "dtype,kv_dtype,batch_size,kv_len,latency_us,mfu\n" + text.str());
}

TEST_CASE("the H20's numbers say what its kernels take within 6% at the median") {
  const auto data = data_dir();
  if (!data) {
    WARN("skipped: no SILICAST_DATA");
    return;
  }
  const std::string tables = *data + "/ops/h20_infersim/";
  const TempFolder folder;
  KernelSamples samples;
  read_gemm_samples({tables + "gemm.csv", ""}, samples);
  read_expert_samples({tables + "grouped_gemm_decode.csv", ""}, samples);
  for (const char* heads : {"16-2-256", "32-4-128", "32-8-128"})
    read_attention_samples({fmt::format("{}mha_decode_{}.csv", tables, heads), ""}, samples);
  for (const char* heads : {"32-4-128", "32-8-128"})
    read_attention_samples({fmt::format("{}mha_prefill_{}.csv", tables, heads), ""}, samples);
  read_attention_samples({with_header(tables + "mha_decode_64-2-128.csv", folder), ""}, samples);
  const Errors errors("h20-96", samples);
  CHECK(errors.count("") > 580);
  CHECK(errors.median("") < 0.06);
  CHECK(errors.median("GEMM, 8-bit") < 0.04);
  CHECK(errors.median("prefill attention") < 0.06);
  CHECK(errors.median("decode attention, 16-bit KV") < 0.09);
  CHECK(errors.median("decode attention, 8-bit KV") < 0.12);
  CHECK(errors.median("experts, 8-bit") < 0.09);
}

TEST_CASE("the H200's numbers say what its kernels take within 10% at the median") {
  const auto data = data_dir();
  if (!data) {
    WARN("skipped: no SILICAST_DATA");
    return;
  }
  const std::string tables = *data + "/ops/h200_sxm_vllm0.24.0/";
  KernelSamples samples;
  read_gemm_samples({tables + "gemm.csv.gz", ""}, samples);
  read_expert_samples({tables + "moe.csv.gz", "triton"}, samples);
  read_attention_samples({tables + "context_attention.csv.gz", "fa3"}, samples);
  read_attention_samples({tables + "generation_attention.csv.gz", "fa3"}, samples);
  const Errors errors("h200", samples);
  CHECK(errors.count("") > 10000);
  CHECK(errors.median("") < 0.1);
  CHECK(errors.median("GEMM, 16-bit") < 0.07);
  CHECK(errors.median("prefill attention") < 0.09);
  CHECK(errors.median("decode attention, 16-bit KV") < 0.07);
}

}  // namespace
}  // namespace silicast::testing
