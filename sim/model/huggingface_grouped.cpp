// Families with ordinary attention in all layers. Defaults are those of transformers' configuration classes
// (configuration_llama.py, _mistral.py, _mixtral.py, _qwen2.py, _qwen3.py, _qwen3_moe.py, _granite.py, _glm4_moe.py,
// _gpt_oss.py, _llama4.py; version 4.57) and of MiniMax's own configuration_minimax_m2.py.
#include <fmt/format.h>

#include "sim/model/huggingface_families.hpp"
#include "sim/model/huggingface_keys.hpp"
#include "sim/model/huggingface_layers.hpp"

namespace silicast::huggingface {
namespace {

// Windows at least as long as the context change nothing.
AttentionSpec with_window(AttentionSpec attention, std::int32_t window, const ModelSpec& spec) {
  attention.window = window < spec.max_context ? window : 0;
  return attention;
}

// In these classes one key puts biases on Q, K, V and on the output projection.
void read_attention_bias(const ConfigValue& config, AttentionSpec& attention, ModelSpec& spec, bool otherwise = false) {
  attention.qkv_bias = spec.output_bias = flag(config, "attention_bias", otherwise);
}

void read_llama(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  AttentionSpec attention = grouped_attention(config, spec, 0, 0);
  read_attention_bias(config, attention, spec);
  if (const auto bias = find(config, "mlp_bias"); bias && bias->boolean())
    bias->fail("biased MLP projections are not modelled yet");
  for (const ConfigValue& type : layer_types(config, layers)) is_special(type, "full_attention");
  const FeedForwardSpec block = dense(config, spec);
  for (std::int32_t i = 0; i < layers; ++i) add_layer(spec, attention, block);
}

// The window's mere presence switches it on, in all layers.
void read_mistral(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  constexpr std::int32_t kDefaultWindow = 4096;
  const bool absent = config.node().find("sliding_window") == nullptr;
  const std::int32_t window = shape(config, "sliding_window", absent ? kDefaultWindow : 0);
  const AttentionSpec attention = with_window(grouped_attention(config, spec, 8, 0), window, spec);
  const FeedForwardSpec block = dense(config, spec);
  for (std::int32_t i = 0; i < layers; ++i) add_layer(spec, attention, block);
}

void read_mixtral(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  const std::int32_t window = shape(config, "sliding_window", 0);
  const AttentionSpec attention = with_window(grouped_attention(config, spec, 8, 0), window, spec);
  const FeedForwardSpec block = mixture(config, "num_local_experts", "intermediate_size");
  for (std::int32_t i = 0; i < layers; ++i) add_layer(spec, attention, block);
}

// use_sliding_window switches the window on, in the listed layers or in those from max_window_layers on.
void add_qwen_layers(const ConfigValue& config, const AttentionSpec& attention,
                     const std::vector<FeedForwardSpec>& blocks, ModelSpec& spec) {
  const auto layers = static_cast<std::int32_t>(blocks.size());
  const bool windows = flag(config, "use_sliding_window", false);
  const AttentionSpec local = with_window(attention, windows ? shape(config, "sliding_window", 4096) : 0, spec);
  const std::int32_t first = count(config, "max_window_layers", 28);
  const std::vector<ConfigValue> types = layer_types(config, layers);
  for (std::int32_t i = 0; i < layers; ++i) {
    bool is_local = i >= first;
    if (!types.empty()) {
      const ConfigValue& type = types[static_cast<std::size_t>(i)];
      is_local = is_special(type, "sliding_attention");
      if (is_local && !windows) type.fail("a sliding window, which 'use_sliding_window' does not switch on");
    }
    add_layer(spec, is_local ? local : attention, blocks[static_cast<std::size_t>(i)]);
  }
}

void read_qwen2(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  AttentionSpec attention = grouped_attention(config, spec, 32, 0);
  attention.qkv_bias = true;  // whatever the config says
  add_qwen_layers(config, attention,
                  std::vector<FeedForwardSpec>(static_cast<std::size_t>(layers), dense(config, spec)), spec);
}

void read_qwen3(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  AttentionSpec attention = grouped_attention(config, spec, 32, 128);
  attention.qk_norm = true;
  read_attention_bias(config, attention, spec);
  add_qwen_layers(config, attention,
                  std::vector<FeedForwardSpec>(static_cast<std::size_t>(layers), dense(config, spec)), spec);
}

void read_qwen3_moe(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  AttentionSpec attention = grouped_attention(config, spec, 4, 0);
  attention.qk_norm = true;
  read_attention_bias(config, attention, spec);
  const FeedForwardSpec experts = mixture(config, "num_experts", "moe_intermediate_size");
  add_qwen_layers(config, attention, qwen_blocks(config, layers, experts), spec);
}

// GLM-4.5 to 4.7. Its attention_bias leaves the output projection alone.
void read_glm4_moe(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  AttentionSpec attention = grouped_attention(config, spec, 8, 0);
  attention.qkv_bias = flag(config, "attention_bias", false);
  attention.qk_norm = flag(config, "use_qk_norm", false);
  spec.mtp_layers = count(config, "num_nextn_predict_layers", 0);
  for (const FeedForwardSpec& block : deepseek_blocks(config, layers, 1)) add_layer(spec, attention, block);
}

// The MTP modules that it counts (num_mtp_modules) are not in the published checkpoint: its 229 B parameters are all
// used up without them.
void read_minimax_m2(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  AttentionSpec attention = grouped_attention(config, spec, 8, 128);
  attention.qk_norm = flag(config, "use_qk_norm", true);
  attention.qk_norm_across_heads = true;  // "per_layer": one norm over all heads
  FeedForwardSpec block = mixture(config, "num_local_experts", "intermediate_size");
  block.shared = count(config, "shared_intermediate_size", 0);
  for (std::int32_t i = 0; i < layers; ++i) add_layer(spec, attention, block);
}

void read_gpt_oss(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  AttentionSpec attention = grouped_attention(config, spec, 8, 64);
  read_attention_bias(config, attention, spec, true);
  const AttentionSpec local = with_window(attention, shape(config, "sliding_window", 128), spec);
  FeedForwardSpec block = mixture(config, "num_local_experts", "intermediate_size");
  block.bias = true;
  const std::vector<ConfigValue> types = layer_types(config, layers);
  for (std::int32_t i = 0; i < layers; ++i) {
    const bool is_local =
        types.empty() ? i % 2 == 0 : is_special(types[static_cast<std::size_t>(i)], "sliding_attention");
    add_layer(spec, is_local ? local : attention, block);
  }
}

// Of a Llama 4, whether each layer has a rotary part (and attends within chunks).
std::vector<bool> rotary_layers(const ConfigValue& config, std::int32_t layers) {
  std::vector<bool> rotary;
  const std::vector<ConfigValue> types = layer_types(config, layers);
  for (const ConfigValue& type : types) rotary.push_back(is_special(type, "chunked_attention"));
  if (!types.empty()) return rotary;
  const std::int32_t interval = shape(config, "no_rope_layer_interval", 4);
  for (std::int32_t i = 0; i < layers; ++i) rotary.push_back((i + 1) % interval != 0);
  const auto listed = find(config, "no_rope_layers");  // 1 for a layer with a rotary part, whatever the name says
  if (!listed || listed->list().empty()) return rotary;
  if (listed->list().size() != rotary.size())
    listed->fail(fmt::format("{} entries for {} layers", listed->list().size(), layers));
  for (std::size_t i = 0; i < rotary.size(); ++i) rotary[i] = listed->list()[i].integer(0, 1) == 1;
  return rotary;
}

// Layers with a rotary part also norm Q and K, without weights. Its experts and the one that all tokens see are
// intermediate_size wide, dense layers between them intermediate_size_mlp.
void read_llama4(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  AttentionSpec full = grouped_attention(config, spec, 8, 128);
  read_attention_bias(config, full, spec);
  AttentionSpec local = with_window(full, shape(config, "attention_chunk_size", 8192), spec);
  local.window_in_chunks = local.window > 0;
  local.qk_norm = flag(config, "use_qk_norm", true);

  FeedForwardSpec experts = mixture(config, "num_local_experts", "intermediate_size");
  experts.shared = experts.intermediate;
  const std::int32_t step = shape(config, "interleave_moe_layer_step", 1);
  FeedForwardSpec between;
  if (step > 1) between.intermediate = shape(config, "intermediate_size_mlp");
  const std::vector<bool> rotary = rotary_layers(config, layers);
  for (std::int32_t i = 0; i < layers; ++i)
    add_layer(spec, rotary[static_cast<std::size_t>(i)] ? local : full, (i + 1) % step == 0 ? experts : between);
}

constexpr Family kFamilies[] = {
    {"LlamaForCausalLM", read_llama},
    {"MistralForCausalLM", read_mistral},
    {"MixtralForCausalLM", read_mixtral},
    {"Qwen2ForCausalLM", read_qwen2},
    {"Qwen3ForCausalLM", read_qwen3},
    {"Qwen3MoeForCausalLM", read_qwen3_moe},
    {"GraniteForCausalLM", read_llama},
    {"Glm4MoeForCausalLM", read_glm4_moe},
    {"MiniMaxM2ForCausalLM", read_minimax_m2},
    {"GptOssForCausalLM", read_gpt_oss},
    {"Llama4ForConditionalGeneration", read_llama4},
};

}  // namespace

std::span<const Family> grouped_families() {
  return kFamilies;
}

}  // namespace silicast::huggingface
