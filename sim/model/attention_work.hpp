// Attention as parts whose work is linear in one length per sequence: the tokens of its context that the part can
// reach. That is what lets a whole run of iterations be priced in closed form.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/model/parallel_plan.hpp"

namespace silicast {

// One kernel in all of its layers. Amounts are of one layer on one rank; a "reached token" is one of the first `reach`
// tokens of a sequence's context, counted once.
struct AttentionPart {
  std::string_view name;   // "attention", "window_attention", "indexer", "top_attention", "linear_state"
  std::int64_t reach = 0;  // 0: the whole context
  double layers = 0;       // of the stage that have it
  AttentionKind kind = AttentionKind::kGrouped;
  bool selects = false;                       // works on the entries that an indexer chose, or is that indexer
  bool launches = true;                       // a kernel of its own; otherwise part of the one before it
  NumberFormat format = NumberFormat::kBf16;  // that the matrix unit works in
  double heads = 0;                           // query heads on the rank
  double kv_heads = 0;       // KV heads on the rank: how many pieces of work a sequence is at the least
  double head_size = 0;      // mean of keys' and values', of prompts
  double decode_flops = 0;   // per query token and reached token
  double decode_bytes = 0;   // per reached token: KV read, once for all query tokens of the sequence
  double query_bytes = 0;    // per query token: queries in, outputs out
  double prefill_flops = 0;  // per query and key
  double prefill_bytes = 0;  // per reached token of a chunk's context and of the chunk
};

// Of the layers [first, first + layers) of the model. Parts of like layers are one, in the order of first occurrence.
std::vector<AttentionPart> attention_parts(const ModelSpec& model, const ParallelPlan& plan, const Precision& precision,
                                           std::int32_t first, std::int32_t layers);

// Sum over the queries at positions context .. context + tokens - 1 of the keys that each reaches, itself included.
double reached_pairs(std::int64_t tokens, std::int64_t context, std::int64_t reach);

// What a sequence keeps in memory on one rank of a stage.
struct KvDemand {
  Bytes per_token;     // of context, whatever its length; 0 when no layer attends beyond a window
  Bytes per_sequence;  // windows (whole) and states of fixed size
};
KvDemand kv_demand(const ModelSpec& model, const ParallelPlan& plan, const Precision& precision, std::int32_t first,
                   std::int32_t layers);

}  // namespace silicast
