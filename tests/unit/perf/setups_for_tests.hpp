// A chip, a switch and a model that the tests of this folder price: round figures of H200 and Llama-3.1-70B.
#pragma once

#include <vector>

#include "sim/perf/compile_cost.hpp"

namespace silicast {

// H200 SXM datasheet; fractions as single kernels reach them (kernel tables of aiconfigurator, vLLM 0.24).
inline ChipRates h200_rates() {
  ChipRates chip;
  chip.peak = {0, 989e12, 989e12, 1979e12, 1979e12, 0};
  chip.memory_bandwidth = 4.8e12;
  chip.compute = 0.70;
  chip.gemm_half_tokens = 40;
  chip.attention_compute = 0.68;
  chip.attention_half_tokens = 512;
  chip.memory = 0.85;
  chip.memory_half_bytes = 6e6;
  chip.launch = 2e-6;
  chip.collective_start = 4.5e-6;
  chip.collective_efficiency = 0.77;
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
  model.layers = 80;
  model.hidden = 8192;
  model.heads = 64;
  model.kv_heads = 8;
  model.head_size = 128;
  model.intermediate = 28672;
  model.vocabulary = 128256;
  model.max_context = 131072;
  return model;
}

// Llama-3.1-70B in FP8 with `stage_layers` layers in each stage and `tensor` chips to a stage.
inline ReplicaSetup llama_setup(std::int32_t tensor, std::vector<std::int32_t> stage_layers) {
  ReplicaSetup setup;
  setup.model = llama_70b();
  setup.plan = {tensor, std::move(stage_layers)};
  setup.precision = {NumberFormat::kFp8, NumberFormat::kFp8, NumberFormat::kFp8};
  setup.chip = h200_rates();
  setup.tensor_groups.assign(setup.plan.stage_layers.size(), switched_group(tensor));
  setup.stage_links.assign(setup.plan.stage_layers.size() - 1, switched_group(2));
  setup.host = {1e-3, 5e-6, false};
  return setup;
}

}  // namespace silicast
