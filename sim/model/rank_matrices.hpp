// The weight matrices of a layer as engines cut them over ranks: the one list that parameter counts, memory and GEMM
// shapes follow from. Column-parallel into a block, row-parallel out of it, heads over the tensor ranks (as vLLM does).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/model/model_spec.hpp"
#include "sim/model/parallel_plan.hpp"

namespace silicast {

// Which format of Precision holds a matrix: of the layers, of the routed experts, or the model's own.
enum class WeightStore { kLayer, kExpert, kNative };

// Gives n outputs from k inputs, for every token that the rank sees (an expert: for those routed to it).
struct RankMatrix {
  std::string_view name;  // "qkv_proj", "mlp_down", "experts_gate_up", ...
  std::int64_t n = 0;
  std::int64_t k = 0;
  std::int64_t copies = 1;  // like matrices side by side: the experts of a rank, groups of heads
  WeightStore store = WeightStore::kLayer;

  double numbers() const { return static_cast<double>(n) * static_cast<double>(k) * static_cast<double>(copies); }
};

// Of one rank. Routed experts are the last two, "experts_gate_up" (or "experts_up") and "experts_down".
std::vector<RankMatrix> attention_matrices(const ModelSpec& model, const AttentionSpec& attention,
                                           const ParallelPlan& plan);
std::vector<RankMatrix> feed_forward_matrices(const ModelSpec& model, const FeedForwardSpec& feed_forward,
                                              const ParallelPlan& plan);
// Norms, biases and the like of a layer: numbers on one rank.
double vector_numbers(const ModelSpec& model, const LayerSpec& layer, const ParallelPlan& plan);

// Parameters, norms and biases included, MTP layers left out.
double layer_parameters(const ModelSpec& model, const LayerSpec& layer);
double parameters(const ModelSpec& model);
// Those that compute a token: of the routed experts its own, without the input embedding.
double active_parameters(const ModelSpec& model);

}  // namespace silicast
