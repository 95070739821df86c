#include "sim/model/huggingface_config.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "sim/model/huggingface_families.hpp"
#include "sim/model/huggingface_keys.hpp"
#include "sim/model/huggingface_quantisation.hpp"

namespace silicast {
namespace {

using huggingface::Family;
using huggingface::find;
using huggingface::flag;
using huggingface::kLargestShape;
using huggingface::shape;

std::vector<Family> families() {
  std::vector<Family> all;
  for (const auto& some :
       {huggingface::grouped_families(), huggingface::hybrid_families(), huggingface::latent_families()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

Family family_of(const ConfigValue& config) {
  ConfigMap map = config.map();
  const ConfigValue classes = map.required("architectures");
  const std::vector<ConfigValue> names = classes.list();
  if (names.size() != 1) classes.fail(fmt::format("{} classes where one is due", names.size()));
  return families()[names[0].choice(known_architectures(), "architecture")];
}

// A nested file says some things of the language model beside it.
std::optional<ConfigValue> find_in_either(const ConfigValue& text, const ConfigValue& config, std::string_view key) {
  const auto value = find(text, key);
  return value ? value : find(config, key);
}

NumberFormat native_format(const ConfigValue& text, const ConfigValue& config) {
  auto value = find_in_either(text, config, "dtype");
  if (!value) value = find_in_either(text, config, "torch_dtype");
  if (!value) return NumberFormat::kBf16;
  // Engines serve FP32 checkpoints in 16 bits unless told otherwise (vLLM's dtype "auto").
  constexpr NumberFormat formats[] = {NumberFormat::kBf16, NumberFormat::kFp16, NumberFormat::kBf16};
  return formats[value->choice({"bfloat16", "float16", "float32"}, "number format")];
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

void read_formats(const ConfigValue& text, const ConfigValue& config, ModelSpec& spec) {
  spec.native_format = spec.weight_format = spec.expert_format = native_format(text, config);
  if (const auto quantisation = find_in_either(text, config, "quantization_config"))
    huggingface::read_quantisation(*quantisation, spec);
  if (const auto experts = find(text, "expert_dtype"))  // DeepSeek-V4; its FP4 has a shared exponent per 32 numbers
    spec.expert_format =
        experts->choice({"fp8", "fp4"}, "number format of experts") == 0 ? NumberFormat::kFp8 : NumberFormat::kMxFp4;
}

}  // namespace

std::vector<std::string> known_architectures() {
  std::vector<std::string> names;
  for (const Family& family : families()) names.emplace_back(family.architecture);
  return names;
}

ModelSpec read_huggingface_config(const ConfigValue& config, const std::string& name) {
  if (!config.is_map()) config.fail("not a Hugging Face config.json: no mapping");
  const Family family = family_of(config);
  const auto nested = find(config, "text_config");
  const ConfigValue text = nested && nested->is_map() ? *nested : config;
  ModelSpec spec;
  spec.name = name;
  spec.architecture = family.architecture;
  const auto depth = find(text, "num_hidden_layers");
  if (!depth) text.fail("missing key 'num_hidden_layers'");
  const auto layers = static_cast<std::int32_t>(depth->integer(1, kMostLayers));
  spec.hidden = shape(text, "hidden_size");
  spec.vocabulary = shape(text, "vocab_size");
  spec.max_context = max_context(text);
  family.read_layers(text, layers, spec);
  const auto tied = find_in_either(text, config, "tie_word_embeddings");
  spec.tied_embeddings = tied && tied->boolean();
  read_formats(text, config, spec);
  spec.source = config.mark().file;
  return spec;
}

}  // namespace silicast
