// How a replica's model is cut over its chips, and whether that is legal.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/io/config_reader.hpp"
#include "sim/model/model_spec.hpp"

namespace silicast {

struct ParallelPlan {
  std::int32_t tensor = 1;                 // ranks that share every layer
  std::vector<std::int32_t> stage_layers;  // layers of each pipeline stage; one entry without pipelining

  std::int32_t stages() const { return static_cast<std::int32_t>(stage_layers.size()); }
  std::int32_t chips() const { return tensor * stages(); }

  // KV heads that one rank holds: a rank needs at least one, so heads are copied when ranks outnumber them.
  std::int32_t kv_heads_per_rank(const ModelSpec& model) const;
};

// Formats of what a replica stores and computes.
struct Precision {
  NumberFormat weights = NumberFormat::kBf16;      // of the GEMM weights of the layers
  NumberFormat activations = NumberFormat::kBf16;  // GEMM inputs: sets the matrix unit's rate
  NumberFormat kv = NumberFormat::kBf16;
};

// layout: {tensor: 4, pipeline: 2} or {tensor: 4, stage_layers: [41, 39]}. Errors (InputError at `layout`):
// tensor does not divide the query heads or the MLP width, or neither divides nor is divided by the KV heads;
// it does not divide the vocabulary padded to a multiple of 64 (as vLLM pads it); more stages than layers;
// stage layers that do not sum up. Layers are spread over stages as vLLM does: evenly, the rest one each to
// the last stages but one.
ParallelPlan read_parallel_plan(const ConfigValue& layout, const ModelSpec& model);

// precision: {weights: fp8, activations: fp8, kv: fp8}, every key optional: see default_precision. Errors
// (InputError): activations narrower than the weights, a KV format that no engine stores.
Precision read_precision(const ConfigValue& precision, const ModelSpec& model);

// As the checkpoint is published: activations like 8-bit weights, else native; KV native.
Precision default_precision(const ModelSpec& model);

}  // namespace silicast
