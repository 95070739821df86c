// The catalogue's own file format.
#include "sim/model/model_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/io/config_catalogue.hpp"
#include "sim/model/huggingface_config.hpp"
#include "sim/model/layer_slices.hpp"

namespace silicast {
namespace {

constexpr std::int32_t kVocabularyPadding = 64;
constexpr std::int32_t kLargestShape = 1 << 28;
constexpr std::int32_t kLargestCopies = 64;  // of residual streams, MTP layers

const std::vector<std::string>& attention_kind_names() {
  static const std::vector<std::string> names = {"grouped", "latent", "compressed", "linear"};
  return names;
}

std::int32_t shape(const ConfigValue& value) {
  return static_cast<std::int32_t>(value.integer(1, kLargestShape));
}

// 0: none, as where the key is absent.
std::int32_t shape_or_none(ConfigMap& map, std::string_view key) {
  const auto value = map.optional(key);
  return value ? static_cast<std::int32_t>(value->integer(0, kLargestShape)) : 0;
}

NumberFormat choose(const ConfigValue& value, const std::vector<NumberFormat>& formats) {
  std::vector<std::string> names;
  for (const NumberFormat format : formats) names.emplace_back(name_of(format));
  return formats[value.choice(names, "format")];
}

NumberFormat weights(ConfigMap& map, std::string_view key, NumberFormat native, NumberFormat otherwise) {
  const auto value = map.optional(key);
  if (!value) return otherwise;
  return choose(*value, {native, NumberFormat::kFp8, NumberFormat::kInt8, NumberFormat::kMxFp8, NumberFormat::kHiF8,
                         NumberFormat::kInt4, NumberFormat::kMxFp4, NumberFormat::kNvFp4});
}

bool flag(ConfigMap& map, std::string_view key, bool otherwise) {
  const auto value = map.optional(key);
  return value ? value->boolean() : otherwise;
}

void read_kv_heads(ConfigMap& map, AttentionSpec& spec, std::string_view kv, std::string_view all) {
  const ConfigValue kv_heads = map.required("kv_heads");
  spec.kv_heads = shape(kv_heads);
  if (spec.heads % spec.kv_heads != 0)
    kv_heads.fail(fmt::format("{} {} heads do not divide the {} {} heads", spec.kv_heads, kv, spec.heads, all));
}

void read_grouped(ConfigMap& map, AttentionSpec& spec) {
  spec.heads = shape(map.required("heads"));
  read_kv_heads(map, spec, "KV", "query");
  spec.head_size = spec.value_size = shape(map.required("head_size"));
  spec.window = shape_or_none(map, "window");
  spec.qkv_bias = flag(map, "qkv_bias", false);
  spec.qk_norm = flag(map, "qk_norm", false);
  spec.qk_norm_across_heads = flag(map, "qk_norm_across_heads", false);
}

void read_rotary(ConfigMap& map, AttentionSpec& spec) {
  const ConfigValue rotary = map.required("rope_size");
  spec.rope_size = shape(rotary);
  if (spec.rope_size >= spec.head_size)
    rotary.fail(fmt::format("a rotary part of {} is no part of a head of {}", spec.rope_size, spec.head_size));
}

void read_indexer(ConfigMap& map, AttentionSpec& spec) {
  const auto top = map.optional("top_tokens");
  const auto heads = map.optional("index_heads"), size = map.optional("index_size");
  if (!top) {
    constexpr std::string_view kAlone = "is of an indexer, which needs 'top_tokens'";
    if (heads) heads->fail(kAlone);
    if (size) size->fail(kAlone);
    return;
  }
  if (spec.kind == AttentionKind::kCompressed && spec.compression == 0)
    top->fail("needs 'compression': an indexer chooses among compressed entries");
  spec.top_tokens = shape(*top);
  spec.index_heads = shape(map.required("index_heads"));
  spec.index_size = shape(map.required("index_size"));
}

void read_latent(ConfigMap& map, AttentionSpec& spec) {
  spec.heads = shape(map.required("heads"));
  spec.kv_heads = 1;
  spec.head_size = shape(map.required("head_size"));
  spec.value_size = shape(map.required("value_size"));
  spec.query_rank = shape_or_none(map, "query_rank");
  spec.kv_rank = shape(map.required("kv_rank"));
  read_rotary(map, spec);
  read_indexer(map, spec);
}

void read_compressed(ConfigMap& map, AttentionSpec& spec) {
  spec.heads = shape(map.required("heads"));
  spec.kv_heads = 1;
  spec.head_size = spec.value_size = shape(map.required("head_size"));
  spec.window = shape(map.required("window"));
  spec.query_rank = shape(map.required("query_rank"));
  read_rotary(map, spec);
  spec.compression = shape_or_none(map, "compression");
  read_indexer(map, spec);
  const ConfigValue groups = map.required("output_groups");
  spec.output_groups = shape(groups);
  if (spec.heads % spec.output_groups != 0)
    groups.fail(fmt::format("{} groups do not divide the {} heads", spec.output_groups, spec.heads));
  spec.output_rank = shape(map.required("output_rank"));
}

void read_linear(ConfigMap& map, AttentionSpec& spec) {
  spec.heads = shape(map.required("heads"));
  read_kv_heads(map, spec, "key", "value");
  spec.head_size = shape(map.required("head_size"));
  spec.value_size = shape(map.required("value_size"));
  spec.convolution = shape(map.required("convolution"));
}

AttentionSpec read_attention(const ConfigValue& attention) {
  ConfigMap map = attention.map();
  map.optional("layers");  // share_layers
  AttentionSpec spec;
  if (const auto kind = map.optional("kind"))
    spec.kind = static_cast<AttentionKind>(kind->choice(attention_kind_names(), "kind of attention"));
  switch (spec.kind) {
    case AttentionKind::kGrouped:
      read_grouped(map, spec);
      spec.output_gate = flag(map, "output_gate", false);
      if (const auto chunks = map.optional("window_in_chunks")) {
        spec.window_in_chunks = chunks->boolean();
        if (spec.window_in_chunks && spec.window == 0) chunks->fail("needs a 'window'");
      }
      break;
    case AttentionKind::kLatent:
      read_latent(map, spec);
      break;
    case AttentionKind::kCompressed:
      read_compressed(map, spec);
      break;
    case AttentionKind::kLinear:
      read_linear(map, spec);
      break;
  }
  map.done();
  return spec;
}

FeedForwardSpec read_feed_forward(const ConfigValue& feed_forward) {
  ConfigMap map = feed_forward.map();
  map.optional("layers");  // share_layers
  FeedForwardSpec spec;
  spec.intermediate = shape(map.required("intermediate"));
  spec.gated = flag(map, "gated", true);
  const auto experts = map.optional("experts"), active = map.optional("active"), shared = map.optional("shared"),
             bias = map.optional("bias");
  if (!experts) {
    for (const auto& value : {active, shared, bias})
      if (value) value->fail("is of a mixture of experts, which needs 'experts'");
    map.done();
    return spec;
  }
  spec.experts = shape(*experts);
  spec.active = shape(map.required("active"));
  if (spec.active > spec.experts) active->fail(fmt::format("{} of {} experts", spec.active, spec.experts));
  spec.shared = shape_or_none(map, "shared");
  spec.bias = bias && bias->boolean();
  map.done();
  return spec;
}

// Attention and feed-forward are each told kind by kind or by keys of the file itself, not by both.
void refuse_both(const ConfigMap& map, const ConfigValue& kinds, std::initializer_list<std::string_view> flat) {
  for (const std::string_view key : flat)
    if (map.has(key))
      ConfigMap(map).required(key).fail(fmt::format("is told kind by kind in '{}'; leave it out here", kinds.path()));
}

void read_layers(ConfigMap& map, std::int32_t count, ModelSpec& spec) {
  spec.layers.resize(static_cast<std::size_t>(count));
  if (const auto kinds = map.optional("attention")) {
    refuse_both(map, *kinds,
                {"heads", "kv_heads", "head_size", "window", "qkv_bias", "qk_norm", "qk_norm_across_heads"});
    const std::vector<std::int32_t> shares = share_layers(*kinds, count);
    for (std::size_t i = 0; i < shares.size(); ++i) spec.layers[i].attention = shares[i];
    ConfigMap kind_map = kinds->map();
    for (const std::string& name : kind_map.keys()) spec.attentions.push_back(read_attention(kind_map.required(name)));
  } else {
    read_grouped(map, spec.attentions.emplace_back());
  }
  if (const auto kinds = map.optional("feed_forward")) {
    refuse_both(map, *kinds, {"intermediate", "gated_mlp"});
    const std::vector<std::int32_t> shares = share_layers(*kinds, count);
    for (std::size_t i = 0; i < shares.size(); ++i) spec.layers[i].feed_forward = shares[i];
    ConfigMap kind_map = kinds->map();
    for (const std::string& name : kind_map.keys())
      spec.feed_forwards.push_back(read_feed_forward(kind_map.required(name)));
  } else {
    FeedForwardSpec& dense = spec.feed_forwards.emplace_back();
    dense.intermediate = shape(map.required("intermediate"));
    dense.gated = flag(map, "gated_mlp", true);
  }
}

}  // namespace

std::string_view name_of(AttentionKind kind) {
  return attention_kind_names()[static_cast<std::size_t>(kind)];
}

const AttentionSpec& ModelSpec::attention_of(std::int32_t layer) const {
  return attentions[static_cast<std::size_t>(layers[static_cast<std::size_t>(layer)].attention)];
}

const FeedForwardSpec& ModelSpec::feed_forward_of(std::int32_t layer) const {
  return feed_forwards[static_cast<std::size_t>(layers[static_cast<std::size_t>(layer)].feed_forward)];
}

bool ModelSpec::mixture() const {
  return std::any_of(feed_forwards.begin(), feed_forwards.end(), [](const auto& block) { return block.mixture(); });
}

std::int32_t ModelSpec::padded_vocabulary() const {
  return (vocabulary + kVocabularyPadding - 1) / kVocabularyPadding * kVocabularyPadding;
}

ModelSpec read_model_spec(const ConfigValue& model) {
  ConfigMap map = model.map();
  ModelSpec spec;
  spec.name = map.required("name").text();
  spec.architecture = map.required("architecture").text();
  if (const auto ids = map.optional("huggingface_ids"))
    for (const ConfigValue& id : ids->list()) spec.huggingface_ids.push_back(id.text());
  const auto layers = static_cast<std::int32_t>(map.required("layers").integer(1, kMostLayers));
  spec.hidden = shape(map.required("hidden"));
  read_layers(map, layers, spec);
  spec.vocabulary = shape(map.required("vocabulary"));
  spec.max_context = shape(map.required("max_context"));
  spec.native_format = choose(map.required("format"), {NumberFormat::kBf16, NumberFormat::kFp16, NumberFormat::kFp32});
  spec.weight_format = weights(map, "weights", spec.native_format, spec.native_format);
  spec.expert_format = weights(map, "expert_weights", spec.native_format, spec.weight_format);
  if (map.has("expert_weights") && !spec.mixture())
    map.required("expert_weights").fail("no layer has experts; see 'feed_forward'");
  spec.tied_embeddings = flag(map, "tied_embeddings", false);
  spec.output_bias = flag(map, "output_bias", false);
  if (const auto streams = map.optional("residual_streams"))
    spec.residual_streams = static_cast<std::int32_t>(streams->integer(1, kLargestCopies));
  if (const auto mtp = map.optional("mtp_layers"))
    spec.mtp_layers = static_cast<std::int32_t>(mtp->integer(0, kLargestCopies));
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
