// Static batching: a batch is filled from the queue, prefilled and decoded until its last sequence ends; nobody joins
// meanwhile. Sequences that end leave the batch (no padding is computed for them).
#include "sim/serving/scheduler/scheduler.hpp"

namespace silicast {
namespace {

class StaticBatch final : public Scheduler {
 public:
  Wakeup plan(BatchBuilder& batch) override {
    if (batch.running() > 0) {
      batch.continue_running();
      return {};
    }
    while (batch.admit(Admit::kWhole)) {
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<Scheduler> make_static_batch() {
  return std::make_unique<StaticBatch>();
}

}  // namespace silicast
