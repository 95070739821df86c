// Why a scenario costs what it costs, before anything runs: memory, roofline, where an iteration's time goes.
#pragma once

#include <string>
#include <vector>

#include "sim/run/scenario.hpp"

namespace silicast {

struct ExplainBatch {
  std::int32_t decode_sequences = 32;
  std::int64_t kv_length = 1024;      // of each, this iteration's token included
  std::int32_t prompt_tokens = 2048;  // of the prefill shown; cut to the engine's token budget
};

// Text for people; one section per pool: what fits (or by how much it does not), the links of its collectives, then a
// prefill and a decode iteration kernel by kernel with what binds; at last the fabric. The scenario may be one that
// does not fit (Fit::kReported).
std::string explain(const Scenario& scenario, const ExplainBatch& batch);

}  // namespace silicast
