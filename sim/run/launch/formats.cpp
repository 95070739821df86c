#include "sim/run/launch/formats.hpp"

#include <fmt/format.h>

#include "sim/run/launch/family.hpp"

namespace silicast {
namespace {

bool same(const Precision& a, const Precision& b) {
  return a.weights == b.weights && a.activations == b.activations && a.kv == b.kv && a.experts == b.experts &&
         a.expert_activations == b.expert_activations;
}

Precision read(const std::optional<ConfigNode>& node, const ModelSpec& model) {
  return node ? read_precision(ConfigValue::of(*node), model) : default_precision(model);
}

}  // namespace

std::optional<ConfigNode> precision_node(const LaunchFormats& formats, const ModelSpec& model) {
  const std::string native(name_of(model.native_format));
  const bool quantised = model.weight_format != model.native_format || model.expert_format != model.native_format;
  const bool other = !formats.dtype.empty() && formats.dtype != native;
  ConfigNode node;
  // Of a checkpoint that is quantised already the flag says nothing new.
  if (quantised) {
  } else if (formats.quantisation == "fp8" || formats.quantisation == "int8") {
    put(node, "weights", formats.quantisation);
    put(node, "activations", formats.quantisation);
  } else if (formats.quantisation == "int4") {
    put(node, "weights", "int4");
  } else if (other) {
    put(node, "weights", formats.dtype);
    put(node, "activations", formats.dtype);
  }
  if (!formats.kv.empty())
    put(node, "kv", formats.kv);
  else if (other)
    put(node, "kv", formats.dtype);
  if (node.entries.empty()) return std::nullopt;
  return node;
}

SaidFormats say_formats(const Precision& precision, const ModelSpec& model) {
  for (const char* quantisation : {"", "fp8"})
    for (const char* dtype : {"", "bf16", "fp16"})
      for (const char* kv : {"", "fp8"}) {
        const LaunchFormats formats{quantisation, dtype, kv};
        if (same(read(precision_node(formats, model), model), precision)) return {formats, true};
      }
  return {{"", "", precision.kv == NumberFormat::kFp8 ? "fp8" : ""}, false};
}

ConfigNode precision_node(const Precision& precision, const ModelSpec& model) {
  ConfigNode node;
  put(node, "weights", std::string(name_of(precision.weights)));
  if (model.mixture() && precision.experts != precision.weights)
    put(node, "experts", std::string(name_of(precision.experts)));
  put(node, "kv", std::string(name_of(precision.kv)));
  // One key says the activations of both; which of them it says depends on the weights (read_precision).
  for (const NumberFormat activations : {precision.activations, precision.expert_activations}) {
    ConfigNode all = node;
    put(all, "activations", std::string(name_of(activations)));
    if (bytes_of(activations) >= std::min(bytes_of(precision.weights), bytes_of(precision.experts)) &&
        same(read(all, model), precision))
      return all;
  }
  return node;
}

std::string describe(const Precision& precision, const ModelSpec& model) {
  std::string text =
      fmt::format("weights {}, activations {}", name_of(precision.weights), name_of(precision.activations));
  if (model.mixture() && precision.experts != precision.weights)
    text += fmt::format(", experts {}", name_of(precision.experts));
  return text + fmt::format(", KV {}", name_of(precision.kv));
}

}  // namespace silicast
