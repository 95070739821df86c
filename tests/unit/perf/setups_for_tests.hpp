// Chips, links and models that the tests of this folder price: round figures of H200, Llama-3.1-70B and a mixture.
#pragma once

#include <utility>
#include <vector>

#include "sim/perf/compile_cost.hpp"

namespace silicast {

// Every field its own round value, about what single kernels reach (kernel tables of aiconfigurator, vLLM 0.24).
inline Calibration round_calibration() {
  Calibration c;
  c.gemm.compute.value = 0.8;
  c.gemm.narrow_compute.value = 0.78;
  c.gemm.narrow_tile.value = 16;
  c.gemm.memory.value = 0.85;
  c.gemm.start.value = 3e-6;
  c.gemm.per_k.value = 0.1e-9;
  c.experts.compute.value = 0.7;
  c.experts.narrow_compute.value = 0.6;
  c.experts.narrow_tile.value = 1;
  c.experts.memory.value = 0.82;
  c.experts.start.value = 20e-6;
  c.experts.padding.value = 40;
  c.attention.compute.value = 0.68;
  c.attention.half_tokens.value = 900;
  c.attention.start.value = 10e-6;
  c.attention.walk.value = 12e-9;
  c.attention.memory.value = 0.9;
  c.attention.narrow_memory.value = 0.65;
  c.attention.item.value = 20e-9;
  c.attention.mixed.value = 1.25;
  c.elementwise.memory.value = 0.88;
  c.elementwise.start.value = 2e-6;
  c.collective.start.value = 4.5e-6;
  c.collective.step.value = 2.5e-6;
  c.collective.efficiency.value = 0.6;
  c.collective.small_start.value = 5e-6;
  c.collective.per_rank.value = 0.9e-6;
  c.collective.bulk_start.value = 23e-6;
  c.collective.bulk_efficiency.value = 0.8;
  c.collective.exchange_start.value = 9e-6;
  c.collective.exchange_efficiency.value = 0.55;
  return c;
}

inline double& peak_of(ChipRates& chip, NumberFormat format) {
  return chip.peak[static_cast<std::size_t>(format)];
}

// H200 SXM datasheet.
inline ChipRates h200_rates() {
  ChipRates chip;
  peak_of(chip, NumberFormat::kBf16) = peak_of(chip, NumberFormat::kFp16) = 989e12;
  peak_of(chip, NumberFormat::kFp8) = peak_of(chip, NumberFormat::kInt8) = 1979e12;
  chip.memory_bandwidth = 4.8e12;
  chip.reached = round_calibration();
  return chip;
}

inline GroupLinks switched_group(std::int32_t size) {
  GroupLinks group;
  group.size = size;
  group.all_to_all = BytesPerSecond(450e9);
  group.ring = BytesPerSecond(450e9);
  group.latency = Seconds(1e-6);
  return group;
}

inline ModelSpec llama_70b() {
  ModelSpec model;
  model.name = "llama-3.1-70b";
  model.hidden = 8192;
  model.vocabulary = 128256;
  model.max_context = 131072;
  AttentionSpec& attention = model.attentions.emplace_back();
  attention.heads = 64;
  attention.kv_heads = 8;
  attention.head_size = attention.value_size = 128;
  model.feed_forwards.emplace_back().intermediate = 28672;
  model.layers.resize(80);
  return model;
}

// Numbers of a layer's matrices of the above: Q and O, K and V, gate, up and down.
inline constexpr double kLlamaLayer = 2.0 * 8192 * 8192 + 2.0 * 8192 * 1024 + 3.0 * 8192 * 28672;

// 24 layers of 2048: every second one with a window of 128, all but the first two with 64 experts of which 4 are active.
inline ModelSpec window_mixture() {
  ModelSpec model;
  model.name = "window-mixture";
  model.hidden = 2048;
  model.vocabulary = 32000;
  model.max_context = 32768;
  AttentionSpec full;
  full.heads = 32;
  full.kv_heads = 8;
  full.head_size = full.value_size = 64;
  AttentionSpec window = full;
  window.window = 128;
  model.attentions = {full, window};
  FeedForwardSpec dense, mixture;
  dense.intermediate = 8192;
  mixture.intermediate = 1024;
  mixture.experts = 64;
  mixture.active = 4;
  mixture.shared = 1024;
  model.feed_forwards = {dense, mixture};
  for (std::int32_t i = 0; i < 24; ++i) model.layers.push_back({i % 2, i < 2 ? 0 : 1});
  return model;
}

inline ReplicaSetup setup_of(ModelSpec model, ParallelPlan plan, const Precision& precision) {
  ReplicaSetup setup;
  setup.model = std::move(model);
  setup.plan = std::move(plan);
  setup.precision = precision;
  setup.chip = h200_rates();
  const auto stages = static_cast<std::size_t>(setup.plan.stages());
  setup.tensor_groups.assign(stages, switched_group(setup.plan.tensor));
  setup.stage_groups.assign(stages, switched_group(setup.plan.ranks()));
  setup.stage_links.assign(stages - 1, switched_group(2));
  setup.host = {1e-3, 5e-6, false};
  return setup;
}

// Llama-3.1-70B in FP8 with `stage_layers` layers in each stage and `tensor` chips to a stage.
inline ReplicaSetup llama_setup(std::int32_t tensor, std::vector<std::int32_t> stage_layers) {
  ParallelPlan plan;
  plan.tensor = tensor;
  plan.stage_layers = std::move(stage_layers);
  constexpr NumberFormat kFp8 = NumberFormat::kFp8;
  return setup_of(llama_70b(), std::move(plan), {kFp8, kFp8, kFp8, kFp8, kFp8});
}

// The mixture in BF16 on tensor x data x context chips, an expert share on each.
inline ReplicaSetup mixture_setup(std::int32_t tensor, std::int32_t data, std::int32_t context = 1) {
  ParallelPlan plan;
  plan.tensor = tensor;
  plan.data = data;
  plan.context = context;
  plan.expert = tensor * data * context;
  plan.stage_layers = {24};
  return setup_of(window_mixture(), std::move(plan), {});
}

}  // namespace silicast
