// How a replica's model is cut over its chips, and whether that is legal.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sim/io/config_reader.hpp"
#include "sim/model/model_spec.hpp"

namespace silicast {

// Each pipeline stage has tensor x context x data ranks. Attention and dense blocks are cut over `tensor` ranks;
// `context` such groups share out each prompt's tokens and every sequence's KV cache; and each of the `data` groups of
// those serves requests of its own. Routed experts lie over all ranks of the stage: in `expert` shares,
// each cut over the ranks that are left.
struct ParallelPlan {
  std::int32_t tensor = 1;
  std::int32_t context = 1;
  std::int32_t data = 1;
  std::int32_t expert = 1;
  std::int32_t redundant_experts = 0;      // copies of busy experts, spread over the shares
  std::vector<std::int32_t> stage_layers;  // layers of each pipeline stage; one entry without pipelining

  std::int32_t stages() const { return static_cast<std::int32_t>(stage_layers.size()); }
  std::int32_t ranks() const { return tensor * context * data; }  // of a stage
  std::int32_t expert_tensor() const { return ranks() / expert; }
  std::int32_t chips() const { return ranks() * stages(); }
  std::int32_t first_layer(std::int32_t stage) const;

  // A rank needs at least one KV head, so heads are copied when ranks outnumber them.
  std::int64_t heads_per_rank(const AttentionSpec& attention) const { return attention.heads / tensor; }
  std::int64_t kv_heads_per_rank(const AttentionSpec& attention) const {
    return std::max(1, attention.kv_heads / tensor);
  }
  // Of the fullest rank.
  std::int64_t experts_per_rank(const FeedForwardSpec& block) const {
    return (block.experts + redundant_experts + expert - 1) / expert;
  }
};

// Formats of what a replica stores and computes.
struct Precision {
  NumberFormat weights = NumberFormat::kBf16;      // of the GEMM weights of the layers
  NumberFormat activations = NumberFormat::kBf16;  // GEMM inputs: sets the matrix unit's rate
  NumberFormat kv = NumberFormat::kBf16;
  NumberFormat experts = NumberFormat::kBf16;             // of the routed experts' weights
  NumberFormat expert_activations = NumberFormat::kBf16;  // their inputs
};

// layout: {tensor: 4, context: 1, data: 2, expert: 8, redundant_experts: 16, pipeline: 2} or with stage_layers: [41,
// 39] in place of `pipeline`; every key optional. Errors (InputError at the key): tensor does not divide the query
// heads, the MLP width or the shared experts' width, or neither divides nor is divided by the KV heads; it does not
// divide the vocabulary padded to a multiple of 64 (as vLLM pads it); expert without routed experts, more than there
// are, or no divisor of tensor x context x data; the ranks that share an expert do not divide its width; data or
// redundant experts without routed experts; data with a pipeline; more stages than layers; stage layers that do not sum
// up. Layers are spread over stages as vLLM does: evenly, the rest one each to the last stages but one.
ParallelPlan read_parallel_plan(const ConfigValue& layout, const ModelSpec& model);
ParallelPlan single_chip(const ModelSpec& model);

// precision: {weights: fp8, activations: fp8, kv: fp8, experts: mxfp4}, every key optional: see default_precision.
// `weights` alone sets the experts too. Errors (InputError): activations narrower than the weights, a KV format that no
// engine stores, expert formats for a model without routed experts.
Precision read_precision(const ConfigValue& precision, const ModelSpec& model);

// As the checkpoint is published: inputs of 8-bit weights in 8 bits, else native; KV native.
Precision default_precision(const ModelSpec& model);

}  // namespace silicast
