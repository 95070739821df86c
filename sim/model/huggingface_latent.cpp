// DeepSeek-V2 to V4 and the models built like them. Defaults are those of transformers' configuration_deepseek_v3.py
// (4.57) and of DeepSeek's own configuration files.
#include <fmt/format.h>

#include "sim/model/huggingface_families.hpp"
#include "sim/model/huggingface_keys.hpp"
#include "sim/model/huggingface_layers.hpp"

namespace silicast::huggingface {
namespace {

void refuse_bias(const ConfigValue& config) {
  if (const auto bias = find(config, "attention_bias"); bias && bias->boolean())
    bias->fail("biased projections of latent attention are not modelled yet");
}

void read_indexer(const ConfigValue& config, AttentionSpec& attention) {
  attention.top_tokens = shape(config, "index_topk");
  attention.index_heads = shape(config, "index_n_heads");
  attention.index_size = shape(config, "index_head_dim");
}

AttentionSpec latent_attention(const ConfigValue& config) {
  refuse_bias(config);
  AttentionSpec attention;
  attention.kind = AttentionKind::kLatent;
  attention.heads = shape(config, "num_attention_heads");
  attention.kv_heads = 1;
  attention.rope_size = shape(config, "qk_rope_head_dim");
  attention.head_size = shape(config, "qk_nope_head_dim") + attention.rope_size;
  attention.value_size = shape(config, "v_head_dim");
  attention.query_rank = shape_or_null(config, "q_lora_rank");
  attention.kv_rank = shape(config, "kv_lora_rank");
  return attention;
}

void add_latent_layers(const ConfigValue& config, std::int32_t layers, const AttentionSpec& attention,
                       ModelSpec& spec) {
  for (const FeedForwardSpec& block : deepseek_blocks(config, layers, 3)) add_layer(spec, attention, block);
  spec.mtp_layers = count(config, "num_nextn_predict_layers", 0);
}

void read_latent(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  refuse(config, {"index_topk"}, spec.architecture, "an indexer");
  add_latent_layers(config, layers, latent_attention(config), spec);
}

void read_indexed(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  AttentionSpec attention = latent_attention(config);
  read_indexer(config, attention);
  add_latent_layers(config, layers, attention, spec);
}

// compress_ratios has an entry per layer and one more per MTP layer: 0 for the window alone, 4 for compressed entries
// of which an indexer chooses, 128 for so few of them that all are attended to.
void read_compressed(const ConfigValue& config, std::int32_t layers, ModelSpec& spec) {
  refuse_bias(config);
  AttentionSpec attention;
  attention.kind = AttentionKind::kCompressed;
  attention.heads = shape(config, "num_attention_heads");
  attention.kv_heads = shape(config, "num_key_value_heads", 1);
  if (attention.kv_heads != 1) config.fail(fmt::format("{} KV heads where one is due", attention.kv_heads));
  attention.head_size = attention.value_size = shape(config, "head_dim");
  attention.rope_size = shape(config, "qk_rope_head_dim");
  if (attention.rope_size >= attention.head_size)
    config.fail(
        fmt::format("a rotary part of {} is no part of a head of {}", attention.rope_size, attention.head_size));
  attention.window = shape(config, "sliding_window");
  attention.query_rank = shape(config, "q_lora_rank");
  attention.output_groups = shape(config, "o_groups");
  if (attention.heads % attention.output_groups != 0)
    config.fail(fmt::format("{} groups do not divide the {} heads", attention.output_groups, attention.heads));
  attention.output_rank = shape(config, "o_lora_rank");

  spec.mtp_layers = count(config, "num_nextn_predict_layers", 0);
  spec.residual_streams = shape(config, "hc_mult", 1);
  const auto ratios = find(config, "compress_ratios");
  if (!ratios) config.fail("missing key 'compress_ratios'");
  const std::vector<ConfigValue> list = ratios->list();
  if (static_cast<std::int64_t>(list.size()) != std::int64_t{layers} + spec.mtp_layers)
    ratios->fail(fmt::format("{} ratios for {} layers and {} MTP layers", list.size(), layers, spec.mtp_layers));
  const std::vector<FeedForwardSpec> blocks = deepseek_blocks(config, layers, 0);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    AttentionSpec own = attention;
    own.compression = static_cast<std::int32_t>(list[i].integer(0, kLargestShape));
    if (own.compression == 4)
      read_indexer(config, own);
    else if (own.compression != 0 && own.compression != 128)
      list[i].fail(fmt::format("compression of {} tokens is not modelled yet (known: 0, 4, 128)", own.compression));
    add_layer(spec, own, blocks[i]);
  }
}

constexpr Family kFamilies[] = {
    {"DeepseekV2ForCausalLM", read_latent},   {"DeepseekV3ForCausalLM", read_latent},
    {"DeepseekV32ForCausalLM", read_indexed}, {"DeepseekV4ForCausalLM", read_compressed},
    {"GlmMoeDsaForCausalLM", read_indexed},   {"KimiK25ForConditionalGeneration", read_latent},
};

}  // namespace

std::span<const Family> latent_families() {
  return kFamilies;
}

}  // namespace silicast::huggingface
