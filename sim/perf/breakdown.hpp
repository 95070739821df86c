// Where the time of one iteration goes, kernel by kernel: what `silicast explain` prints. Adds up to the
// duration that the compiled cost gives for the same batch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/perf/compile_cost.hpp"
#include "sim/perf/roofline.hpp"

namespace silicast {

// The batch in question: equal decode sequences, a prompt chunk, or both.
struct BreakdownBatch {
  std::int32_t decode_sequences = 0;
  std::int64_t kv_length = 0;        // of each, this iteration's token included
  std::int32_t prefill_tokens = 0;   // one chunk
  std::int64_t prefill_context = 0;  // tokens before the chunk

  std::int32_t sequences() const { return decode_sequences + (prefill_tokens > 0 ? 1 : 0); }
};

struct BreakdownRow {
  std::string kernel;        // "mlp_gate_up"; "host"
  std::string kernel_class;  // name_of(KernelClass), "host"
  Seconds time;              // per iteration, all launches; of messages what does not hide behind computing
  double share = 0;          // of the iteration
  Bound bound = Bound::kOverhead;
  FlopsPerSecond flops_rate;  // achieved on one chip while it runs
  BytesPerSecond bytes_rate;  // of chip memory; of the links for collectives (message bytes)
};

struct Breakdown {
  std::vector<BreakdownRow> rows;  // in the order of execution; host last
  Seconds total;                   // sum of the rows
  Seconds device;                  // of the chips
  Seconds host;                    // host work; its row holds only what the chips wait for
};

// The chunk gets a token out (it is the prompt's last). With a pipeline the rows are those that make up the
// longest way: every stage once, or the slowest stage once for each micro-batch.
Breakdown breakdown(const ReplicaSetup& setup, const BreakdownBatch& batch);

}  // namespace silicast
