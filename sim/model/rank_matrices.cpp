// Shapes after the models' reference code (transformers, DeepSeek's inference code) and vLLM's layers.
#include "sim/model/rank_matrices.hpp"

#include <algorithm>

namespace silicast {
namespace {

using Matrices = std::vector<RankMatrix>;

void add(Matrices& matrices, std::string_view name, std::int64_t n, std::int64_t k, std::int64_t copies = 1,
         WeightStore store = WeightStore::kLayer) {
  if (n > 0 && k > 0) matrices.push_back({name, n, k, copies, store});
}

// The small network that picks the KV entries worth attending to; every rank runs all of it.
void add_indexer(Matrices& matrices, const ModelSpec& model, const AttentionSpec& attention) {
  if (attention.index_heads == 0) return;
  const std::int64_t inputs = attention.query_rank > 0 ? attention.query_rank : model.hidden;
  add(matrices, "indexer_q", std::int64_t{attention.index_heads} * attention.index_size, inputs);
  add(matrices, "indexer_k", attention.index_size, model.hidden);
  add(matrices, "indexer_weights", attention.index_heads, model.hidden, 1, WeightStore::kNative);
}

Matrices grouped(const ModelSpec& model, const AttentionSpec& attention, const ParallelPlan& plan) {
  Matrices matrices;
  const std::int64_t queries = plan.heads_per_rank(attention) * attention.head_size;
  const std::int64_t keys = plan.kv_heads_per_rank(attention) * attention.head_size;
  add(matrices, "qkv_proj", queries * (attention.output_gate ? 2 : 1) + 2 * keys, model.hidden);
  add(matrices, "o_proj", model.hidden, queries);
  return matrices;
}

// Prompts rebuild keys and values from the latents; decodes fold the same matrix into queries and outputs instead
// ("absorbed"). Either way it meets every token once.
Matrices latent(const ModelSpec& model, const AttentionSpec& attention, const ParallelPlan& plan) {
  Matrices matrices;
  const std::int64_t heads = plan.heads_per_rank(attention);
  const std::int64_t latents = attention.kv_rank + attention.rope_size;
  const std::int64_t rebuilt = attention.head_size - attention.rope_size + attention.value_size;
  add(matrices, "qkv_a_proj", attention.query_rank + latents, model.hidden);
  add(matrices, "q_b_proj", heads * attention.head_size,
      attention.query_rank > 0 ? attention.query_rank : model.hidden);
  add(matrices, "kv_b_proj", heads * rebuilt, attention.kv_rank);
  add_indexer(matrices, model, attention);
  add(matrices, "o_proj", model.hidden, heads * attention.value_size);
  return matrices;
}

// Entries compressed 4:1 overlap, so each token is projected twice (DeepSeek-V4 inference code).
constexpr std::int32_t kOverlappingCompression = 4;

Matrices compressed(const ModelSpec& model, const AttentionSpec& attention, const ParallelPlan& plan) {
  Matrices matrices;
  const std::int64_t heads = plan.heads_per_rank(attention);
  add(matrices, "qkv_a_proj", attention.query_rank + attention.head_size, model.hidden);
  add(matrices, "q_b_proj", heads * attention.head_size, attention.query_rank);
  const std::int64_t twice = attention.compression == kOverlappingCompression ? 2 : 1;
  if (attention.compression > 0) add(matrices, "compressor", 2 * twice * attention.head_size, model.hidden);
  if (attention.index_heads > 0) add(matrices, "indexer_compressor", 2 * twice * attention.index_size, model.hidden);
  add_indexer(matrices, model, attention);
  const std::int64_t groups = std::max(1, attention.output_groups / plan.tensor);
  add(matrices, "o_a_proj", attention.output_rank, heads * attention.head_size / groups, groups);
  add(matrices, "o_proj", model.hidden, groups * attention.output_rank);
  return matrices;
}

Matrices linear(const ModelSpec& model, const AttentionSpec& attention, const ParallelPlan& plan) {
  Matrices matrices;
  const std::int64_t values = plan.heads_per_rank(attention) * attention.value_size;
  const std::int64_t keys = plan.kv_heads_per_rank(attention) * attention.head_size;
  add(matrices, "qkvz_proj", 2 * keys + 2 * values, model.hidden);
  add(matrices, "ba_proj", 2 * plan.heads_per_rank(attention), model.hidden, 1, WeightStore::kNative);
  add(matrices, "o_proj", model.hidden, values);
  return matrices;
}

double sum(const Matrices& matrices) {
  double numbers = 0;
  for (const RankMatrix& matrix : matrices) numbers += matrix.numbers();
  return numbers;
}

// Of one expert, on a rank.
double bias_numbers(const ModelSpec& model, const FeedForwardSpec& block, const ParallelPlan& plan) {
  return block.bias ? 2.0 * block.intermediate / plan.expert_tensor() + model.hidden : 0;
}

double embedding_parameters(const ModelSpec& model) {
  return static_cast<double>(model.vocabulary) * model.hidden;
}

}  // namespace

std::vector<RankMatrix> attention_matrices(const ModelSpec& model, const AttentionSpec& attention,
                                           const ParallelPlan& plan) {
  switch (attention.kind) {
    case AttentionKind::kGrouped:
      return grouped(model, attention, plan);
    case AttentionKind::kLatent:
      return latent(model, attention, plan);
    case AttentionKind::kCompressed:
      return compressed(model, attention, plan);
    case AttentionKind::kLinear:
      return linear(model, attention, plan);
  }
  return {};
}

std::vector<RankMatrix> feed_forward_matrices(const ModelSpec& model, const FeedForwardSpec& feed_forward,
                                              const ParallelPlan& plan) {
  Matrices matrices;
  const std::int64_t inputs = feed_forward.gated ? 2 : 1;
  const std::string_view up = feed_forward.gated ? "mlp_gate_up" : "mlp_up";
  if (!feed_forward.mixture()) {
    const std::int64_t width = feed_forward.intermediate / plan.tensor;
    add(matrices, up, inputs * width, model.hidden);
    add(matrices, "mlp_down", model.hidden, width);
    return matrices;
  }
  add(matrices, "router", feed_forward.experts, model.hidden, 1, WeightStore::kNative);
  const std::int64_t shared = feed_forward.shared / plan.tensor;
  add(matrices, "shared_gate_up", inputs * shared, model.hidden);
  add(matrices, "shared_down", model.hidden, shared);
  const std::int64_t width = feed_forward.intermediate / plan.expert_tensor();
  const std::int64_t experts = plan.experts_per_rank(feed_forward);
  add(matrices, feed_forward.gated ? "experts_gate_up" : "experts_up", inputs * width, model.hidden, experts,
      WeightStore::kExpert);
  add(matrices, "experts_down", model.hidden, width, experts, WeightStore::kExpert);
  return matrices;
}

double vector_numbers(const ModelSpec& model, const LayerSpec& layer, const ParallelPlan& plan) {
  const AttentionSpec& attention = model.attentions[static_cast<std::size_t>(layer.attention)];
  const FeedForwardSpec& block = model.feed_forwards[static_cast<std::size_t>(layer.feed_forward)];
  const double queries = static_cast<double>(plan.heads_per_rank(attention)) * attention.head_size;
  const double keys = static_cast<double>(plan.kv_heads_per_rank(attention)) * attention.head_size;
  double numbers = 2.0 * model.hidden;  // the norms before attention and MLP
  if (attention.qkv_bias) numbers += queries + 2 * keys;
  if (model.output_bias) numbers += model.hidden;
  if (attention.qk_norm) numbers += attention.qk_norm_across_heads ? queries + keys : 2.0 * attention.head_size;
  numbers += attention.query_rank + attention.kv_rank;  // norms of the low-rank projections
  if (attention.kind == AttentionKind::kLinear) {
    const double values = static_cast<double>(plan.heads_per_rank(attention)) * attention.value_size;
    numbers += (2 * keys + values) * attention.convolution;
    numbers += 2.0 * static_cast<double>(plan.heads_per_rank(attention)) + attention.value_size;  // decay, step, norm
  }
  if (block.bias)
    numbers += block.experts + static_cast<double>(plan.experts_per_rank(block)) * bias_numbers(model, block, plan);
  return numbers;
}

double layer_parameters(const ModelSpec& model, const LayerSpec& layer) {
  const ParallelPlan whole;
  return sum(attention_matrices(model, model.attentions[static_cast<std::size_t>(layer.attention)], whole)) +
         sum(feed_forward_matrices(model, model.feed_forwards[static_cast<std::size_t>(layer.feed_forward)], whole)) +
         vector_numbers(model, layer, whole);
}

double parameters(const ModelSpec& model) {
  const double final_norm = model.hidden;
  double numbers = embedding_parameters(model) * (model.tied_embeddings ? 1 : 2) + final_norm;
  for (const LayerSpec& layer : model.layers) numbers += layer_parameters(model, layer);
  return numbers;
}

double active_parameters(const ModelSpec& model) {
  const ParallelPlan whole;
  double numbers = embedding_parameters(model) + model.hidden;
  for (const LayerSpec& layer : model.layers) {
    const FeedForwardSpec& block = model.feed_forwards[static_cast<std::size_t>(layer.feed_forward)];
    numbers += layer_parameters(model, layer);
    if (!block.mixture()) continue;
    double routed = block.experts * bias_numbers(model, block, whole);
    for (const RankMatrix& matrix : feed_forward_matrices(model, block, whole))
      if (matrix.store == WeightStore::kExpert) routed += matrix.numbers();
    numbers -= routed * (1 - static_cast<double>(block.active) / block.experts);
  }
  return numbers;
}

}  // namespace silicast
