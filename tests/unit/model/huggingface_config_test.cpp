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
  CHECK(model.kv_heads == 4);
  CHECK(model.head_size == 16);
  CHECK_FALSE(model.tied_embeddings);
  CHECK_FALSE(model.qkv_bias);
  CHECK_FALSE(model.qk_norm);
  CHECK(model.native_format == NumberFormat::kBf16);
  CHECK(model.max_context == 1024);
}

TEST_CASE("Qwen2 always has biases and Qwen3 always norms of Q and K") {
  CHECK(read("Qwen2ForCausalLM", ", \"num_key_value_heads\": 2").qkv_bias);
  const ModelSpec qwen3 = read("Qwen3ForCausalLM", ", \"num_key_value_heads\": 2");
  CHECK(qwen3.qk_norm);
  CHECK(qwen3.head_size == 128);  // its default, not 64 / 4
}

TEST_CASE("null means one KV head per query head") {
  CHECK(read("MistralForCausalLM", ", \"sliding_window\": null, \"num_key_value_heads\": null").kv_heads == 4);
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

TEST_CASE("plain FP8 and INT8 checkpoints set the weight format and nothing else") {
  const std::string group = R"("weights": {"num_bits": 8, "type": )";
  const ModelSpec fp8 = read("LlamaForCausalLM", R"(, "quantization_config": {"quant_method": "fp8"})");
  CHECK(fp8.weight_format == NumberFormat::kFp8);
  CHECK(fp8.native_format == NumberFormat::kBf16);
  CHECK(read("LlamaForCausalLM",
             R"(, "quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"group_0": {)" +
                 group + R"("float"}}}})")
            .weight_format == NumberFormat::kFp8);
  CHECK(read("LlamaForCausalLM",
             R"(, "quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"group_0": {)" +
                 group + R"("int"}}}})")
            .weight_format == NumberFormat::kInt8);
}

TEST_CASE("other weight formats are refused") {
  CHECK(message("LlamaForCausalLM", R"(, "quantization_config": {"quant_method": "awq"})") ==
        "config.json:2:80: quantization_config.quant_method: weights in 'awq' are not modelled yet (known: "
        "fp8, "
        "fbgemm_fp8, compressed-tensors); without quantization_config, the scenario's precision says the "
        "format");
}

TEST_CASE("an unknown architecture lists the known ones") {
  CHECK(message("GptOssForCausalLM", "") ==
        "config.json:2:19: architectures[0]: unknown architecture 'GptOssForCausalLM' (known: "
        "LlamaForCausalLM, "
        "MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, GraniteForCausalLM)");
}

TEST_CASE("mixtures of experts and latent attention are refused by name") {
  CHECK(message("Qwen3MoeForCausalLM", ", \"num_experts\": 128") ==
        "config.json:2:58: num_experts: mixture-of-experts models are not modelled yet");
  CHECK(message("DeepseekV3ForCausalLM", ", \"kv_lora_rank\": 512") ==
        "config.json:2:61: kv_lora_rank: latent attention (MLA) is not modelled yet");
  CHECK(message("KimiK25ForConditionalGeneration", ", \"text_config\": {\"n_routed_experts\": 384}") ==
        "config.json:2:91: text_config.n_routed_experts: mixture-of-experts models are not modelled yet");
}

TEST_CASE("active sliding windows are refused") {
  const std::string what = "sliding-window attention is not modelled yet";
  CHECK(message("MistralForCausalLM", ", \"num_key_value_heads\": 2, \"sliding_window\": 512") ==
        "config.json:2:86: sliding_window: " + what);
  CHECK(message("Qwen2ForCausalLM",
                ", \"num_key_value_heads\": 2, \"use_sliding_window\": true, \"sliding_window\": 512") ==
        "config.json:2:112: sliding_window: " + what);
  CHECK(message("LlamaForCausalLM", R"(, "layer_types": ["full_attention", "sliding_attention"])") ==
        "config.json:2:74: layer_types[1]: " + what);
}

TEST_CASE("a Mistral that leaves out its window has transformers' window of 4,096 tokens") {
  std::string text = config_text("MistralForCausalLM", ", \"num_key_value_heads\": 2");
  text.replace(text.find("1024"), 4, "8192");
  CHECK(message_of([&] { read_huggingface_config(ConfigValue::from_text(text, "config.json"), "m"); }) ==
        "config.json:1:1: no key 'sliding_window', which means 4096 tokens for MistralForCausalLM: "
        "sliding-window "
        "attention is not modelled yet; 'null' means none");
}

TEST_CASE("windows that never bind are none") {
  CHECK(message("MistralForCausalLM", ", \"num_key_value_heads\": 2, \"sliding_window\": 1024") == "");
  CHECK(message("Qwen2ForCausalLM",
                ", \"num_key_value_heads\": 2, \"use_sliding_window\": false, \"sliding_window\": 512") == "");
}

TEST_CASE("biased projections that would be left out of the count are refused") {
  CHECK(message("LlamaForCausalLM", ", \"attention_bias\": true") ==
        "config.json:2:58: attention_bias: biased output and MLP projections are not modelled yet");
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
  CHECK(of(R"({"architectures": []})") == "config.json:1:19: architectures: 0 classes where one is due");
}

TEST_CASE("every published config is either read or refused by name") {
  const auto data = test::data_dir();
  if (!data) {
    WARN("SKIPPED: no data folder; set SILICAST_DATA");
    return;
  }
  int read_count = 0, refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*data + "/specs/models")) {
    INFO(entry.path());
    const std::string why =
        message_of([&] { read_huggingface_config(ConfigValue::from_file(entry.path().string()), "m"); });
    if (why.empty()) {
      ++read_count;
      continue;
    }
    ++refused;
    CHECK((why.find("not modelled yet") != std::string::npos || why.find("unknown architecture") != std::string::npos));
  }
  CHECK(read_count == 14);  // the dense ones; two are quantised twins
  CHECK(refused == 20);
}

}  // namespace
}  // namespace silicast
