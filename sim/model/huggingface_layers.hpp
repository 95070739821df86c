// What several families of a config.json share: their attention, their feed-forward blocks and which layers have them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/io/config_reader.hpp"
#include "sim/model/model_spec.hpp"

namespace silicast::huggingface {

// Appends a layer; kinds that are there already are used again.
void add_layer(ModelSpec& spec, const AttentionSpec& attention, const FeedForwardSpec& feed_forward);

// Ordinary attention without window, biases and norms. Defaults of transformers' class: 0 KV heads for as many as query
// heads, a head size of 0 for hidden / heads.
AttentionSpec grouped_attention(const ConfigValue& config, const ModelSpec& spec, std::int32_t default_kv_heads,
                                std::int32_t default_head_size);

// The layers' attention types where config.json lists them, else an empty list.
std::vector<ConfigValue> layer_types(const ConfigValue& config, std::int32_t layers);
// Whether a listed layer is of the type `special`; the only other type is "full_attention".
bool is_special(const ConfigValue& type, std::string_view special);

FeedForwardSpec dense(const ConfigValue& config, const ModelSpec& spec);  // refuses experts
FeedForwardSpec mixture(const ConfigValue& config, std::string_view experts, std::string_view intermediate);

// Every layer's block as Qwen tells it (decoder_sparse_step, mlp_only_layers): `experts` or a dense MLP.
std::vector<FeedForwardSpec> qwen_blocks(const ConfigValue& config, std::int32_t layers,
                                         const FeedForwardSpec& experts);
// As DeepSeek tells it (first_k_dense_replace, moe_layer_freq, n_shared_experts).
std::vector<FeedForwardSpec> deepseek_blocks(const ConfigValue& config, std::int32_t layers,
                                             std::int32_t default_dense_layers);

}  // namespace silicast::huggingface
