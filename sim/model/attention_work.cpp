#include "sim/model/attention_work.hpp"

#include <algorithm>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

// Windows up to this are kept whole per sequence; KV of longer ones is counted as if it were never released, which is
// exact up to the window and too much beyond it.
constexpr std::int32_t kLargestFixedWindow = 2048;
constexpr double kStateBytes = 4;  // linear attention keeps its state in FP32 (mamba_ssm_dtype of Qwen3.5)
// Indexer keys are stored in FP8 with one FP32 scale (DeepSeek-V3.2, vLLM's indexer cache), and scored in FP8.
constexpr double kIndexScaleBytes = 4;

class Parts {
 public:
  Parts(const ModelSpec& model, const ParallelPlan& plan, const Precision& precision)
      : model_(model), plan_(plan), native_(bytes_of(model.native_format)), kv_(bytes_of(precision.kv)) {}

  std::vector<AttentionPart> of(const AttentionSpec& attention) const {
    switch (attention.kind) {
      case AttentionKind::kGrouped:
        return grouped(attention);
      case AttentionKind::kLatent:
        return latent(attention);
      case AttentionKind::kCompressed:
        return compressed(attention);
      case AttentionKind::kLinear:
        return linear(attention);
    }
    return {};
  }

 private:
  AttentionPart part(std::string_view name, double heads, double query_size, double value_size, double kv_bytes) const {
    AttentionPart result;
    result.name = name;
    result.format = model_.native_format;
    result.heads = heads;
    result.kv_heads = 1;
    result.head_size = 0.5 * (query_size + (value_size > 0 ? value_size : query_size));
    result.decode_flops = result.prefill_flops = 2 * heads * (query_size + value_size);
    result.decode_bytes = result.prefill_bytes = kv_bytes;
    result.query_bytes = heads * (query_size + value_size) * native_;
    return result;
  }

  std::vector<AttentionPart> grouped(const AttentionSpec& attention) const {
    const auto heads = static_cast<double>(plan_.heads_per_rank(attention));
    const double keys = static_cast<double>(plan_.kv_heads_per_rank(attention)) * attention.head_size;
    AttentionPart result = part(attention.window > 0 ? "window_attention" : "attention", heads, attention.head_size,
                                attention.head_size, 2 * keys * kv_);
    result.kv_heads = static_cast<double>(plan_.kv_heads_per_rank(attention));
    result.reach = attention.window;
    return {result};
  }

  // Scores every entry for every query with a few small heads; one entry per `tokens_per_entry` tokens.
  AttentionPart indexer(const AttentionSpec& attention, double tokens_per_entry) const {
    AttentionPart result =
        part("indexer", attention.index_heads, attention.index_size, 0, attention.index_size + kIndexScaleBytes);
    result.format = NumberFormat::kFp8;
    for (double* amount : {&result.decode_flops, &result.decode_bytes, &result.prefill_flops, &result.prefill_bytes})
      *amount /= tokens_per_entry;
    return result;
  }

  // Decodes read the latents and work in their space; prompts work on rebuilt keys and values.
  std::vector<AttentionPart> latent(const AttentionSpec& attention) const {
    const auto heads = static_cast<double>(plan_.heads_per_rank(attention));
    const double latents = attention.kv_rank + attention.rope_size;
    AttentionPart main = part("attention", heads, latents, attention.kv_rank, latents * kv_);
    main.prefill_flops = 2 * heads * (attention.head_size + attention.value_size);
    main.head_size = 0.5 * (attention.head_size + attention.value_size);
    main.prefill_bytes = heads * (attention.head_size + attention.value_size) * native_;
    if (attention.top_tokens == 0) return {main};
    main.name = "top_attention";
    main.reach = attention.top_tokens;
    return {indexer(attention, 1), main};
  }

  // Entries are keys and values at once.
  std::vector<AttentionPart> compressed(const AttentionSpec& attention) const {
    const auto heads = static_cast<double>(plan_.heads_per_rank(attention));
    const double entry = attention.head_size * kv_;
    std::vector<AttentionPart> parts;
    if (attention.compression > 0) {
      const double tokens = attention.compression;
      AttentionPart far = part("compressed_attention", heads, attention.head_size, attention.head_size, entry);
      for (double* amount : {&far.decode_flops, &far.decode_bytes, &far.prefill_flops, &far.prefill_bytes})
        *amount /= tokens;
      if (attention.top_tokens > 0) {
        parts.push_back(indexer(attention, tokens));
        far.name = "top_attention";
        far.reach = std::int64_t{attention.top_tokens} * attention.compression;
      }
      parts.push_back(far);
    }
    AttentionPart near = part("window_attention", heads, attention.head_size, attention.head_size, entry);
    near.reach = attention.window;
    near.launches = parts.empty();
    if (!parts.empty()) near.query_bytes = 0;
    parts.push_back(near);
    return parts;
  }

  // The state is read and written once per iteration; a token updates and queries it: three products of its size.
  std::vector<AttentionPart> linear(const AttentionSpec& attention) const {
    const auto heads = static_cast<double>(plan_.heads_per_rank(attention));
    const double state = heads * attention.head_size * attention.value_size;
    AttentionPart result = part("linear_state", heads, attention.head_size, attention.value_size, 0);
    result.reach = 1;
    result.decode_flops = result.prefill_flops = 2 * 3 * state;
    result.decode_bytes = 2 * state * kStateBytes;
    result.prefill_bytes = 0;
    return {result};
  }

  const ModelSpec& model_;
  const ParallelPlan& plan_;
  double native_;
  double kv_;
};

// KV of one layer per token of context and per sequence.
KvDemand layer_demand(const ModelSpec& model, const AttentionSpec& attention, const ParallelPlan& plan, double kv) {
  KvDemand demand;
  const double keys = static_cast<double>(plan.kv_heads_per_rank(attention)) * attention.head_size;
  const double index = attention.index_heads > 0 ? attention.index_size + kIndexScaleBytes : 0;
  switch (attention.kind) {
    case AttentionKind::kGrouped:
      if (attention.window > 0 && attention.window <= kLargestFixedWindow)
        demand.per_sequence = Bytes(2 * keys * kv * attention.window);
      else
        demand.per_token = Bytes(2 * keys * kv);
      break;
    case AttentionKind::kLatent:
      demand.per_token = Bytes((attention.kv_rank + attention.rope_size) * kv + index);
      break;
    case AttentionKind::kCompressed:
      demand.per_sequence = Bytes(double{1} * attention.window * attention.head_size * kv);
      if (attention.compression > 0)
        demand.per_token = Bytes((attention.head_size * kv + index) / attention.compression);
      break;
    case AttentionKind::kLinear: {
      const double values = static_cast<double>(plan.heads_per_rank(attention)) * attention.value_size;
      const double convolved = (2 * keys + values) * std::max(0, attention.convolution - 1);
      demand.per_sequence =
          Bytes(values * attention.head_size * kStateBytes + convolved * bytes_of(model.native_format));
      break;
    }
  }
  return demand;
}

}  // namespace

std::vector<AttentionPart> attention_parts(const ModelSpec& model, const ParallelPlan& plan, const Precision& precision,
                                           std::int32_t first, std::int32_t layers) {
  SILICAST_CHECK(first >= 0 && layers > 0 && first + layers <= model.layer_count(), "layers {} to {} of {}", first,
                 first + layers, model.layer_count());
  std::vector<double> counts(model.attentions.size(), 0);
  for (std::int32_t i = first; i < first + layers; ++i)
    ++counts[static_cast<std::size_t>(model.layers[static_cast<std::size_t>(i)].attention)];
  const Parts parts(model, plan, precision);
  std::vector<AttentionPart> result;
  for (std::size_t kind = 0; kind < counts.size(); ++kind) {
    if (counts[kind] == 0) continue;
    for (AttentionPart part : parts.of(model.attentions[kind])) {
      part.kind = model.attentions[kind].kind;
      part.selects = model.attentions[kind].top_tokens > 0;
      part.layers = counts[kind];
      // Each group of ranks reads its part of the KV cache; a state is not shared out.
      if (part.reach != 1)
        for (double* amount : {&part.decode_flops, &part.decode_bytes, &part.prefill_flops}) *amount /= plan.context;
      result.push_back(part);
    }
  }
  return result;
}

double reached_pairs(std::int64_t tokens, std::int64_t context, std::int64_t reach) {
  const double c = static_cast<double>(tokens), p = static_cast<double>(context);
  if (reach == 0 || context + tokens <= reach) return c * p + 0.5 * c * (c + 1);
  // The first queries still reach all before them, the others `reach` each.
  const double growing = static_cast<double>(std::max<std::int64_t>(0, reach - context));
  return growing * p + 0.5 * growing * (growing + 1) + (c - growing) * static_cast<double>(reach);
}

KvDemand kv_demand(const ModelSpec& model, const ParallelPlan& plan, const Precision& precision, std::int32_t first,
                   std::int32_t layers) {
  KvDemand demand;
  for (std::int32_t i = first; i < first + layers; ++i) {
    const KvDemand one = layer_demand(model, model.attention_of(i), plan, bytes_of(precision.kv));
    demand.per_token += one.per_token / plan.context;
    demand.per_sequence += one.per_sequence;
  }
  return demand;
}

}  // namespace silicast
