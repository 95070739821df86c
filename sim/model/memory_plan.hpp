// What fits on a rank: weights, activation peak, runtime, and the KV blocks that are left, per pipeline
// stage.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/model/engine_spec.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/model/parallel_plan.hpp"

namespace silicast {

// Figures that an engine printed when it started, in place of the model's own. They are those of the first
// stage's ranks; the other stages keep their difference to it.
struct MemoryOverrides {
  std::optional<Bytes> weights;
  std::optional<Bytes> activation;
  std::optional<Bytes> runtime;
};

// One rank of a stage; all ranks of a stage are alike.
struct StageMemory {
  Bytes weights;
  Bytes activation;  // peak, at a full iteration
  Bytes runtime;     // outside the framework's allocator
  Bytes graphs;
  Bytes kv;           // left for KV blocks by the engine's rule; negative when the rest exceeds the budget
  Bytes spare;        // of the chip, with all of the above in place; negative when that exceeds the chip
  Bytes kv_block;     // one block of this stage's layers
  Bytes kv_sequence;  // what a sequence keeps besides, whatever its length: windows, states
  std::int64_t blocks = 0;
};

struct MemoryPlan {
  Bytes capacity;  // of the chip, as given
  std::vector<StageMemory> stages;
  std::int64_t blocks = 0;           // of the replica: the poorest stage's
  std::int64_t kv_tokens = 0;        // blocks * block size
  std::int64_t sequence_blocks = 0;  // blocks' worth of memory that a sequence takes besides those of its tokens
  Bytes headroom;                    // least spare of any stage, when it fits
  Bytes shortfall;                   // missing on the poorest stage for one block and everything else; 0 when it fits

  bool fits() const { return shortfall.value() == 0; }
};

// `chip_capacity` is what a program sees as the chip's memory (H100-80GB: 79.2 GiB); positive.
//   weights     layers' matrices in precision.weights and .experts, the rest native: norms, biases, routers, embedding
//               (first stage), LM head (last stage; a tied one is shared with the embedding where they are on one
//               rank), rotary tables; the vocabulary padded to 64 and divided, KV heads copied where ranks outnumber
//               them
//   activation  workspace + max(tokens (widest block's buffers + hidden_buffers hidden),
//                               sequences (vocabulary logit_bytes + hidden) + tokens hidden   [last stage])
//               + the tensors received from or for the next stage
MemoryPlan plan_memory(const ModelSpec& model, const ParallelPlan& plan, const Precision& precision,
                       const EngineSpec& engine, Bytes chip_capacity, const MemoryOverrides& overrides = {});

// The parts, for tests and explanations.
Bytes weights_on_rank(const ModelSpec& model, const ParallelPlan& plan, const Precision& precision, std::int32_t stage);
Bytes activation_on_rank(const ModelSpec& model, const ParallelPlan& plan, const EngineSpec& engine,
                         std::int32_t stage);

}  // namespace silicast
