// Tables of routed experts of aiconfigurator and InferSim.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/errors.hpp"
#include "sim/io/table_file.hpp"
#include "sim/perf/roofline.hpp"
#include "sim/study/calibration/kernel_samples.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 24;

// Routed experts of one layer on one rank.
struct ExpertShape {
  std::int64_t hidden = 0, width = 0;
  double rows = 0;     // (token, expert) pairs
  double experts = 0;  // that have rows
  NumberFormat format = NumberFormat::kBf16;
};

// The kernel that sim/model gives for one token of such a layer, scaled to the shape's rows and experts.
Kernel kernel_of(const ExpertShape& shape) {
  ModelSpec model;
  model.hidden = static_cast<std::int32_t>(shape.hidden);
  model.vocabulary = 64;
  AttentionSpec& attention = model.attentions.emplace_back();
  attention.heads = attention.kv_heads = attention.head_size = attention.value_size = 1;
  FeedForwardSpec& block = model.feed_forwards.emplace_back();
  block.intermediate = static_cast<std::int32_t>(shape.width);
  block.experts = block.active = 1;
  model.layers.resize(1);
  Precision precision;
  precision.experts = precision.expert_activations = shape.format;
  Kernel kernel = StageWork(model, single_chip(model), precision, 0).expert_kernels(1).at(0);
  const Bytes weights = kernel.bytes - kernel.output;
  kernel.m = static_cast<std::int64_t>(std::ceil(shape.rows));
  kernel.experts = shape.experts;
  kernel.flops = kernel.flops * shape.rows;
  kernel.output = kernel.output * shape.rows;
  kernel.bytes = weights * shape.experts + kernel.output;
  return kernel;
}

KernelSample sample_of(const ExpertShape& shape, double tokens, double seconds, bool whole) {
  const bool narrow = bytes_of(shape.format) < 2;
  KernelSample sample;
  sample.kernel_class = narrow ? "experts, 8-bit" : "experts, 16-bit";
  sample.band = band_of("tokens", tokens, {16, 256, 4096});
  sample.shape = fmt::format("{} {} x {} {}", sample.kernel_class, shape.hidden, shape.width, sample.band);
  sample.measured = seconds;
  Kernel kernel = kernel_of(shape);
  if (!whole) {
    kernel.bytes = kernel.bytes - kernel.output;
    kernel.output = Bytes(0);
  }
  sample.predicted = [kernel, whole](const ChipRates& chip) {
    const double all = price_experts(chip, kernel).time.value();
    // Two bare GEMMs start as GEMMs do.
    return whole ? all : all - chip.reached.experts.start.value + 2 * chip.reached.gemm.start.value;
  };
  return sample;
}

// Of balanced rows as many experts are active as can be.
void read_aiconfigurator(const TableOption& option, const std::string& name, KernelSamples& into) {
  TableFile table(option.path, {"moe_dtype", "kernel", "distribution", "hidden_size", "inter_size", "topk",
                                "num_experts", "moe_tp_size", "moe_ep_size", "num_tokens", "latency_ms"});
  while (table.next()) {
    if (!option.takes(table.text("kernel"), into.left_out)) continue;
    const std::string type = table.required_text("moe_dtype");
    const std::int64_t topk = table.integer("topk", 1, kMost), experts = table.integer("num_experts", 1, kMost);
    const std::int64_t tokens = table.integer("num_tokens", 1, kMost), tensor = table.integer("moe_tp_size", 1, kMost);
    ExpertShape shape;
    shape.hidden = table.integer("hidden_size", 1, kMost);
    shape.width = table.integer("inter_size", 1, kMost) / tensor;
    shape.rows = static_cast<double>(tokens * topk);
    shape.experts = static_cast<double>(std::min(experts, tokens * topk));
    if (type == "fp8" || type == "fp8_block") shape.format = NumberFormat::kFp8;
    const double seconds = 1e-3 * table.number("latency_ms");
    if (shape.format != NumberFormat::kFp8 && type != "bfloat16" && type != "float16")
      into.left_out.add(name, fmt::format("{} is not fitted", type));
    else if (table.required_text("distribution") != "balanced")
      into.left_out.add(name, "experts of unequal popularity: how many are active is not told");
    else if (table.integer("moe_ep_size", 1, kMost) > 1)
      into.left_out.add(name, "one of several expert-parallel ranks: which is not told");
    else if (shape.width < 128)
      into.left_out.add(name, "experts of under 128 columns on a rank");
    else
      into.experts.push_back(sample_of(shape, static_cast<double>(tokens), seconds, true));
  }
}

// Both GEMMs alone, FP8. DeepGEMM's benchmark, which it comes from, gives each expert 0.7 to 1.3 times
// `tokens_per_expert` rows, rounded down, at random: half of the experts of one row have none, and a tile of 64 rows
// holds what was drawn or not. The draws are not told.
constexpr std::int64_t kFewExperts = 8, kMostInTile = 49;

void read_infersim(const TableOption& option, const std::string& name, KernelSamples& into) {
  TableFile table(option.path, {"num_local_experts", "hidden_size", "intermediate_size", "batch_size_per_gpu",
                                "tokens_per_expert", "up_proj_us", "down_proj_us"});
  while (table.next()) {
    ExpertShape shape;
    shape.hidden = table.integer("hidden_size", 1, kMost);
    shape.width = table.integer("intermediate_size", 1, kMost);
    shape.experts = static_cast<double>(table.integer("num_local_experts", 1, kMost));
    shape.rows = shape.experts * static_cast<double>(table.integer("tokens_per_expert", 0, kMost));
    shape.format = NumberFormat::kFp8;
    const double tokens = static_cast<double>(table.integer("batch_size_per_gpu", 1, kMost));
    const double seconds = 1e-6 * (table.number("up_proj_us") + table.number("down_proj_us"));
    const std::int64_t rows = table.integer("tokens_per_expert", 0, kMost);
    if (rows < 2) {
      into.left_out.add(name, "experts of one row on average, of which half have none");
      continue;
    }
    if (rows > kMostInTile && table.integer("num_local_experts", 1, kMost) < kFewExperts) {
      into.left_out.add(name, "few experts, whose rows were drawn at random and are not told");
      continue;
    }
    into.experts.push_back(sample_of(shape, tokens, seconds, false));
  }
}

}  // namespace

void read_expert_samples(const TableOption& option, KernelSamples& into) {
  const std::string name = option.name();
  const std::vector<std::string> header = table_header(option.path);
  const auto has = [&](const char* column) { return std::find(header.begin(), header.end(), column) != header.end(); };
  if (has("moe_dtype")) return read_aiconfigurator(option, name, into);
  if (has("num_local_experts") && has("up_proj_us")) return read_infersim(option, name, into);
  throw InputError({option.path, 0, 0}, "",
                   "is no table of experts: it has neither the columns (moe_dtype, kernel, distribution, hidden_size, "
                   "inter_size, topk, num_experts, moe_tp_size, moe_ep_size, num_tokens, latency_ms) nor "
                   "(num_local_experts, hidden_size, intermediate_size, batch_size_per_gpu, tokens_per_expert, "
                   "up_proj_us, down_proj_us)");
}

}  // namespace silicast
