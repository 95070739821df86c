// Families with a linear attention (gated delta rule) in most layers and an ordinary one in the others. Defaults are
// those of transformers' configuration_qwen3_next.py (4.57), _qwen3_5.py and _qwen3_5_moe.py (5.2).
#include "sim/model/huggingface_families.hpp"
#include "sim/model/huggingface_keys.hpp"
#include "sim/model/huggingface_layers.hpp"

namespace silicast::huggingface {
namespace {

// The gate of the linear layers' output is part of their kind.
AttentionSpec linear_attention(const ConfigValue& config) {
  AttentionSpec attention;
  attention.kind = AttentionKind::kLinear;
  attention.heads = shape(config, "linear_num_value_heads");
  attention.kv_heads = shape(config, "linear_num_key_heads");
  if (attention.heads % attention.kv_heads != 0)
    config.fail("'linear_num_key_heads' does not divide 'linear_num_value_heads'");
  attention.head_size = shape(config, "linear_key_head_dim");
  attention.value_size = shape(config, "linear_value_head_dim");
  attention.convolution = shape(config, "linear_conv_kernel_dim", 4);
  return attention;
}

void add_hybrid_layers(const ConfigValue& config, std::int32_t default_kv_heads,
                       const std::vector<FeedForwardSpec>& blocks, ModelSpec& spec) {
  AttentionSpec full = grouped_attention(config, spec, default_kv_heads, 256);
  full.qk_norm = true;
  full.output_gate = flag(config, "attn_output_gate", true);
  if (const auto bias = find(config, "attention_bias"); bias && bias->boolean())
    bias->fail("biased projections beside linear attention are not modelled yet");
  const AttentionSpec linear = linear_attention(config);
  const auto layers = static_cast<std::int32_t>(blocks.size());
  const std::vector<ConfigValue> types = layer_types(config, layers);
  const std::int32_t interval = shape(config, "full_attention_interval", 4);
  for (std::int32_t i = 0; i < layers; ++i) {
    const auto layer = static_cast<std::size_t>(i);
    const bool is_linear = types.empty() ? (i + 1) % interval != 0 : is_special(types[layer], "linear_attention");
    add_layer(spec, is_linear ? linear : full, blocks[layer]);
  }
  spec.mtp_layers = count(config, "mtp_num_hidden_layers", 0);
}

void read_dense(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  add_hybrid_layers(config, 4, std::vector<FeedForwardSpec>(static_cast<std::size_t>(layers), dense(config, spec)),
                    spec);
}

void read_moe(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  FeedForwardSpec experts = mixture(config, "num_experts", "moe_intermediate_size");
  experts.shared = shape(config, "shared_expert_intermediate_size", 512);
  add_hybrid_layers(config, 2, qwen_blocks(config, layers, experts), spec);
}

constexpr Family kFamilies[] = {
    {"Qwen3NextForCausalLM", read_moe},
    {"Qwen3_5ForConditionalGeneration", read_dense},
    {"Qwen3_5MoeForConditionalGeneration", read_moe},
};

}  // namespace

std::span<const Family> hybrid_families() {
  return kFamilies;
}

}  // namespace silicast::huggingface
