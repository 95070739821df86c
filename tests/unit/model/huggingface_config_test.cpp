// Reading config.json as transformers would, and refusing by name what is not modelled.
#include "sim/model/huggingface_config.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using test::message_of;

// A config of `architecture` with `extra` keys (each preceded by a comma), on one line so that columns are
// easy.
std::string config_text(const std::string& architecture, const std::string& extra) {
  return R"({"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 16,)"
         R"( "vocab_size": 100, "max_position_embeddings": 1024,)"
         "\n\"architectures\": [\"" +
         architecture + "\"]" + extra + "}";
}

ModelSpec read(const std::string& architecture, const std::string& extra) {
  return read_huggingface_config(ConfigValue::from_text(config_text(architecture, extra), "config.json"), "m");
}

std::string message(const std::string& architecture, const std::string& extra) {
  return message_of([&] { read(architecture, extra); });
}

TEST_CASE("a Llama without optional keys has transformers' defaults") {
  const ModelSpec model = read("LlamaForCausalLM", "");
  AttentionSpec attention;
  attention.heads = attention.kv_heads = 4;
  attention.head_size = attention.value_size = 16;
  CHECK(model.attentions == std::vector{attention});
  CHECK(model.feed_forwards == std::vector{FeedForwardSpec{.intermediate = 16}});
  CHECK(model.layer_count() == 2);
  CHECK_FALSE(model.tied_embeddings);
  CHECK_FALSE(model.output_bias);
  CHECK(model.native_format == NumberFormat::kBf16);
  CHECK(model.max_context == 1024);
}

TEST_CASE("Qwen2 always has biases and Qwen3 always norms of Q and K") {
  CHECK(read("Qwen2ForCausalLM", ", \"num_key_value_heads\": 2").attentions[0].qkv_bias);
  const ModelSpec qwen3 = read("Qwen3ForCausalLM", ", \"num_key_value_heads\": 2");
  CHECK(qwen3.attentions[0].qk_norm);
  CHECK(qwen3.attentions[0].head_size == 128);  // its default, not 64 / 4
}

TEST_CASE("null means one KV head per query head") {
  CHECK(
      read("MistralForCausalLM", ", \"sliding_window\": null, \"num_key_value_heads\": null").attentions[0].kv_heads ==
      4);
}

TEST_CASE("a class's default KV heads that do not divide the query heads are refused") {
  CHECK(message("Qwen3ForCausalLM", "") == "config.json:1:1: 32 KV heads do not divide the 4 query heads");
}

TEST_CASE("either spelling of the number format is read") {
  CHECK(read("LlamaForCausalLM", ", \"torch_dtype\": \"float16\"").native_format == NumberFormat::kFp16);
  CHECK(read("LlamaForCausalLM", ", \"dtype\": \"float16\"").native_format == NumberFormat::kFp16);
  CHECK(message("LlamaForCausalLM", ", \"dtype\": \"int3\"") ==
        "config.json:2:49: dtype: unknown number format 'int3' (known: bfloat16, float16, float32)");
}

TEST_CASE("tied embeddings are read") {
  CHECK(read("LlamaForCausalLM", ", \"tie_word_embeddings\": true").tied_embeddings);
}

TEST_CASE("a YaRN scaling stretches the context and Llama 3's does not") {
  CHECK(read("LlamaForCausalLM",
             R"(, "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 512})")
            .max_context == 2048);
  CHECK(read("LlamaForCausalLM", R"(, "rope_scaling": {"rope_type": "llama3", "factor": 8.0})").max_context == 1024);
}

TEST_CASE("a scaling that stretches the context beyond reason is refused") {
  CHECK(message("LlamaForCausalLM", R"(, "rope_scaling": {"type": "linear", "factor": 4097})") ==
        "config.json:2:85: rope_scaling.factor: '4097' must be at least 1 and at most 4096");
}

TEST_CASE("an unknown architecture lists the known ones") {
  CHECK(message("PhiForCausalLM", "") ==
        "config.json:2:19: architectures[0]: unknown architecture 'PhiForCausalLM' (known: LlamaForCausalLM, "
        "MistralForCausalLM, MixtralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, Qwen3MoeForCausalLM, "
        "GraniteForCausalLM, Glm4MoeForCausalLM, MiniMaxM2ForCausalLM, GptOssForCausalLM, "
        "Llama4ForConditionalGeneration, Qwen3NextForCausalLM, Qwen3_5ForConditionalGeneration, "
        "Qwen3_5MoeForConditionalGeneration, DeepseekV2ForCausalLM, DeepseekV3ForCausalLM, DeepseekV32ForCausalLM, "
        "DeepseekV4ForCausalLM, GlmMoeDsaForCausalLM, KimiK25ForConditionalGeneration)");
}

TEST_CASE("experts and latent attention in a class that has none are refused by name") {
  CHECK(message("LlamaForCausalLM", ", \"num_experts\": 128") ==
        "config.json:2:55: num_experts: LlamaForCausalLM with experts is not modelled yet");
  CHECK(message("LlamaForCausalLM", ", \"num_experts\": 0") == "");
  CHECK(message("Qwen3ForCausalLM", ", \"kv_lora_rank\": 512") ==
        "config.json:2:56: kv_lora_rank: Qwen3ForCausalLM with latent attention is not modelled yet");
}

TEST_CASE("sliding windows are in the layers that have them") {
  const auto windows = [](const ModelSpec& model) {
    return std::vector{model.attention_of(0).window, model.attention_of(1).window};
  };
  const std::string two = ", \"num_key_value_heads\": 2, ";
  CHECK(windows(read("MistralForCausalLM", two + "\"sliding_window\": 512")) == std::vector{512, 512});
  const std::string on = two + "\"use_sliding_window\": true, \"sliding_window\": 512";
  CHECK(windows(read("Qwen2ForCausalLM", on)) == std::vector{0, 0});  // from layer 28 on
  CHECK(windows(read("Qwen2ForCausalLM", on + ", \"max_window_layers\": 1")) == std::vector{0, 512});
  CHECK(windows(read("Qwen2ForCausalLM", on + R"(, "layer_types": ["sliding_attention", "full_attention"])")) ==
        std::vector{512, 0});
}

TEST_CASE("a Mistral that leaves out its window has transformers' window of 4,096 tokens") {
  std::string text = config_text("MistralForCausalLM", ", \"num_key_value_heads\": 2");
  CHECK(read("MistralForCausalLM", ", \"num_key_value_heads\": 2").attentions[0].window == 0);  // over its context
  text.replace(text.find("1024"), 4, "8192");
  CHECK(read_huggingface_config(ConfigValue::from_text(text, "config.json"), "m").attentions[0].window == 4096);
}

TEST_CASE("windows that never bind are none") {
  const std::string two = ", \"num_key_value_heads\": 2, ";
  CHECK(read("MistralForCausalLM", two + "\"sliding_window\": 1024").attentions[0].window == 0);
  CHECK(read("Qwen2ForCausalLM", two + "\"use_sliding_window\": false, \"sliding_window\": 512").attentions[0].window ==
        0);
}

TEST_CASE("layer types that the class does not have or that are too few are refused") {
  CHECK(message("LlamaForCausalLM", R"(, "layer_types": ["full_attention", "sliding_attention"])") ==
        "config.json:2:74: layer_types[1]: 'sliding_attention' layers are not modelled yet in this architecture");
  const std::string two = ", \"num_key_value_heads\": 2, ";
  CHECK(message("Qwen2ForCausalLM", two + R"("layer_types": ["full_attention", "sliding_attention"])") ==
        "config.json:2:100: layer_types[1]: a sliding window, which 'use_sliding_window' does not switch on");
  CHECK(message("Qwen2ForCausalLM", two + R"("layer_types": ["full_attention"])") ==
        "config.json:2:81: layer_types: 1 types for 2 layers");
}

TEST_CASE("biases of attention are read and those of an MLP refused") {
  const ModelSpec model = read("LlamaForCausalLM", ", \"attention_bias\": true");
  CHECK(model.attentions[0].qkv_bias);
  CHECK(model.output_bias);
  CHECK_FALSE(read("Qwen2ForCausalLM", ", \"num_key_value_heads\": 2, \"attention_bias\": true").output_bias);
  CHECK(message("LlamaForCausalLM", ", \"mlp_bias\": true") ==
        "config.json:2:52: mlp_bias: biased MLP projections are not modelled yet");
}

TEST_CASE("the language model of a nested config is its text_config, and what is beside it counts where it is silent") {
  const ModelSpec model = read_huggingface_config(
      ConfigValue::from_text(R"({"architectures": ["Llama4ForConditionalGeneration"], "torch_dtype": "float16",
        "tie_word_embeddings": true, "vision_config": {"hidden_size": 7},
        "text_config": {"num_hidden_layers": 4, "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2,
          "intermediate_size": 16, "vocab_size": 100, "max_position_embeddings": 10240, "num_local_experts": 8,
          "num_experts_per_tok": 1}})",
                             "config.json"),
      "m");
  CHECK(model.hidden == 64);
  CHECK(model.native_format == NumberFormat::kFp16);
  CHECK(model.tied_embeddings);
  CHECK(message_of([] {
          read_huggingface_config(
              ConfigValue::from_text(
                  R"({"architectures": ["Llama4ForConditionalGeneration"], "text_config": {"num_hidden_layers": 4}})",
                  "config.json"),
              "m");
        }) == "config.json:1:70: text_config: missing key 'hidden_size'");
}

TEST_CASE("a config without its shape or of the wrong type is refused") {
  const auto of = [](const std::string& text) {
    return message_of([&] { read_huggingface_config(ConfigValue::from_text(text, "config.json"), "m"); });
  };
  CHECK(of("{}") == "config.json:1:1: missing key 'architectures'");
  CHECK(of("[1]") == "config.json:1:1: not a Hugging Face config.json: no mapping");
  CHECK(of(R"({"architectures": ["LlamaForCausalLM"]})") == "config.json:1:1: missing key 'num_hidden_layers'");
  CHECK(of(R"({"architectures": ["LlamaForCausalLM"], "num_hidden_layers": "many"})") ==
        "config.json:1:62: num_hidden_layers: 'many' is not a whole number");
  CHECK(of(R"({"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 2})") ==
        "config.json:1:1: missing key 'hidden_size'");
  CHECK(of(R"({"architectures": []})") == "config.json:1:19: architectures: 0 classes where one is due");
}

}  // namespace
}  // namespace silicast
