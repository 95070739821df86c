// Memory of a rank. Shapes decide everything here; the few constants are the engine's (configs/engines),
// fitted once to vLLM's start-up logs over models of 7B to 72B parameters.
#include "sim/model/memory_plan.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/model/attention_work.hpp"
#include "sim/model/rank_matrices.hpp"

namespace silicast {
namespace {

Bytes runtime_of(const ParallelPlan& plan, const EngineMemory& memory) {
  if (plan.ranks() > 1) return Bytes(memory.runtime_tensor.value);
  return Bytes(plan.stages() > 1 ? memory.runtime_pipeline.value : memory.runtime.value);
}

void divide(StageMemory& stage, Bytes capacity, const EngineMemory& memory) {
  const double share = memory.utilisation.value;
  const Bytes rest = capacity - stage.runtime - stage.weights;
  switch (memory.budget) {
    case KvBudget::kTotalLessPeak:
      stage.kv = rest - stage.activation - capacity * (1 - share);
      break;
    case KvBudget::kStaticShare:
      stage.kv = (capacity - stage.runtime) * share - stage.weights;
      break;
    case KvBudget::kShareOfFree:
      stage.kv = (rest - stage.activation - stage.graphs) * share;
      break;
  }
  const Bytes kept = std::max(stage.kv, Bytes(0));
  stage.spare = rest - stage.activation - stage.graphs - kept;
  stage.blocks = static_cast<std::int64_t>(std::floor(kept / stage.kv_block));
}

// Numbers per token that live at once in a block: gate, up and their product; for routed experts those of each of a
// token's experts, and what goes in and comes out (the two workspaces of vLLM's fused_experts).
double block_buffers(const ModelSpec& model, const FeedForwardSpec& block, const ParallelPlan& plan) {
  const double inputs = block.gated ? 2 : 1;
  if (!block.mixture()) return (inputs + 1) * block.intermediate / plan.tensor;
  const double width = static_cast<double>(block.intermediate) / plan.expert_tensor();
  return block.active * (std::max(inputs * width, static_cast<double>(model.hidden)) + width);
}

// What this rank lacks for one block, or on the chip as a whole.
Bytes lack(const StageMemory& stage) {
  const Bytes of_budget = stage.blocks > 0 ? Bytes(0) : stage.kv_block - stage.kv;
  return std::max({of_budget, Bytes(0) - stage.spare, Bytes(0)});
}

}  // namespace

Bytes weights_on_rank(const ModelSpec& model, const ParallelPlan& plan, const Precision& precision,
                      std::int32_t stage) {
  SILICAST_CHECK(stage >= 0 && stage < plan.stages(), "stage {} of {}", stage, plan.stages());
  double bytes = 0, native = 0;
  const auto add = [&](const std::vector<RankMatrix>& matrices) {
    for (const RankMatrix& matrix : matrices) {
      if (matrix.store == WeightStore::kNative)
        native += matrix.numbers();
      else
        bytes +=
            matrix.numbers() * bytes_of(matrix.store == WeightStore::kExpert ? precision.experts : precision.weights);
    }
  };
  const std::int32_t begin = plan.first_layer(stage);
  std::int32_t rotary = 0;
  for (std::int32_t i = begin; i < begin + plan.stage_layers[static_cast<std::size_t>(stage)]; ++i) {
    add(attention_matrices(model, model.attention_of(i), plan));
    add(feed_forward_matrices(model, model.feed_forward_of(i), plan));
    native += vector_numbers(model, model.layers[static_cast<std::size_t>(i)], plan);
    const AttentionSpec& attention = model.attention_of(i);
    rotary = std::max(rotary, attention.rope_size > 0 ? attention.rope_size : attention.head_size);
  }
  const double width = model.hidden;
  const double vocabulary = static_cast<double>(model.padded_vocabulary()) / plan.tensor * width;
  const bool first = stage == 0, last = stage + 1 == plan.stages();
  if (first) native += vocabulary;
  if (last && !(first && model.tied_embeddings)) native += vocabulary;
  if (last) native += width;
  native += static_cast<double>(model.max_context) * rotary;  // cosines and sines of every position
  return Bytes(bytes + native * bytes_of(model.native_format));
}

Bytes activation_on_rank(const ModelSpec& model, const ParallelPlan& plan, const EngineSpec& engine,
                         std::int32_t stage) {
  SILICAST_CHECK(stage >= 0 && stage < plan.stages(), "stage {} of {}", stage, plan.stages());
  const EngineLimits limits = engine.limits();
  const double native = bytes_of(model.native_format);
  const double tokens = limits.max_batched_tokens;
  const double sequences = std::min(limits.max_sequences, limits.max_batched_tokens);
  const double hidden = model.hidden * native;
  double widest = 0;
  for (const FeedForwardSpec& block : model.feed_forwards) widest = std::max(widest, block_buffers(model, block, plan));
  const double layer_peak = tokens * (widest * native + engine.memory.hidden_buffers.value * hidden);
  double head_peak = 0;
  if (stage + 1 == plan.stages())
    head_peak = sequences * (model.padded_vocabulary() * engine.memory.logit_bytes.value + hidden) + tokens * hidden;
  // Hidden states and residual that pass between stages.
  const double passed = plan.stages() > 1 ? 2 * tokens * hidden : 0;
  return Bytes(engine.memory.workspace.value + std::max(layer_peak, head_peak) + passed);
}

MemoryPlan plan_memory(const ModelSpec& model, const ParallelPlan& plan, const Precision& precision,
                       const EngineSpec& engine, Bytes chip_capacity, const MemoryOverrides& overrides) {
  SILICAST_CHECK(chip_capacity > Bytes(0), "capacity {}", chip_capacity.value());
  SILICAST_CHECK(plan.stages() > 0, "a plan without stages");
  const auto shifted = [](Bytes own, Bytes own_first, const std::optional<Bytes>& given) {
    return given ? *given + (own - own_first) : own;
  };
  const EngineLimits limits = engine.limits();
  MemoryPlan result;
  result.capacity = chip_capacity;
  for (std::int32_t i = 0; i < plan.stages(); ++i) {
    StageMemory stage;
    stage.weights = shifted(weights_on_rank(model, plan, precision, i), weights_on_rank(model, plan, precision, 0),
                            overrides.weights);
    stage.activation = shifted(activation_on_rank(model, plan, engine, i), activation_on_rank(model, plan, engine, 0),
                               overrides.activation);
    stage.runtime = overrides.runtime.value_or(runtime_of(plan, engine.memory));
    stage.graphs = Bytes(engine.memory.graphs.value);
    const KvDemand demand =
        kv_demand(model, plan, precision, plan.first_layer(i), plan.stage_layers[static_cast<std::size_t>(i)]);
    stage.kv_block = demand.per_token * limits.block_size;
    stage.kv_sequence = demand.per_sequence;
    if (demand.per_sequence > Bytes(0))
      result.sequence_blocks =
          std::max(result.sequence_blocks, static_cast<std::int64_t>(std::ceil(demand.per_sequence / stage.kv_block)));
    divide(stage, chip_capacity, engine.memory);
    result.stages.push_back(stage);
  }
  const auto by_blocks = [](const StageMemory& a, const StageMemory& b) { return a.blocks < b.blocks; };
  const auto by_spare = [](const StageMemory& a, const StageMemory& b) { return a.spare < b.spare; };
  result.blocks = std::min_element(result.stages.begin(), result.stages.end(), by_blocks)->blocks;
  result.kv_tokens = result.blocks * limits.block_size;
  for (const StageMemory& stage : result.stages) result.shortfall = std::max(result.shortfall, lack(stage));
  if (result.fits()) result.headroom = std::min_element(result.stages.begin(), result.stages.end(), by_spare)->spare;
  return result;
}

}  // namespace silicast
