// Parameter counts of a dense decoder, and the catalogue's own file format.
#include "sim/model/model_spec.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "sim/io/config_catalogue.hpp"
#include "sim/model/huggingface_config.hpp"

namespace silicast {
namespace {

constexpr std::int32_t kVocabularyPadding = 64;
constexpr std::int32_t kLargestShape = 1 << 28;

std::int32_t shape(const ConfigValue& value) {
  return static_cast<std::int32_t>(value.integer(1, kLargestShape));
}

NumberFormat choose(const ConfigValue& value, const std::vector<NumberFormat>& formats) {
  std::vector<std::string> names;
  for (const NumberFormat format : formats) names.emplace_back(name_of(format));
  return formats[value.choice(names, "format")];
}

bool flag(ConfigMap& map, std::string_view key, bool otherwise) {
  const auto value = map.optional(key);
  return value ? value->boolean() : otherwise;
}

}  // namespace

double ModelSpec::layer_matrix_parameters() const {
  const double width = hidden;
  const double queries = static_cast<double>(heads) * head_size;
  const double keys = static_cast<double>(kv_heads) * head_size;
  return width * (queries + 2 * keys) + queries * width + (gated_mlp ? 3 : 2) * width * intermediate;
}

double ModelSpec::layer_parameters() const {
  const double biases = qkv_bias ? (static_cast<double>(heads) + 2.0 * kv_heads) * head_size : 0;
  const double head_norms = qk_norm ? 2.0 * head_size : 0;
  return layer_matrix_parameters() + 2.0 * hidden + biases + head_norms;
}

double ModelSpec::embedding_parameters() const {
  return static_cast<double>(vocabulary) * hidden;
}

double ModelSpec::head_parameters() const {
  return tied_embeddings ? 0 : embedding_parameters();
}

double ModelSpec::parameters() const {
  const double final_norm = hidden;
  return layers * layer_parameters() + embedding_parameters() + head_parameters() + final_norm;
}

double ModelSpec::kv_numbers_per_token() const {
  return 2.0 * layers * kv_heads * head_size;
}

std::int32_t ModelSpec::padded_vocabulary() const {
  return (vocabulary + kVocabularyPadding - 1) / kVocabularyPadding * kVocabularyPadding;
}

ModelSpec read_model_spec(const ConfigValue& model) {
  ConfigMap map = model.map();
  ModelSpec spec;
  spec.name = map.required("name").text();
  spec.architecture = map.required("architecture").text();
  spec.layers = static_cast<std::int32_t>(map.required("layers").integer(1, 4096));
  spec.hidden = shape(map.required("hidden"));
  spec.heads = shape(map.required("heads"));
  const ConfigValue kv_heads = map.required("kv_heads");
  spec.kv_heads = shape(kv_heads);
  if (spec.heads % spec.kv_heads != 0)
    kv_heads.fail(fmt::format("{} KV heads do not divide the {} query heads", spec.kv_heads, spec.heads));
  spec.head_size = shape(map.required("head_size"));
  spec.intermediate = shape(map.required("intermediate"));
  spec.vocabulary = shape(map.required("vocabulary"));
  spec.max_context = shape(map.required("max_context"));
  spec.native_format = choose(map.required("format"), {NumberFormat::kBf16, NumberFormat::kFp16, NumberFormat::kFp32});
  spec.weight_format = spec.native_format;
  if (const auto weights = map.optional("weights"))
    spec.weight_format =
        choose(*weights, {spec.native_format, NumberFormat::kFp8, NumberFormat::kInt8, NumberFormat::kFp4});
  spec.gated_mlp = flag(map, "gated_mlp", true);
  spec.tied_embeddings = flag(map, "tied_embeddings", false);
  spec.qkv_bias = flag(map, "qkv_bias", false);
  spec.qk_norm = flag(map, "qk_norm", false);
  spec.source = map.required("source").text();
  map.done();
  return spec;
}

ModelSpec read_model(const ConfigValue& model, const std::string& configs_dir) {
  if (!model.is_map()) return read_model_spec(load_named(configs_dir, "models", model));
  ConfigMap map = model.map();
  if (!map.has("huggingface")) return read_model_spec(model);
  const ConfigValue file = map.required("huggingface");
  map.done();
  const std::filesystem::path path = config_path(file);
  // Publishers call every such file config.json; its folder tells them apart.
  const std::string name = path.filename() == "config.json" && path.has_parent_path()
                               ? path.parent_path().filename().string()
                               : path.stem().string();
  return read_huggingface_config(ConfigValue::from_file(path.string()), name);
}

}  // namespace silicast
