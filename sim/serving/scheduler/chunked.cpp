// Chunked prefill with mixed batches, as vLLM's v1 scheduler: running requests first, then waiting ones fill what is
// left of the token budget; after a preemption nobody is admitted until the next iteration.
#include "sim/serving/scheduler/scheduler.hpp"

namespace silicast {
namespace {

class Chunked final : public Scheduler {
 public:
  Wakeup plan(BatchBuilder& batch) override {
    if (!batch.continue_running()) return {.arrival = false, .next_iteration = true};
    while (batch.admit(Admit::kChunk)) {
    }
    // Blocks only get scarcer while a batch decodes: who could not be admitted now cannot be later either, but for
    // what the cache of prompts drops (ReplicaState::waits_for_drops).
    return {.arrival = batch.waiting() == 0 && batch.sequence_free(), .next_iteration = false};
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_chunked() {
  return std::make_unique<Chunked>();
}

}  // namespace silicast
