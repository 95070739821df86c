// One copy of a model on a group of chips: a queue, a batch, KV blocks, and the loop of iterations. While the batch
// does not change the loop leaps over iterations; in step mode it stops at each one and plans again.
#pragma once

#include <memory>
#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/perf/iteration_cost.hpp"
#include "sim/serving/batch_builder.hpp"
#include "sim/serving/iteration_run.hpp"
#include "sim/serving/observer.hpp"
#include "sim/serving/scheduler/scheduler.hpp"

namespace silicast {

// What a replica tells whoever placed it.
class ReplicaHost {
 public:
  virtual ~ReplicaHost() = default;
  // A request's story is over at this instant; the replica frees the slot itself.
  virtual void request_over(RequestSlot slot, EndState state, EndReason reason, std::int32_t output_tokens) = 0;
};

// KV tokens of a request at its longest: its last output token is never fed back, so its KV is never stored.
inline std::int64_t kv_tokens_of(const RequestSpec& spec) {
  return std::int64_t{spec.prompt_tokens} + spec.output_tokens - 1;
}

// As far as a gateway can tell. Where the client declares no limit its true length stands for what a gateway would know
// of such requests: only which replicas can hold it at all depends on it, never the choice among them.
inline std::int64_t kv_tokens_declared(const RequestSpec& spec) {
  return spec.max_output_tokens > 0 ? std::int64_t{spec.prompt_tokens} + spec.max_output_tokens - 1
                                    : kv_tokens_of(spec);
}

class Replica {
 public:
  struct Setup {
    ReplicaId id;
    PoolId pool;
    ReplicaLimits limits;
    const IterationCost* cost = nullptr;  // shared by the replicas of a pool; outlives them
    bool leap = true;
  };

  Replica(const Setup& setup, std::unique_ptr<Scheduler> scheduler, Engine& engine, RequestTable& table,
          ServingObserver& observer, ReplicaHost& host);
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  PoolId pool() const { return setup_.pool; }

  // KV tokens that it can hold.
  std::int64_t kv_capacity() const { return state_.blocks.total() * setup_.limits.block_size; }
  // Why this replica can never serve such a request; kNone if it can take it now.
  EndReason refusal(const RequestSpec& spec) const;
  void enqueue(RequestSlot slot);                                        // a request that was not refused
  void client_left(RequestSlot slot, EndState state, EndReason reason);  // a request of this replica, still live
  void end_of_run();                               // the simulation stops now: closes the books; requests stay live
  std::int32_t delivered(RequestSlot slot) const;  // output tokens of a live request that are out at this instant

  // Adds this replica's state at this instant to its pool's.
  void sample(PoolSample& pool) const;

 private:
  void schedule();
  void begin_iteration(std::int64_t = 0);
  void end_iteration(std::int64_t = 0);
  void open_run();
  void close_run();
  void set_run_end(const Wakeup& wakeup);
  void arm();                         // the event at the end of the run as planned
  void cut_to_iteration_in_flight();  // something will change the plan at its end
  void advance(std::int64_t iterations);
  void finish_decodes();
  void finish_chunks();
  void give_token(RequestSlot slot);  // the context is computed: the next token is out
  void remove_departed();
  void release(RequestSlot slot);  // out of the batch or queue, memory and table

  Setup setup_;
  std::unique_ptr<Scheduler> scheduler_;
  Engine& engine_;
  ServingObserver& observer_;
  ReplicaHost& host_;
  ReplicaState state_;

  Batch batch_;
  Wakeup wakeup_;
  IterationRun run_;
  RunRecord record_;                       // of the run in progress
  std::vector<TokenGaps::Group> stalled_;  // sequences whose first gap in this run is longer than one iteration
  bool iterating_ = false;                 // an iteration is in flight
  bool run_open_ = false;
  bool batch_changed_ = false;  // a request joined or left since the run began
  EventId end_event_;
  std::vector<RequestSlot> departed_;  // left by their client, in the batch until the iteration ends

  std::int64_t prompt_tokens_ = 0;  // totals since the start, for samples
  std::int64_t output_tokens_ = 0;
  Seconds busy_;  // up to the start of the run in progress
  Seconds prefill_;
};

}  // namespace silicast
