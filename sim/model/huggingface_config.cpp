// The defaults below are those of transformers' configuration classes (configuration_llama.py, _mistral.py,
// _qwen2.py, _qwen3.py, _granite.py; version 4.57): a publisher leaves out what equals them.
#include "sim/model/huggingface_config.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <span>

namespace silicast {
namespace {

constexpr std::int32_t kLargestShape = 1 << 28;

struct Architecture {
  std::string_view name;
  std::int32_t kv_heads;   // default; 0: as many as query heads
  std::int32_t head_size;  // default; 0: hidden / heads
  bool always_qkv_bias;
  bool qk_norm;
  bool window_switch;           // use_sliding_window switches the window on; otherwise its mere presence does
  std::int32_t default_window;  // 0: none
};
constexpr Architecture kArchitectures[] = {
    {"LlamaForCausalLM", 0, 0, false, false, false, 0},   {"MistralForCausalLM", 8, 0, false, false, false, 4096},
    {"Qwen2ForCausalLM", 32, 0, true, false, true, 0},    {"Qwen3ForCausalLM", 32, 128, false, true, true, 0},
    {"GraniteForCausalLM", 0, 0, false, false, false, 0},
};

// A present key that is not null; publishers write null for "none".
std::optional<ConfigValue> find(const ConfigValue& config, std::string_view key) {
  const ConfigEntry* entry = config.node().find(key);
  if (entry == nullptr || entry->value.kind == ConfigNode::Kind::kNull) return std::nullopt;
  const std::string path = config.path().empty() ? entry->key : fmt::format("{}.{}", config.path(), entry->key);
  return ConfigValue(config, &entry->value, path);
}

bool flag(const ConfigValue& config, std::string_view key, bool otherwise) {
  const auto value = find(config, key);
  return value ? value->boolean() : otherwise;
}

std::int32_t shape(const ConfigValue& config, std::string_view key,
                   std::optional<std::int32_t> otherwise = std::nullopt) {
  const auto value = find(config, key);
  if (value) return static_cast<std::int32_t>(value->integer(1, kLargestShape));
  if (!otherwise) config.fail(fmt::format("missing key '{}'", key));
  return *otherwise;
}

void refuse_experts_and_latents(const ConfigValue& config) {
  for (const std::string_view key : {"num_experts", "num_local_experts", "n_routed_experts", "moe_intermediate_size"}) {
    const auto value = find(config, key);
    if (value && !(value->is_scalar() && value->node().scalar == "0"))
      value->fail("mixture-of-experts models are not modelled yet");
  }
  for (const std::string_view key : {"kv_lora_rank", "q_lora_rank", "o_lora_rank"})
    if (const auto value = find(config, key)) value->fail("latent attention (MLA) is not modelled yet");
}

const Architecture& architecture_of(const ConfigValue& config) {
  ConfigMap map = config.map();
  const ConfigValue classes = map.required("architectures");
  const std::vector<ConfigValue> names = classes.list();
  if (names.size() != 1) classes.fail(fmt::format("{} classes where one is due", names.size()));
  return kArchitectures[names[0].choice(known_architectures(), "architecture")];
}

NumberFormat native_format(const ConfigValue& config) {
  auto value = find(config, "dtype");
  if (!value) value = find(config, "torch_dtype");
  if (!value) return NumberFormat::kBf16;
  // Engines serve FP32 checkpoints in 16 bits unless told otherwise (vLLM's dtype "auto").
  constexpr NumberFormat formats[] = {NumberFormat::kBf16, NumberFormat::kFp16, NumberFormat::kBf16};
  return formats[value->choice({"bfloat16", "float16", "float32"}, "number format")];
}

// compressed-tensors: the groups' weights as {num_bits, type}; one group, or all alike.
NumberFormat compressed_format(const ConfigValue& quantisation) {
  ConfigMap map = quantisation.map();
  const ConfigValue groups = map.required("config_groups");
  std::optional<NumberFormat> format;
  for (const std::string& key : groups.map().keys()) {
    ConfigMap group_map = ConfigMap(groups);
    const ConfigValue weights = group_map.required(key).map().required("weights");
    ConfigMap keys = weights.map();
    const ConfigValue bits = keys.required("num_bits");
    if (bits.integer(1, 64) != 8) bits.fail("of compressed-tensors weights, only 8 bits are modelled");
    const bool is_float = keys.required("type").choice({"float", "int"}, "type") == 0;
    const NumberFormat found = is_float ? NumberFormat::kFp8 : NumberFormat::kInt8;
    if (format && *format != found) groups.fail("groups of unlike formats are not modelled yet");
    format = found;
  }
  if (!format) groups.fail("no groups");
  return *format;
}

NumberFormat weight_format(const ConfigValue& config, NumberFormat native) {
  const auto quantisation = find(config, "quantization_config");
  if (!quantisation) return native;
  ConfigMap map = quantisation->map();
  const ConfigValue method = map.required("quant_method");
  const std::string name = method.text();
  if (name == "fp8" || name == "fbgemm_fp8") return NumberFormat::kFp8;
  if (name == "compressed-tensors") return compressed_format(*quantisation);
  method.fail(
      fmt::format("weights in '{}' are not modelled yet (known: fp8, fbgemm_fp8, compressed-tensors); without "
                  "quantization_config, the scenario's precision says the format",
                  name));
}

// Windows at least as long as the context change nothing.
void refuse_windows(const ConfigValue& config, const Architecture& architecture, std::int32_t max_context) {
  constexpr std::string_view kWhat = "sliding-window attention is not modelled yet";
  if (const auto types = find(config, "layer_types")) {
    for (const ConfigValue& type : types->list())
      if (type.text() == "sliding_attention")
        type.fail(kWhat);
      else if (type.text() != "full_attention")
        type.fail(fmt::format("'{}' layers are not modelled yet", type.text()));
  }
  if (architecture.window_switch && !flag(config, "use_sliding_window", false)) return;
  const auto window = find(config, "sliding_window");
  if (window) {
    if (window->integer(1, kLargestShape) < max_context) window->fail(kWhat);
  } else if (config.node().find("sliding_window") == nullptr && architecture.default_window > 0 &&
             architecture.default_window < max_context) {
    config.fail(fmt::format("no key 'sliding_window', which means {} tokens for {}: {}; 'null' means none",
                            architecture.default_window, architecture.name, kWhat));
  }
}

// As vLLM derives it (_get_and_verify_max_len): a rope scaling that stretches the trained positions
// multiplies them, unless the publisher already states the stretched length.
std::int32_t max_context(const ConfigValue& config) {
  const std::int32_t positions = shape(config, "max_position_embeddings");
  auto scaling = find(config, "rope_scaling");
  if (!scaling) scaling = find(config, "rope_parameters");
  if (!scaling) return positions;
  auto type = find(*scaling, "rope_type");
  if (!type) type = find(*scaling, "type");
  if (!type) return positions;
  const std::string kind = type->text();
  if (kind != "yarn" && kind != "linear" && kind != "dynamic") return positions;
  const auto factor = find(*scaling, "factor");
  if (!factor) return positions;
  const std::int32_t trained =
      kind == "yarn" ? shape(*scaling, "original_max_position_embeddings", positions) : positions;
  const double stretched = trained * factor->number({1, 4096});
  if (stretched > kLargestShape) factor->fail(fmt::format("stretches {} positions beyond {}", trained, kLargestShape));
  return static_cast<std::int32_t>(std::llround(stretched));
}

void refuse_biases(const ConfigValue& config, const Architecture& architecture) {
  for (const std::string_view key : {"attention_bias", "mlp_bias"}) {
    const auto value = find(config, key);
    if (value && !architecture.always_qkv_bias && value->boolean())
      value->fail("biased output and MLP projections are not modelled yet");
  }
}

}  // namespace

std::vector<std::string> known_architectures() {
  std::vector<std::string> names;
  for (const Architecture& architecture : kArchitectures) names.emplace_back(architecture.name);
  return names;
}

ModelSpec read_huggingface_config(const ConfigValue& config, const std::string& name) {
  if (!config.is_map()) config.fail("not a Hugging Face config.json: no mapping");
  refuse_experts_and_latents(config);
  if (const auto text = find(config, "text_config"); text && text->is_map()) refuse_experts_and_latents(*text);
  const Architecture& architecture = architecture_of(config);
  refuse_biases(config, architecture);
  ModelSpec spec;
  spec.name = name;
  spec.architecture = architecture.name;
  spec.layers = shape(config, "num_hidden_layers");
  spec.hidden = shape(config, "hidden_size");
  spec.heads = shape(config, "num_attention_heads");
  // Absent is the class's default; null is one KV head per query head.
  const bool absent = config.node().find("num_key_value_heads") == nullptr;
  spec.kv_heads =
      shape(config, "num_key_value_heads", absent && architecture.kv_heads > 0 ? architecture.kv_heads : spec.heads);
  if (spec.heads % spec.kv_heads != 0)
    config.fail(fmt::format("{} KV heads do not divide the {} query heads", spec.kv_heads, spec.heads));
  if (architecture.head_size == 0 && !find(config, "head_dim") && spec.hidden % spec.heads != 0)
    config.fail(fmt::format("{} heads do not divide the hidden size of {}", spec.heads, spec.hidden));
  spec.head_size =
      shape(config, "head_dim", architecture.head_size > 0 ? architecture.head_size : spec.hidden / spec.heads);
  spec.intermediate = shape(config, "intermediate_size");
  spec.vocabulary = shape(config, "vocab_size");
  spec.max_context = max_context(config);
  refuse_windows(config, architecture, spec.max_context);
  spec.gated_mlp = true;
  spec.tied_embeddings = flag(config, "tie_word_embeddings", false);
  spec.qkv_bias = architecture.always_qkv_bias;
  spec.qk_norm = architecture.qk_norm;
  spec.native_format = native_format(config);
  spec.weight_format = weight_format(config, spec.native_format);
  spec.source = config.mark().file;
  return spec;
}

}  // namespace silicast
