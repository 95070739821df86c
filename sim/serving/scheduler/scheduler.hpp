// Forms the next batch of a replica.
#pragma once

#include <memory>

#include "sim/base/registry.hpp"
#include "sim/serving/batch_builder.hpp"

namespace silicast {

// What, besides the end of a sequence or a departure, can change the plan while the batch only decodes. The replica
// leaps over everything else.
struct Wakeup {
  bool arrival = false;         // a new request in the queue
  bool next_iteration = false;  // the end of the very next iteration
};

// Called between iterations. Plans by the builder's operations alone; keeps no time, schedules no event, and must give
// the same answer for the same state.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  virtual Wakeup plan(BatchBuilder& batch) = 0;
};

using SchedulerFactory = std::unique_ptr<Scheduler>();
extern const Registry<SchedulerFactory> schedulers;

}  // namespace silicast
