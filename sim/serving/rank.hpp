// Requests that are batched together: a queue, a batch, KV blocks, a scheduler. A replica is one such rank, or several
// (data-parallel attention) whose iterations go in lock step. A rank knows nothing of time but the instants it is told.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "sim/base/first_integer.hpp"
#include "sim/engine/engine.hpp"
#include "sim/perf/iteration_cost.hpp"
#include "sim/serving/batch_builder.hpp"
#include "sim/serving/observer.hpp"
#include "sim/serving/scheduler/scheduler.hpp"

namespace silicast {

// What a rank tells whoever placed a request.
class ReplicaHost {
 public:
  virtual ~ReplicaHost() = default;
  // A request's story is over at this instant; the rank frees the slot itself.
  virtual void request_over(RequestSlot slot, EndState state, EndReason reason, std::int32_t output_tokens) = 0;

  // Of requests that another replica decodes (ReplicaLimits::hands_on): the replica of this first rank begins an
  // iteration with prompts; a context will have so many tokens at `then`, the end of that iteration; all of it has been
  // computed, and is held until release().
  virtual void chunks_begin(ReplicaId replica) { (void)replica; }
  virtual void context_grows(RequestSlot slot, std::int32_t tokens, SimTime then) {
    (void)slot, (void)tokens, (void)then;
  }
  virtual void context_computed(RequestSlot slot) { (void)slot; }
  // Of requests whose context another replica computed: there is memory for it, or no longer.
  virtual void kv_memory_taken(RequestSlot slot) { (void)slot; }
  virtual void kv_memory_lost(RequestSlot slot) { (void)slot; }
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

// How many drafted tokens of an iteration a sequence keeps on average: a sequence's own mean is drawn once, normal
// around the mean of all and cut to what is possible.
struct Acceptance {
  double mean = 0;    // of limits.drafts
  double spread = 0;  // standard deviation between sequences
  std::uint64_t seed = 1;

  // Tokens per iteration in units of kTokenUnits.
  std::int32_t rate_of(std::int64_t request, std::int32_t drafts) const;
};

class Rank {
 public:
  struct Setup {
    PoolId pool;
    ReplicaLimits limits;
    const IterationCost* cost = nullptr;  // shared by the ranks of a pool; outlives them
    Acceptance acceptance;
    KvTiers* tiers = nullptr;  // below its cache of prompts
    ReplicaId place = {};      // its number among all ranks
  };

  Rank(const Setup& setup, std::unique_ptr<Scheduler> scheduler, Engine& engine, RequestTable& table,
       ServingObserver& observer, ReplicaHost& host);
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;

  // ---- Requests

  // KV tokens that it can hold.
  std::int64_t kv_capacity() const {
    return (state_.blocks.total() - setup_.limits.sequence_blocks) * setup_.limits.block_size - setup_.limits.drafts;
  }
  // Why it can never serve such a request; kNone if it can take it now.
  EndReason refusal(const RequestSpec& spec) const;
  void enqueue(RequestSlot slot, std::int64_t eligible);  // not to be scheduled before that iteration of the replica
  // A request leaves; `ended` iterations of the present run have ended since the last advance(). True when it was in
  // the batch, or its going may let another in.
  bool client_left(RequestSlot slot, EndState state, EndReason reason, std::int64_t ended, bool iterating);
  // It leaves without a word, as above.
  bool withdraw(RequestSlot slot, bool iterating);
  std::int32_t delivered(RequestSlot slot, std::int64_t ended) const;  // output tokens that are out
  // What an admitted request waits for has come, and it goes on from that iteration on: the KV of its context, with its
  // first token, or blocks from tiers.
  void arrived(RequestSlot slot, std::int64_t eligible);
  void release(RequestSlot slot);  // out of the batch or queue, memory and table

  // ---- Iterations

  void plan(std::int64_t iteration);  // asks the scheduler what the replica's next iteration computes
  bool busy() const { return batch_.decodes || !batch_.chunks.empty(); }
  bool waits_for_arrivals() const { return wakeup_.arrival; }
  bool idle() const { return !state_.computes(); }
  // Whether nothing can be done before somebody comes: from outside, or out of a transfer.
  bool stalled() const { return state_.away > 0 || (state_.running.empty() && state_.waiting.empty()); }
  bool has_chunks() const { return !batch_.chunks.empty(); }
  void announce_chunks(SimTime end);  // of the iteration that begins, to whom it hands them on
  // Whether the batch as planned is another than before the last open(), or its price has changed.
  bool changed() const { return changed_ || left_ == 0; }
  // Prices the batch as planned, as if the rank were alone. `work` is a new one or as the last call left it; `stalled`
  // gets the groups of decodes whose first gap from here on is longer than an iteration.
  void open(IterationWork& work, std::vector<TokenGaps::Group>& stalled);
  // Iterations, from the last advance() on, at whose end something can change; `iteration` is the replica's.
  std::int64_t iterations_to_change(std::int64_t iteration);
  void advance(std::int64_t iterations);  // so many have ended
  void finish();                          // what the one that ends now brings: tokens, ends, departures

  std::int64_t kv_blocks_used() const { return state_.blocks.used(); }
  // In use while the iteration as planned runs.
  std::int64_t kv_blocks_planned() const {
    return state_.blocks.used() + (batch_.decodes ? state_.decoding.blocks_next() : 0);
  }
  // Adds its state to its pool's, when `ended` iterations of `end` until the next change have ended.
  void sample(PoolSample& pool, std::int64_t ended, std::int64_t end) const;

 private:
  // Accepted drafts of so many iterations, as means: for counts of tokens, not for when a sequence ends.
  std::int64_t accepted_in(std::int64_t iterations) const {
    if (setup_.limits.drafts == 0) return 0;
    return static_cast<std::int64_t>(state_.decoding.accepted_drafts() * static_cast<double>(iterations));
  }
  void tell_memory();
  void price_chunks(IterationWork& work);
  static void forget_chunks(IterationWork& work);
  void finish_decodes();
  void finish_chunks();
  void hand_on(RequestSlot slot);
  void give_token(RequestSlot slot);  // the context is computed: the next token is out
  void remove_departed();

  Setup setup_;
  std::unique_ptr<Scheduler> scheduler_;
  Engine& engine_;
  ServingObserver& observer_;
  ReplicaHost& host_;
  ReplicaState state_;

  Batch batch_;
  Wakeup wakeup_;
  std::int64_t left_ = kForever;  // iterations for which the price of the last open() still holds
  bool changed_ = false;
  std::vector<RequestSlot> departed_;  // left by their client, in the batch until the iteration ends

  std::int64_t prompt_tokens_ = 0;  // totals since the start, for samples
  std::int64_t output_tokens_ = 0;
};

// ---- Inline, because every iteration that can change anything passes here --------------------------------------

inline std::int64_t Rank::iterations_to_change(std::int64_t iteration) {
  if (!busy()) return kForever;
  if (has_chunks() || wakeup_.next_iteration) return 1;
  std::int64_t iterations = std::min(left_, state_.decoding.iterations_to_finish());
  // Who came too late for this plan is there for a later one.
  if (wakeup_.arrival && !state_.waiting.empty())
    iterations = std::min(iterations, state_.table[state_.waiting.front()].eligible - iteration);
  if (!state_.received.empty())
    iterations = std::min(iterations, state_.table[state_.received.front()].eligible - iteration);
  if (state_.waits_for_drops) {
    const std::int64_t free = state_.blocks.free() - state_.prompts.kept();
    iterations =
        std::max<std::int64_t>(1, state_.decoding.iterations_within(std::max<std::int64_t>(0, free), iterations));
  }
  return state_.decoding.iterations_within(state_.blocks.free(), iterations);
}

inline void Rank::advance(std::int64_t iterations) {
  if (!busy()) return;
  left_ -= iterations;
  if (!batch_.decodes) return;
  output_tokens_ += state_.decoding.size() * iterations + accepted_in(iterations);
  state_.blocks.take(state_.decoding.advance(iterations));
  // Whoever left during the iteration that now ends is not there to get its token.
  for (const RequestSlot slot : departed_) output_tokens_ -= state_.table[slot].phase == Phase::kDecoding;
}

inline void Rank::finish() {
  if (batch_.decodes) finish_decodes();
  if (has_chunks()) finish_chunks();
  if (!departed_.empty()) remove_departed();
}

}  // namespace silicast
