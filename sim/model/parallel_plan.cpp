// Legality of a layout and the spread of layers over stages, after vLLM (distributed/utils.py get_pp_indices,
// config/model.py verify_with_parallel_config).
#include "sim/model/parallel_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace silicast {
namespace {

constexpr std::int32_t kMaxRanks = 4096;

bool legal_kv(std::int32_t tensor, std::int32_t kv_heads) {
  return kv_heads % tensor == 0 || tensor % kv_heads == 0;
}

// What is wrong with so many tensor ranks; empty: nothing.
std::string illegal(std::int32_t tensor, const ModelSpec& model) {
  for (const AttentionSpec& attention : model.attentions) {
    if (attention.heads % tensor != 0) return fmt::format("does not divide the {} query heads", attention.heads);
    const bool own_kv_heads = attention.kind == AttentionKind::kGrouped || attention.kind == AttentionKind::kLinear;
    if (own_kv_heads && !legal_kv(tensor, attention.kv_heads))
      return fmt::format("neither divides nor is a multiple of the {} KV heads", attention.kv_heads);
    if (attention.output_groups > 0 && !legal_kv(tensor, attention.output_groups))
      return fmt::format("neither divides nor is a multiple of the {} output groups", attention.output_groups);
  }
  for (const FeedForwardSpec& block : model.feed_forwards) {
    if (!block.mixture() && block.intermediate % tensor != 0)
      return fmt::format("does not divide the MLP width {}", block.intermediate);
    if (block.shared % tensor != 0) return fmt::format("does not divide the shared experts' width {}", block.shared);
  }
  if (model.padded_vocabulary() % tensor != 0)
    return fmt::format("does not divide the vocabulary {} (padded to {})", model.vocabulary, model.padded_vocabulary());
  return "";
}

void check_tensor(const ConfigValue& at, std::int32_t tensor, const ModelSpec& model) {
  const std::string what = illegal(tensor, model);
  if (what.empty()) return;
  std::vector<std::int32_t> possible;
  for (std::int32_t i = 1; i <= 64; ++i)
    if (illegal(i, model).empty()) possible.push_back(i);
  at.fail(fmt::format("tensor {} {} of {} (possible: {})", tensor, what, model.name, fmt::join(possible, ", ")));
}

// Routed experts over the ranks of a stage.
void read_experts(ConfigMap& map, const ConfigValue& layout, const ModelSpec& model, ParallelPlan& plan) {
  const auto data = map.optional("data");
  const auto expert = map.optional("expert");
  const auto redundant = map.optional("redundant_experts");
  if (!model.mixture()) {
    if (data && data->integer(1, kMaxRanks) > 1)
      data->fail(
          fmt::format("{} has no routed experts; more replicas serve more requests of a dense model", model.name));
    if (expert && expert->integer(1, kMaxRanks) > 1) expert->fail(fmt::format("{} has no routed experts", model.name));
    if (redundant && redundant->integer(0, kMaxRanks) > 0)
      redundant->fail(fmt::format("{} has no routed experts", model.name));
  }
  if (data) plan.data = static_cast<std::int32_t>(data->integer(1, kMaxRanks));
  if (expert) plan.expert = static_cast<std::int32_t>(expert->integer(1, kMaxRanks));
  if (redundant) plan.redundant_experts = static_cast<std::int32_t>(redundant->integer(0, kMaxRanks));
  if (plan.ranks() % plan.expert != 0)
    expert->fail(
        fmt::format("expert {} does not divide the {} ranks (tensor x context x data)", plan.expert, plan.ranks()));
  for (const FeedForwardSpec& block : model.feed_forwards) {
    if (!block.mixture()) continue;
    if (plan.expert > block.experts + plan.redundant_experts)
      expert->fail(fmt::format("{} shares are more than the {} experts of {}", plan.expert,
                               block.experts + plan.redundant_experts, model.name));
    if (block.intermediate % plan.expert_tensor() != 0)
      (expert ? *expert : layout)
          .fail(fmt::format("{} ranks share each expert and do not divide its width of {}; raise expert",
                            plan.expert_tensor(), block.intermediate));
  }
}

std::vector<std::int32_t> spread(std::int32_t layers, std::int32_t stages) {
  std::vector<std::int32_t> result(static_cast<std::size_t>(stages), layers / stages);
  // The last stage has the LM head already, so the rest goes to those before it, from the back.
  for (std::int32_t i = 0; i < layers % stages; ++i) ++result[static_cast<std::size_t>(stages - 2 - i)];
  return result;
}

std::vector<std::int32_t> read_stage_layers(const ConfigValue& value, const ModelSpec& model) {
  std::vector<std::int32_t> result;
  std::int64_t sum = 0;
  for (const ConfigValue& item : value.list()) {
    result.push_back(static_cast<std::int32_t>(item.integer(1, model.layer_count())));
    sum += result.back();
  }
  if (sum != model.layer_count())
    value.fail(fmt::format("the stages have {} layers in all, {} has {}", sum, model.name, model.layer_count()));
  return result;
}

}  // namespace

std::int32_t ParallelPlan::first_layer(std::int32_t stage) const {
  return std::accumulate(stage_layers.begin(), stage_layers.begin() + stage, 0);
}

ParallelPlan single_chip(const ModelSpec& model) {
  ParallelPlan plan;
  plan.stage_layers = {model.layer_count()};
  return plan;
}

ParallelPlan read_parallel_plan(const ConfigValue& layout, const ModelSpec& model) {
  ConfigMap map = layout.map();
  ParallelPlan plan;
  if (const auto tensor = map.optional("tensor")) {
    plan.tensor = static_cast<std::int32_t>(tensor->integer(1, kMaxRanks));
    check_tensor(*tensor, plan.tensor, model);
  }
  if (const auto context = map.optional("context"))
    plan.context = static_cast<std::int32_t>(context->integer(1, kMaxRanks));
  read_experts(map, layout, model, plan);
  const auto pipeline = map.optional("pipeline");
  const auto stage_layers = map.optional("stage_layers");
  std::int32_t stages = 1;
  if (pipeline) {
    stages = static_cast<std::int32_t>(pipeline->integer(1, kMaxRanks));
    if (stages > model.layer_count())
      pipeline->fail(
          fmt::format("{} stages are more than the {} layers of {}", stages, model.layer_count(), model.name));
  }
  if (stage_layers) {
    plan.stage_layers = read_stage_layers(*stage_layers, model);
    if (pipeline && plan.stages() != stages)
      stage_layers->fail(fmt::format("{} stages where pipeline says {}", plan.stages(), stages));
  } else {
    plan.stage_layers = spread(model.layer_count(), stages);
  }
  if (plan.data > 1 && plan.stages() > 1)
    layout.fail(fmt::format("data {} with {} stages is not modelled", plan.data, plan.stages()));
  if (plan.context > 1 && plan.stages() > 1)
    layout.fail(fmt::format("context {} with {} stages is not modelled", plan.context, plan.stages()));
  map.done();
  return plan;
}

Precision default_precision(const ModelSpec& model) {
  const auto inputs_of = [&](NumberFormat weights) {
    return bytes_of(weights) >= 1 && bytes_of(weights) < 2 ? weights : model.native_format;
  };
  Precision precision;
  precision.weights = model.weight_format;
  precision.activations = inputs_of(model.weight_format);
  precision.experts = model.expert_format;
  precision.expert_activations = inputs_of(model.expert_format);
  precision.kv = model.native_format;
  return precision;
}

Precision read_precision(const ConfigValue& value, const ModelSpec& model) {
  ConfigMap map = value.map();
  const auto format_of = [](const ConfigValue& at) {
    return static_cast<NumberFormat>(at.choice(number_format_names(), "number format"));
  };
  ModelSpec stored = model;
  if (const auto weights = map.optional("weights")) stored.weight_format = stored.expert_format = format_of(*weights);
  if (const auto experts = map.optional("experts")) {
    if (!model.mixture()) experts->fail(fmt::format("{} has no routed experts", model.name));
    stored.expert_format = format_of(*experts);
  }
  Precision precision = default_precision(stored);
  if (const auto activations = map.optional("activations")) {
    const NumberFormat format = format_of(*activations);
    const bool layers = bytes_of(format) >= bytes_of(precision.weights);
    const bool experts = model.mixture() && bytes_of(format) >= bytes_of(precision.experts);
    if (!layers && !experts)
      activations->fail(
          fmt::format("{} activations are narrower than the {} weights", name_of(format), name_of(precision.weights)));
    // Blocks with wider weights keep their own.
    if (layers) precision.activations = format;
    if (experts) precision.expert_activations = format;
  }
  if (const auto kv = map.optional("kv")) {
    precision.kv = format_of(*kv);
    if (bytes_of(precision.kv) < 1 || precision.kv == NumberFormat::kFp32)
      kv->fail(fmt::format("no engine keeps its KV cache in {} (possible: bf16, fp16, fp8, int8, mxfp8, hif8)",
                           name_of(precision.kv)));
  }
  map.done();
  return precision;
}

}  // namespace silicast
