// The layers that each family's config.json gives.
#include <catch2/catch.hpp>

#include "sim/model/huggingface_config.hpp"
#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using test::message_of;

// A config of 4 layers, 4 heads and a context of 10,240 tokens with the family's own `keys`.
ModelSpec read(const std::string& architecture, const std::string& keys) {
  return read_huggingface_config(
      ConfigValue::from_text(R"({"architectures": [")" + architecture +
                                 R"("], "num_hidden_layers": 4, "hidden_size": 64, "num_attention_heads": 4,)"
                                 R"( "vocab_size": 100, "max_position_embeddings": 10240,)"
                                 "\n" +
                                 keys + "}",
                             "config.json"),
      "m");
}

std::string message(const std::string& architecture, const std::string& keys) {
  return message_of([&] { read(architecture, keys); });
}

AttentionSpec grouped(std::int32_t kv_heads, std::int32_t head_size) {
  AttentionSpec attention;
  attention.heads = 4;
  attention.kv_heads = kv_heads;
  attention.head_size = attention.value_size = head_size;
  return attention;
}

FeedForwardSpec experts(std::int32_t intermediate, std::int32_t count, std::int32_t active, std::int32_t shared = 0) {
  FeedForwardSpec block;
  block.intermediate = intermediate;
  block.experts = count;
  block.active = active;
  block.shared = shared;
  return block;
}

FeedForwardSpec dense(std::int32_t intermediate) {
  FeedForwardSpec block;
  block.intermediate = intermediate;
  return block;
}

std::vector<AttentionSpec> attentions(const ModelSpec& model) {
  std::vector<AttentionSpec> all;
  for (std::int32_t i = 0; i < model.layer_count(); ++i) all.push_back(model.attention_of(i));
  return all;
}

std::vector<FeedForwardSpec> blocks(const ModelSpec& model) {
  std::vector<FeedForwardSpec> all;
  for (std::int32_t i = 0; i < model.layer_count(); ++i) all.push_back(model.feed_forward_of(i));
  return all;
}

const std::string kTwo = R"("num_key_value_heads": 2, )";

TEST_CASE("Mixtral: experts in all layers, no window unless it says one") {
  const std::string keys = kTwo + R"("intermediate_size": 16, "num_local_experts": 8, "num_experts_per_tok": 2)";
  const ModelSpec model = read("MixtralForCausalLM", keys);
  CHECK(model.attentions == std::vector{grouped(2, 16)});
  CHECK(model.feed_forwards == std::vector{experts(16, 8, 2)});
  CHECK(model.mixture());
  CHECK(read("MixtralForCausalLM", keys + R"(, "sliding_window": 4096)").attentions[0].window == 4096);
  CHECK(message("MixtralForCausalLM", kTwo + R"("intermediate_size": 16, "num_experts_per_tok": 2)") ==
        "config.json:1:1: missing key 'num_local_experts'");
  CHECK(message("MixtralForCausalLM",
                kTwo + R"("intermediate_size": 16, "num_local_experts": 8, "num_experts_per_tok": 9)") ==
        "config.json:1:1: a token goes to 9 of 8 experts");
}

TEST_CASE("Qwen3-MoE: dense layers where the step or the list says so") {
  const std::string keys = kTwo + R"("head_dim": 32, "moe_intermediate_size": 8, "num_experts": 6,)"
                                  R"( "num_experts_per_tok": 2, "intermediate_size": 48)";
  const ModelSpec all = read("Qwen3MoeForCausalLM", keys);
  AttentionSpec attention = grouped(2, 32);
  attention.qk_norm = true;
  CHECK(all.attentions == std::vector{attention});
  CHECK(all.feed_forwards == std::vector{experts(8, 6, 2)});
  const FeedForwardSpec sparse = experts(8, 6, 2), mlp = dense(48);
  CHECK(blocks(read("Qwen3MoeForCausalLM", keys + R"(, "decoder_sparse_step": 2)")) ==
        std::vector{mlp, sparse, mlp, sparse});
  CHECK(blocks(read("Qwen3MoeForCausalLM", keys + R"(, "mlp_only_layers": [0, 3])")) ==
        std::vector{mlp, sparse, sparse, mlp});
  CHECK(message("Qwen3MoeForCausalLM", keys + R"(, "mlp_only_layers": [4])") ==
        "config.json:2:160: mlp_only_layers[0]: '4' must be a whole number from 0 to 3");
}

TEST_CASE("Qwen3.5 and Qwen3-Next: a linear attention in three layers of four, a gated one in the fourth") {
  const std::string keys = kTwo + R"("head_dim": 32, "linear_num_value_heads": 8, "linear_num_key_heads": 2,)"
                                  R"( "linear_key_head_dim": 16, "linear_value_head_dim": 12, )";
  AttentionSpec linear;
  linear.kind = AttentionKind::kLinear;
  linear.heads = 8;
  linear.kv_heads = 2;
  linear.head_size = 16;
  linear.value_size = 12;
  linear.convolution = 4;
  AttentionSpec full = grouped(2, 32);
  full.qk_norm = full.output_gate = true;
  const std::string mlp = R"("intermediate_size": 48)";
  const ModelSpec model =
      read("Qwen3_5ForConditionalGeneration", keys + R"("mtp_num_hidden_layers": 1, "mlp_only_layers": [], )" + mlp);
  CHECK(attentions(model) == std::vector{linear, linear, linear, full});
  CHECK(model.feed_forwards == std::vector{dense(48)});
  CHECK(model.mtp_layers == 1);
  const std::string types =
      R"("layer_types": ["full_attention", "linear_attention", "linear_attention", "linear_attention"], )";
  CHECK(attentions(read("Qwen3_5ForConditionalGeneration", keys + types + mlp)) ==
        std::vector{full, linear, linear, linear});
  const std::string sparse = R"("num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 8,)"
                             R"( "shared_expert_intermediate_size": 24)";
  for (const char* name : {"Qwen3NextForCausalLM", "Qwen3_5MoeForConditionalGeneration"})
    CHECK(read(name, keys + sparse).feed_forwards == std::vector{experts(8, 6, 2, 24)});
  CHECK(message("Qwen3_5ForConditionalGeneration", keys + R"("attention_bias": true, )" + mlp) ==
        "config.json:2:173: attention_bias: biased projections beside linear attention are not modelled yet");
  CHECK(message("Qwen3NextForCausalLM", kTwo + sparse) == "config.json:1:1: missing key 'linear_num_value_heads'");
}

TEST_CASE("DeepSeek-V3: latent attention, dense layers first, shared experts") {
  const std::string keys =
      R"("q_lora_rank": 24, "kv_lora_rank": 20, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 12,)"
      R"( "intermediate_size": 48, "moe_intermediate_size": 8, "n_routed_experts": 6, "num_experts_per_tok": 2)";
  const std::string two =
      keys + R"(, "first_k_dense_replace": 1, "n_shared_experts": 2, "num_nextn_predict_layers": 1)";
  AttentionSpec latent;
  latent.kind = AttentionKind::kLatent;
  latent.heads = 4;
  latent.kv_heads = 1;
  latent.head_size = 24;
  latent.value_size = 12;
  latent.query_rank = 24;
  latent.kv_rank = 20;
  latent.rope_size = 8;
  const ModelSpec model = read("DeepseekV3ForCausalLM", two);
  CHECK(model.attentions == std::vector{latent});
  const FeedForwardSpec sparse = experts(8, 6, 2, 16), mlp = dense(48);
  CHECK(blocks(model) == std::vector{mlp, sparse, sparse, sparse});
  CHECK(model.mtp_layers == 1);
  CHECK(blocks(read("DeepseekV3ForCausalLM", keys)) == std::vector{mlp, mlp, mlp, experts(8, 6, 2, 8)});
  CHECK(blocks(read("DeepseekV3ForCausalLM", two + R"(, "moe_layer_freq": 2)")) == std::vector{mlp, mlp, sparse, mlp});

  std::string direct = two;
  direct.replace(direct.find("24"), 2, "null");
  CHECK(read("DeepseekV2ForCausalLM", direct).attentions[0].query_rank == 0);
  CHECK(message("DeepseekV3ForCausalLM", two.substr(two.find(' ') + 4)) ==
        "config.json:1:1: missing key 'q_lora_rank'");
  CHECK(message("DeepseekV3ForCausalLM", R"("attention_bias": true, )" + two) ==
        "config.json:2:19: attention_bias: biased projections of latent attention are not modelled yet");

  const std::string indexer = R"(, "index_topk": 7, "index_n_heads": 3, "index_head_dim": 5)";
  latent.top_tokens = 7;
  latent.index_heads = 3;
  latent.index_size = 5;
  for (const char* name : {"DeepseekV32ForCausalLM", "GlmMoeDsaForCausalLM"})
    CHECK(read(name, two + indexer).attentions == std::vector{latent});
  CHECK(message("DeepseekV32ForCausalLM", two) == "config.json:1:1: missing key 'index_topk'");
  CHECK(message("DeepseekV3ForCausalLM", R"("index_topk": 7, )" + two) ==
        "config.json:2:15: index_topk: DeepseekV3ForCausalLM with an indexer is not modelled yet");
}

TEST_CASE("DeepSeek-V4: a window, and before it entries compressed as each layer's ratio says") {
  const std::string keys =
      R"("head_dim": 32, "qk_rope_head_dim": 8, "q_lora_rank": 24, "o_groups": 2, "o_lora_rank": 10,)"
      R"( "sliding_window": 7, "index_topk": 9, "index_n_heads": 3, "index_head_dim": 5, "num_key_value_heads": 1,)"
      R"( "moe_intermediate_size": 8, "n_routed_experts": 6, "n_shared_experts": 1, "num_experts_per_tok": 2,)"
      R"( "hc_mult": 4, "expert_dtype": "fp4", "num_nextn_predict_layers": 1,)"
      "\n";
  AttentionSpec window;
  window.kind = AttentionKind::kCompressed;
  window.heads = 4;
  window.kv_heads = 1;
  window.head_size = window.value_size = 32;
  window.rope_size = 8;
  window.query_rank = 24;
  window.output_groups = 2;
  window.output_rank = 10;
  window.window = 7;
  AttentionSpec fine = window, coarse = window;
  fine.compression = 4;
  fine.top_tokens = 9;
  fine.index_heads = 3;
  fine.index_size = 5;
  coarse.compression = 128;
  const ModelSpec model = read("DeepseekV4ForCausalLM", keys + R"("compress_ratios": [0, 4, 128, 4, 0])");
  CHECK(attentions(model) == std::vector{window, fine, coarse, fine});
  CHECK(model.feed_forwards == std::vector{experts(8, 6, 2, 8)});
  CHECK(model.residual_streams == 4);
  CHECK(model.mtp_layers == 1);
  CHECK(model.weight_format == NumberFormat::kBf16);
  CHECK(model.expert_format == NumberFormat::kMxFp4);
  CHECK(message("DeepseekV4ForCausalLM", keys + R"("compress_ratios": [0, 4, 128, 4])") ==
        "config.json:3:20: compress_ratios: 4 ratios for 4 layers and 1 MTP layers");
  CHECK(message("DeepseekV4ForCausalLM", keys + R"("compress_ratios": [0, 8, 128, 4, 0])") ==
        "config.json:3:24: compress_ratios[1]: compression of 8 tokens is not modelled yet (known: 0, 4, 128)");
  CHECK(message("DeepseekV4ForCausalLM", keys.substr(0, keys.size() - 2)) ==
        "config.json:1:1: missing key 'compress_ratios'");
}

TEST_CASE("GLM-4.5: biases of Q, K and V but not of the output") {
  const std::string keys = kTwo + R"("head_dim": 32, "intermediate_size": 48, "moe_intermediate_size": 8,)"
                                  R"( "n_routed_experts": 6, "num_experts_per_tok": 2, "n_shared_experts": 1,)"
                                  R"( "attention_bias": true, "use_qk_norm": true, "num_nextn_predict_layers": 1)";
  const ModelSpec model = read("Glm4MoeForCausalLM", keys);
  AttentionSpec attention = grouped(2, 32);
  attention.qkv_bias = attention.qk_norm = true;
  CHECK(model.attentions == std::vector{attention});
  CHECK_FALSE(model.output_bias);
  const FeedForwardSpec sparse = experts(8, 6, 2, 8);
  CHECK(blocks(model) == std::vector{dense(48), sparse, sparse, sparse});
  CHECK(model.mtp_layers == 1);
}

TEST_CASE("MiniMax-M2: experts as wide as the MLP is said to be, MTP modules that are not in the checkpoint") {
  const ModelSpec model = read("MiniMaxM2ForCausalLM",
                               kTwo + R"("intermediate_size": 16, "num_local_experts": 8, "num_experts_per_tok": 2,)"
                                      R"( "use_qk_norm": true, "shared_intermediate_size": 0, "num_mtp_modules": 3)");
  AttentionSpec attention = grouped(2, 128);
  attention.qk_norm = attention.qk_norm_across_heads = true;
  CHECK(model.attentions == std::vector{attention});
  CHECK(model.feed_forwards == std::vector{experts(16, 8, 2)});
  CHECK(model.mtp_layers == 0);
}

TEST_CASE("gpt-oss: a window in every other layer from the first on, biases everywhere") {
  const std::string keys = kTwo + R"("intermediate_size": 16, "num_local_experts": 8, "num_experts_per_tok": 2)";
  const ModelSpec model = read("GptOssForCausalLM", keys);
  AttentionSpec full = grouped(2, 64);
  full.qkv_bias = true;
  AttentionSpec local = full;
  local.window = 128;
  CHECK(attentions(model) == std::vector{local, full, local, full});
  FeedForwardSpec block = experts(16, 8, 2);
  block.bias = true;
  CHECK(model.feed_forwards == std::vector{block});
  CHECK(model.output_bias);
  local.window = 64;
  const std::string types = R"("full_attention", "full_attention", "full_attention", "sliding_attention")";
  CHECK(attentions(read("GptOssForCausalLM", keys + R"(, "sliding_window": 64, "layer_types": [)" + types + "]")) ==
        std::vector{full, full, full, local});
}

TEST_CASE("Llama 4: chunks and norms in the layers with a rotary part, one shared expert") {
  const std::string keys = kTwo + R"("intermediate_size": 16, "intermediate_size_mlp": 32, "num_local_experts": 8,)"
                                  R"( "num_experts_per_tok": 1)";
  const ModelSpec model = read("Llama4ForConditionalGeneration", keys);
  const AttentionSpec full = grouped(2, 128);
  AttentionSpec local = full;
  local.window = 8192;
  local.window_in_chunks = true;
  local.qk_norm = true;
  CHECK(attentions(model) == std::vector{local, local, local, full});
  CHECK(model.feed_forwards == std::vector{experts(16, 8, 1, 16)});
  const FeedForwardSpec sparse = experts(16, 8, 1, 16), mlp = dense(32);
  CHECK(blocks(read("Llama4ForConditionalGeneration", keys + R"(, "interleave_moe_layer_step": 2)")) ==
        std::vector{mlp, sparse, mlp, sparse});
  CHECK(attentions(read("Llama4ForConditionalGeneration", keys + R"(, "no_rope_layers": [0, 1, 1, 1])")) ==
        std::vector{full, local, local, local});
  CHECK(attentions(read("Llama4ForConditionalGeneration", keys + R"(, "no_rope_layers": [])")) == attentions(model));
  CHECK(message("Llama4ForConditionalGeneration", keys + R"(, "no_rope_layers": [0])") ==
        "config.json:2:149: no_rope_layers: 1 entries for 4 layers");
  const std::string types = R"("full_attention", "chunked_attention", "full_attention", "full_attention")";
  CHECK(attentions(read("Llama4ForConditionalGeneration", keys + R"(, "layer_types": [)" + types + "]")) ==
        std::vector{full, local, full, full});
}

}  // namespace
}  // namespace silicast
