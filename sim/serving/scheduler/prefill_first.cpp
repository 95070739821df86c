// Prefill first, as SGLang and vLLM before v1: whenever waiting prompts fit, an iteration computes them whole and
// alone while the decoding sequences stand still; otherwise all decode. A prompt longer than the token budget takes
// several such iterations, as SGLang's chunked prefill does.
#include "sim/serving/scheduler/scheduler.hpp"

namespace silicast {
namespace {

class PrefillFirst final : public Scheduler {
 public:
  Wakeup plan(BatchBuilder& batch) override {
    bool all_continue = batch.continue_prompts();
    while (all_continue && batch.admit(Admit::kWhole)) {
    }
    if (batch.has_prompts()) return {};
    all_continue = batch.continue_running() && all_continue;
    return {.arrival = batch.waiting() == 0 && batch.sequence_free(), .next_iteration = !all_continue};
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_prefill_first() {
  return std::make_unique<PrefillFirst>();
}

}  // namespace silicast
