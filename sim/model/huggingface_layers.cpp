#include "sim/model/huggingface_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "sim/model/huggingface_keys.hpp"

namespace silicast::huggingface {
namespace {

template <class Kind>
std::int32_t place(std::vector<Kind>& kinds, const Kind& kind) {
  const auto found = std::find(kinds.begin(), kinds.end(), kind);
  const auto index = static_cast<std::int32_t>(found - kinds.begin());
  if (found == kinds.end()) kinds.push_back(kind);
  return index;
}

}  // namespace

void add_layer(ModelSpec& spec, const AttentionSpec& attention, const FeedForwardSpec& feed_forward) {
  spec.layers.push_back({place(spec.attentions, attention), place(spec.feed_forwards, feed_forward)});
}

AttentionSpec grouped_attention(const ConfigValue& config, const ModelSpec& spec, std::int32_t default_kv_heads,
                                std::int32_t default_head_size) {
  refuse(config, {"kv_lora_rank", "q_lora_rank", "o_lora_rank"}, spec.architecture, "latent attention");
  AttentionSpec attention;
  attention.heads = shape(config, "num_attention_heads");
  // Absent is the class's default; null is one KV head per query head.
  const bool absent = config.node().find("num_key_value_heads") == nullptr;
  attention.kv_heads =
      shape(config, "num_key_value_heads", absent && default_kv_heads > 0 ? default_kv_heads : attention.heads);
  if (attention.heads % attention.kv_heads != 0)
    config.fail(fmt::format("{} KV heads do not divide the {} query heads", attention.kv_heads, attention.heads));
  if (default_head_size == 0 && !find(config, "head_dim") && spec.hidden % attention.heads != 0)
    config.fail(fmt::format("{} heads do not divide the hidden size of {}", attention.heads, spec.hidden));
  attention.head_size = attention.value_size =
      shape(config, "head_dim", default_head_size > 0 ? default_head_size : spec.hidden / attention.heads);
  return attention;
}

std::vector<ConfigValue> layer_types(const ConfigValue& config, std::int32_t layers) {
  const auto types = find(config, "layer_types");
  if (!types) return {};
  std::vector<ConfigValue> list = types->list();
  if (list.size() != static_cast<std::size_t>(layers))
    types->fail(fmt::format("{} types for {} layers", list.size(), layers));
  return list;
}

bool is_special(const ConfigValue& type, std::string_view special) {
  const std::string name = type.text();
  if (name != special && name != "full_attention")
    type.fail(fmt::format("'{}' layers are not modelled yet in this architecture", name));
  return name == special;
}

FeedForwardSpec dense(const ConfigValue& config, const ModelSpec& spec) {
  refuse(config, {"num_experts", "num_local_experts", "n_routed_experts", "moe_intermediate_size"}, spec.architecture,
         "experts");
  FeedForwardSpec block;
  block.intermediate = shape(config, "intermediate_size");
  return block;
}

FeedForwardSpec mixture(const ConfigValue& config, std::string_view experts, std::string_view intermediate) {
  FeedForwardSpec block;
  block.intermediate = shape(config, intermediate);
  block.experts = shape(config, experts);
  block.active = shape(config, "num_experts_per_tok");
  if (block.active > block.experts)
    config.fail(fmt::format("a token goes to {} of {} experts", block.active, block.experts));
  return block;
}

std::vector<FeedForwardSpec> qwen_blocks(const ConfigValue& config, std::int32_t layers,
                                         const FeedForwardSpec& experts) {
  const std::int32_t step = shape(config, "decoder_sparse_step", 1);
  std::vector<FeedForwardSpec> blocks;
  for (std::int32_t i = 0; i < layers; ++i) blocks.push_back((i + 1) % step == 0 ? experts : FeedForwardSpec{});
  if (const auto only = find(config, "mlp_only_layers"))
    for (const ConfigValue& layer : only->list())
      blocks[static_cast<std::size_t>(layer.integer(0, layers - 1))] = FeedForwardSpec{};
  for (FeedForwardSpec& block : blocks)
    if (!block.mixture()) block.intermediate = shape(config, "intermediate_size");
  return blocks;
}

std::vector<FeedForwardSpec> deepseek_blocks(const ConfigValue& config, std::int32_t layers,
                                             std::int32_t default_dense_layers) {
  FeedForwardSpec experts = mixture(config, "n_routed_experts", "moe_intermediate_size");
  const bool absent = config.node().find("n_shared_experts") == nullptr;
  const std::int64_t shared = std::int64_t{count(config, "n_shared_experts", absent ? 1 : 0)} * experts.intermediate;
  if (shared > kLargestShape)
    config.fail(fmt::format("shared experts are {} wide together, over {}", shared, kLargestShape));
  experts.shared = static_cast<std::int32_t>(shared);
  const std::int32_t first = count(config, "first_k_dense_replace", default_dense_layers);
  const std::int32_t every = shape(config, "moe_layer_freq", 1);
  std::vector<FeedForwardSpec> blocks;
  for (std::int32_t i = 0; i < layers; ++i) {
    FeedForwardSpec& block = blocks.emplace_back(experts);
    if (i >= first && i % every == 0) continue;
    block = FeedForwardSpec{};
    block.intermediate = shape(config, "intermediate_size");
  }
  return blocks;
}

}  // namespace silicast::huggingface
