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

bool legal(std::int32_t tensor, const ModelSpec& model) {
  return model.heads % tensor == 0 && legal_kv(tensor, model.kv_heads) && model.intermediate % tensor == 0 &&
         model.padded_vocabulary() % tensor == 0;
}

void check_tensor(const ConfigValue& at, std::int32_t tensor, const ModelSpec& model) {
  if (legal(tensor, model)) return;
  std::vector<std::int32_t> possible;
  for (std::int32_t i = 1; i <= std::min(model.heads, 64); ++i)
    if (legal(i, model)) possible.push_back(i);
  const auto refuse = [&](const std::string& what) {
    at.fail(fmt::format("tensor {} {} of {} (possible: {})", tensor, what, model.name, fmt::join(possible, ", ")));
  };
  if (model.heads % tensor != 0) refuse(fmt::format("does not divide the {} query heads", model.heads));
  if (!legal_kv(tensor, model.kv_heads))
    refuse(fmt::format("neither divides nor is a multiple of the {} KV heads", model.kv_heads));
  if (model.intermediate % tensor != 0) refuse(fmt::format("does not divide the MLP width {}", model.intermediate));
  refuse(fmt::format("does not divide the vocabulary {} (padded to {})", model.vocabulary, model.padded_vocabulary()));
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
    result.push_back(static_cast<std::int32_t>(item.integer(1, model.layers)));
    sum += result.back();
  }
  if (sum != model.layers)
    value.fail(fmt::format("the stages have {} layers in all, {} has {}", sum, model.name, model.layers));
  return result;
}

}  // namespace

std::int32_t ParallelPlan::kv_heads_per_rank(const ModelSpec& model) const {
  return std::max(1, model.kv_heads / tensor);
}

ParallelPlan read_parallel_plan(const ConfigValue& layout, const ModelSpec& model) {
  ConfigMap map = layout.map();
  ParallelPlan plan;
  if (const auto tensor = map.optional("tensor")) {
    plan.tensor = static_cast<std::int32_t>(tensor->integer(1, kMaxRanks));
    check_tensor(*tensor, plan.tensor, model);
  }
  const auto pipeline = map.optional("pipeline");
  const auto stage_layers = map.optional("stage_layers");
  std::int32_t stages = 1;
  if (pipeline) {
    stages = static_cast<std::int32_t>(pipeline->integer(1, kMaxRanks));
    if (stages > model.layers)
      pipeline->fail(fmt::format("{} stages are more than the {} layers of {}", stages, model.layers, model.name));
  }
  if (stage_layers) {
    plan.stage_layers = read_stage_layers(*stage_layers, model);
    if (pipeline && plan.stages() != stages)
      stage_layers->fail(fmt::format("{} stages where pipeline says {}", plan.stages(), stages));
  } else {
    plan.stage_layers = spread(model.layers, stages);
  }
  map.done();
  return plan;
}

Precision default_precision(const ModelSpec& model) {
  Precision precision;
  precision.weights = model.weight_format;
  const bool eight_bits = model.weight_format == NumberFormat::kFp8 || model.weight_format == NumberFormat::kInt8;
  precision.activations = eight_bits ? model.weight_format : model.native_format;
  precision.kv = model.native_format;
  return precision;
}

Precision read_precision(const ConfigValue& value, const ModelSpec& model) {
  ConfigMap map = value.map();
  const auto format_of = [](const ConfigValue& at) {
    return static_cast<NumberFormat>(at.choice(number_format_names(), "number format"));
  };
  ModelSpec stored = model;
  if (const auto weights = map.optional("weights")) stored.weight_format = format_of(*weights);
  Precision precision = default_precision(stored);
  if (const auto activations = map.optional("activations")) {
    precision.activations = format_of(*activations);
    if (bytes_of(precision.activations) < bytes_of(precision.weights))
      activations->fail(fmt::format("{} activations are narrower than the {} weights", name_of(precision.activations),
                                    name_of(precision.weights)));
  }
  if (const auto kv = map.optional("kv")) {
    precision.kv = format_of(*kv);
    if (precision.kv == NumberFormat::kFp4 || precision.kv == NumberFormat::kFp32)
      kv->fail(
          fmt::format("no engine keeps its KV cache in {} (possible: bf16, fp16, fp8, int8)", name_of(precision.kv)));
  }
  map.done();
  return precision;
}

}  // namespace silicast
