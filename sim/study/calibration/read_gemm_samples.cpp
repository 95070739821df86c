// GEMM tables of aiconfigurator and InferSim.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "sim/base/errors.hpp"
#include "sim/io/table_file.hpp"
#include "sim/perf/roofline.hpp"
#include "sim/study/calibration/kernel_samples.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 24;
// Smaller matrices than any layer's stay in the cache of a benchmark that repeats itself.
constexpr std::int64_t kLeastSide = 512;
constexpr double kLeastNumbers = 4e6;
constexpr std::int64_t kMostRows = 16384;
// A kernel of next to nothing takes a few microseconds; one that never takes less than this was timed with its launches
// by the host.
constexpr double kHostLaunch = 20e-6;

struct GemmRow {
  std::string kernel;
  NumberFormat format = NumberFormat::kBf16;
  bool quantised = false;  // the time has a kernel in it that brings the inputs to the format
  std::int64_t m = 0, n = 0, k = 0;
  double seconds = 0;
};

Kernel kernel_of(const GemmRow& row) {
  const double m = static_cast<double>(row.m), n = static_cast<double>(row.n), k = static_cast<double>(row.k);
  Kernel kernel;
  kernel.format = kernel.weights = row.format;
  kernel.m = row.m;
  kernel.n = row.n;
  kernel.k = row.k;
  kernel.flops = Flops(2 * m * n * k);
  kernel.output = Bytes(2 * m * n);
  kernel.bytes = Bytes((n + m) * k * bytes_of(row.format)) + kernel.output;
  return kernel;
}

Kernel quantisation_of(const GemmRow& row) {
  Kernel kernel;
  kernel.kernel_class = KernelClass::kElementwise;
  const double numbers = static_cast<double>(row.m) * static_cast<double>(row.k);
  kernel.flops = Flops(numbers);
  kernel.bytes = Bytes(numbers * (2 + bytes_of(row.format)));
  return kernel;
}

KernelSample sample_of(const GemmRow& row) {
  const bool narrow = bytes_of(row.format) < 2;
  KernelSample sample;
  sample.kernel_class = narrow ? "GEMM, 8-bit" : "GEMM, 16-bit";
  sample.band = band_of("m", static_cast<double>(row.m), {16, 128, 1024});
  sample.shape = fmt::format("{} x {} {}", row.n, row.k, sample.band);
  sample.measured = row.seconds;
  const Kernel gemm = kernel_of(row), quantisation = quantisation_of(row);
  const bool quantised = row.quantised;
  sample.predicted = [gemm, quantisation, quantised](const ChipRates& chip) {
    const double seconds = price_gemm(chip, gemm).time.value();
    return quantised ? seconds + price_elementwise(chip, quantisation).time.value() : seconds;
  };
  return sample;
}

void read_shape(const TableFile& table, GemmRow& row) {
  row.m = table.integer("m", 1, kMost);
  row.n = table.integer("n", 1, kMost);
  row.k = table.integer("k", 1, kMost);
}

// vLLM quantises inputs in a kernel before the GEMM and aiconfigurator times both (the shape of the times says so).
std::vector<GemmRow> read_aiconfigurator(const TableOption& option, const std::string& name, RowsLeftOut& left_out) {
  TableFile table(option.path, {"gemm_dtype", "kernel", "m", "n", "k", "latency_ms"});
  std::vector<GemmRow> rows;
  while (table.next()) {
    GemmRow row;
    row.kernel = table.text("kernel");
    if (!option.takes(row.kernel, left_out)) continue;
    const std::string type = table.required_text("gemm_dtype");
    if (type == "fp8" || type == "fp8_block" || type == "fp8_inputs" || type == "int8") {
      row.format = type == "int8" ? NumberFormat::kInt8 : NumberFormat::kFp8;
      row.quantised = type != "fp8_inputs";  // tools/profile_chip times the product alone, of inputs in FP8
    } else if (type != "bfloat16" && type != "float16") {
      left_out.add(name, fmt::format("{} is not fitted", type));
      continue;
    }
    read_shape(table, row);
    row.seconds = 1e-3 * table.number("latency_ms");
    rows.push_back(row);
  }
  return rows;
}

// DeepGEMM, FP8, inputs quantised beforehand.
std::vector<GemmRow> read_infersim(const TableOption& option) {
  TableFile table(option.path, {"m", "k", "n", "latency_us"});
  std::vector<GemmRow> rows;
  while (table.next()) {
    GemmRow row;
    row.format = NumberFormat::kFp8;
    read_shape(table, row);
    row.seconds = 1e-6 * table.number("latency_us");
    rows.push_back(row);
  }
  return rows;
}

// Why a row says nothing of the formula; empty where it does.
std::string reason_against(const GemmRow& row, double shortest) {
  if (shortest > kHostLaunch)
    return fmt::format("{}timed with its launches by the host (none takes under {:.0f} us)",
                       row.kernel.empty() ? "" : row.kernel + ": ", 1e6 * kHostLaunch);
  if (std::min(row.n, row.k) < kLeastSide || static_cast<double>(row.n) * static_cast<double>(row.k) < kLeastNumbers)
    return "matrices too small for a layer's";
  if (row.m > kMostRows) return "more rows than an iteration has";
  if (row.m > 8 && row.m % 8 != 0) return "rows that fill no tile";
  return "";
}

}  // namespace

void read_gemm_samples(const TableOption& option, KernelSamples& into) {
  const std::string name = option.name();
  const std::vector<std::string> header = table_header(option.path);
  const auto has = [&](const char* column) { return std::find(header.begin(), header.end(), column) != header.end(); };
  std::vector<GemmRow> rows;
  if (has("gemm_dtype"))
    rows = read_aiconfigurator(option, name, into.left_out);
  else if (has("m") && has("latency_us"))
    rows = read_infersim(option);
  else
    throw InputError({option.path, 0, 0}, "",
                     "is no table of GEMMs: it has neither the columns (gemm_dtype, kernel, m, n, k, latency_ms) nor "
                     "(m, k, n, latency_us)");
  std::map<std::string, double> shortest;
  for (const GemmRow& row : rows) {
    const auto found = shortest.emplace(row.kernel, row.seconds).first;
    found->second = std::min(found->second, row.seconds);
  }
  for (const GemmRow& row : rows) {
    const std::string reason = reason_against(row, shortest[row.kernel]);
    if (reason.empty())
      into.gemm.push_back(sample_of(row));
    else
      into.left_out.add(name, reason);
  }
}

}  // namespace silicast
