#include "sim/model/huggingface_quantisation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/model/huggingface_keys.hpp"

namespace silicast::huggingface {
namespace {

// What a list of modules to leave alone can name, of one layer.
enum Part { kAttention, kLinearAttention, kDense, kShared, kExperts, kParts };

bool has_part(const ModelSpec& spec, std::int32_t layer, int part) {
  const FeedForwardSpec& block = spec.feed_forward_of(layer);
  const bool linear = spec.attention_of(layer).kind == AttentionKind::kLinear;
  const std::array<bool, kParts> has = {!linear, linear, !block.mixture(), block.mixture() && block.shared > 0,
                                        block.mixture()};
  return has[static_cast<std::size_t>(part)];
}

// The names in a module's path; patterns ("re:.*mlp\.(gate|up|down)_proj.*", "model.layers.*.self_attn") lose their
// signs and keep their names.
std::vector<std::string> names_of(std::string_view module) {
  if (module.starts_with("re:")) module.remove_prefix(3);
  std::vector<std::string> names(1);
  for (const char letter : module) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '_' || letter == '-';
    if (plain)
      names.back() += letter;
    else if (letter == '.')
      names.emplace_back();
  }
  std::erase(names, "");
  return names;
}

std::vector<int> parts_of(const std::vector<std::string>& names) {
  const auto has = [&](std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  const std::string& last = names.back();
  // The projection out of a block stands for all of the block's.
  const bool out = last.ends_with("o_proj") || last == "out_proj", down = last.ends_with("down_proj") || last == "w2";
  const auto whole = [&](std::string_view name) { return last == name || ((out || down) && has(name)); };
  if (whole("self_attn")) return {kAttention};
  if (whole("linear_attn")) return {kLinearAttention};
  if (whole("shared_experts") || whole("shared_expert")) return {kShared};
  if (whole("experts")) return {kExperts};
  if (last == "mlp" || last == "feed_forward") return {kDense, kShared, kExperts};
  if (down && (has("mlp") || has("feed_forward"))) return {kDense};
  return {};
}

// Layers of which each part is left alone.
struct Untouched {
  std::array<std::set<std::int32_t>, kParts> layers;

  void add(const ModelSpec& spec, std::string_view module) {
    const std::vector<std::string> names = names_of(module);
    if (names.empty() || module.find("vis") != std::string_view::npos) return;  // vision towers have layers, too
    std::int32_t first = 0, last = spec.layer_count() - 1;  // without a number it stands for all layers
    for (std::size_t i = 0; i + 1 < names.size(); ++i) {    // "model.layers.3.mlp"
      std::int32_t number = 0;
      const std::string& text = names[i + 1];
      if (names[i] != "layers" || std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc())
        continue;
      if (number < 0 || number >= spec.layer_count()) return;  // an MTP layer
      first = last = number;
    }
    for (const int part : parts_of(names))
      for (std::int32_t layer = first; layer <= last; ++layer)
        if (has_part(spec, layer, part)) layers[static_cast<std::size_t>(part)].insert(layer);
  }
};

Untouched read_untouched(const ConfigValue& quantisation, const ModelSpec& spec) {
  Untouched untouched;
  for (const std::string_view key : {"modules_to_not_convert", "ignored_layers", "ignore", "exclude_modules"})
    if (const auto modules = find(quantisation, key))
      for (const ConfigValue& module : modules->list()) untouched.add(spec, module.text());
  return untouched;
}

// compressed-tensors: the groups' weights as {num_bits, type}; one group, or all alike.
NumberFormat compressed_format(const ConfigValue& quantisation) {
  ConfigMap map = quantisation.map();
  const ConfigValue groups = map.required("config_groups");
  std::optional<NumberFormat> format;
  ConfigMap group_map = groups.map();
  for (const std::string& key : group_map.keys()) {
    const ConfigValue group = group_map.required(key);
    if (const auto targets = find(group, "targets"))
      for (const ConfigValue& target : targets->list())
        if (target.text() != "Linear") target.fail("groups of particular modules are not modelled yet");
    const ConfigValue weights = group.map().required("weights");
    ConfigMap keys = weights.map();
    const ConfigValue bits = keys.required("num_bits");
    const std::int64_t width = bits.integer(1, 64);
    const bool is_float = keys.required("type").choice({"float", "int"}, "type") == 0;
    NumberFormat found = is_float ? NumberFormat::kFp8 : NumberFormat::kInt8;
    if (width == 4) {
      found = NumberFormat::kInt4;
      if (is_float) found = shape(weights, "group_size") == 16 ? NumberFormat::kNvFp4 : NumberFormat::kMxFp4;
    } else if (width != 8) {
      bits.fail("of compressed-tensors weights, only 8 and 4 bits are modelled");
    }
    if (format && *format != found) groups.fail("groups of unlike formats are not modelled yet");
    format = found;
  }
  if (!format) groups.fail("no groups");
  return *format;
}

// GPTQ and AWQ: integers of so many bits.
NumberFormat integer_format(const ConfigValue& quantisation) {
  if (const auto dynamic = find(quantisation, "dynamic"); dynamic && !dynamic->map().keys().empty())
    dynamic->fail("rules for particular modules are not modelled yet");
  const ConfigValue bits = quantisation.map().required("bits");
  const std::int64_t width = bits.integer(1, 64);
  if (width != 4 && width != 8) bits.fail("only 8 and 4 bits are modelled");
  return width == 4 ? NumberFormat::kInt4 : NumberFormat::kInt8;
}

NumberFormat quantised_format(const ConfigValue& quantisation, const std::string& method) {
  if (method == "fp8" || method == "fbgemm_fp8") return NumberFormat::kFp8;
  if (method == "compressed-tensors") return compressed_format(quantisation);
  if (method == "mxfp4") return NumberFormat::kMxFp4;
  if (method == "gptq" || method == "awq") return integer_format(quantisation);
  if (method == "modelopt") {
    constexpr NumberFormat formats[] = {NumberFormat::kFp8, NumberFormat::kNvFp4};
    return formats[quantisation.map().required("quant_algo").choice({"FP8", "NVFP4"}, "algorithm")];
  }
  quantisation.map()
      .required("quant_method")
      .fail(
          fmt::format("weights in '{}' are not modelled yet (known: fp8, fbgemm_fp8, compressed-tensors, mxfp4, gptq, "
                      "awq, modelopt); without quantization_config, the scenario's precision says the format",
                      method));
}

}  // namespace

void read_quantisation(const ConfigValue& quantisation, ModelSpec& spec) {
  const ConfigValue method = quantisation.map().required("quant_method");
  const NumberFormat quantised = quantised_format(quantisation, method.text());
  const Untouched untouched = read_untouched(quantisation, spec);
  std::int64_t parts = 0, left = 0, experts = 0, experts_left = 0;
  for (std::int32_t layer = 0; layer < spec.layer_count(); ++layer)
    for (int part = 0; part < kParts; ++part) {
      if (!has_part(spec, layer, part)) continue;
      const bool is_left = untouched.layers[static_cast<std::size_t>(part)].contains(layer);
      (part == kExperts ? experts : parts) += 1;
      (part == kExperts ? experts_left : left) += is_left;
    }
  if (method.text() == "mxfp4") {  // transformers' Mxfp4Config knows experts only
    if (experts == 0) method.fail("mxfp4 is for experts, and no layer has any");
    left = parts;
  }
  if ((left > 0 && left < parts) || (experts_left > 0 && experts_left < experts))
    quantisation.fail(
        "some of the layers' weights quantised and others not, routed experts aside, is not modelled yet");
  if (left == 0) spec.weight_format = quantised;
  spec.expert_format = experts == 0 ? spec.weight_format : experts_left == 0 ? quantised : spec.native_format;
}

}  // namespace silicast::huggingface
