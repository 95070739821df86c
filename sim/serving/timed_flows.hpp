// Flows on the clock: one event at the end of the flow that ends next, set anew once all that happens at an instant has
// happened.
#pragma once

#include <span>

#include "sim/engine/engine.hpp"
#include "sim/perf/flows/flow_network.hpp"
#include "sim/serving/event_ranks.hpp"

namespace silicast {

class TimedFlows {
 public:
  // `ended`: what to do when some have, which is to call network().advance(). `settled`: what to do when rates have
  // been settled, if anything.
  TimedFlows(std::span<const BytesPerSecond> capacities, Engine& engine, Action ended, Action settled = {})
      : network_(capacities), engine_(engine), ended_(ended), settled_(settled) {}
  TimedFlows(const TimedFlows&) = delete;
  TimedFlows& operator=(const TimedFlows&) = delete;

  FlowNetwork& network() { return network_; }
  const FlowNetwork& network() const { return network_; }

  // To be called after every start, cancel and advance.
  void rates_change() {
    if (!over_ && !engine_.pending(settle_event_))
      settle_event_ = engine_.at(engine_.now(), kRatesRank, Action::of<&TimedFlows::settle>(this));
  }
  // Nobody waits for the flows in flight any more: they must not make the run longer.
  void end() {
    over_ = true;
    engine_.cancel(settle_event_);
    engine_.cancel(end_event_);
  }

 private:
  void settle(std::int64_t) {
    const SimTime next = network_.next_end();
    if (next == SimTime::never())
      engine_.cancel(end_event_);
    else if (engine_.pending(end_event_))
      engine_.move(end_event_, next);
    else
      end_event_ = engine_.at(next, kTransferRank, ended_);
    if (settled_.call != nullptr) settled_();
  }

  FlowNetwork network_;
  Engine& engine_;
  Action ended_, settled_;
  EventId settle_event_, end_event_;
  bool over_ = false;
};

}  // namespace silicast
