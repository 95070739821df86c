// Prefill first, as vLLM before v1: whenever waiting prompts fit, an iteration computes them whole and alone while the
// decoding sequences stand still; otherwise all decode.
#include "sim/serving/scheduler/scheduler.hpp"

namespace silicast {
namespace {

class PrefillFirst final : public Scheduler {
 public:
  Wakeup plan(BatchBuilder& batch) override {
    while (batch.admit(Admit::kWhole)) {
    }
    if (batch.has_prompts()) return {};
    const bool all_continue = batch.continue_running();
    return {.arrival = batch.waiting() == 0 && batch.sequence_free(), .next_iteration = !all_continue};
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_prefill_first() { return std::make_unique<PrefillFirst>(); }

}  // namespace silicast
