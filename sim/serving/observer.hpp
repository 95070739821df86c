// What the serving layer announces. It does not know who listens: recorders and reports attach here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "sim/base/ids.hpp"
#include "sim/base/sim_time.hpp"
#include "sim/perf/iteration_cost.hpp"

namespace silicast {

// Different names of tiers below the caches of prompts in one cluster.
inline constexpr std::size_t kMaxTiers = 4;

// How a request ended. Every request ends in exactly one of these.
enum class EndState : std::uint8_t { kCompleted, kRejected, kTimedOut, kAborted, kUnfinished };
enum class EndReason : std::uint8_t {
  kNone,            // completed
  kContextTooLong,  // rejected: prompt and output exceed the model's maximum context
  kKvTooSmall,      // rejected: could never fit into the KV blocks of any replica, even alone
  kQueueFull,       // rejected: the engine's waiting queue is at its limit
  kClientTimeout,   // timed out
  kClientAbort,     // aborted
  kEndOfRun,        // unfinished: the run's horizon came first
};
inline constexpr std::size_t kEndReasons = static_cast<std::size_t>(EndReason::kEndOfRun) + 1;
std::string_view name_of(EndState state);    // "completed", "rejected", "timed_out", "aborted", "unfinished"
std::string_view name_of(EndReason reason);  // "", "context_too_long", "kv_too_small", ...

// One row per request, announced when it ends.
struct RequestRecord {
  std::int64_t index = 0;  // in order of arrival, from 0
  SimTime arrival;
  SimTime scheduled = SimTime::never();    // its first iteration started, or its fetch; never() if none did
  SimTime first_token = SimTime::never();  // end of the iteration that gave the first output token
  SimTime end;                             // last token, or the moment it was rejected, timed out, aborted, cut off
  Seconds preempted_before_first_token;    // waiting again after a preemption, before the first token
  std::int32_t prompt_tokens = 0;
  std::int32_t cached_tokens = 0;  // of its prompt, found in the prompt cache when it was first admitted
  std::array<std::int32_t, kMaxTiers> fetched_tokens{};  // of these, that came from tiers below it, by their numbers
  std::int32_t output_tokens = 0;                        // delivered by `end`
  std::int32_t preemptions = 0;
  ReplicaId replica;  // invalid when it never reached one
  // Where another replica computed its context, and when it had; invalid and never() where none did.
  ReplicaId prefill_replica;
  SimTime prefilled = SimTime::never();
  PoolId pool;  // same
  ClassId request_class;
  EndState state = EndState::kCompleted;
  EndReason reason = EndReason::kNone;
};

// What an iteration computes and how long it takes, and those after it while the batch stays as it is.
struct IterationWork {
  IterationLine line;                  // durations, unrounded
  BatchShape shape;                    // of the first iteration; decode_kv_tokens grows by decode_sequences each
  double prefill_pairs = 0;            // (query, key) pairs of the prompt chunks, for FLOP counts
  std::int64_t prefill_kv_tokens = 0;  // KV tokens that the prompt chunks read or wrote
  Seconds prefill_time;                // what the iterations would save without their prompt chunks
  std::array<double, kMaxReaches> limited_pairs{};  // like prefill_pairs, within IterationCost::reaches

  std::int32_t tokens(std::int32_t query_tokens) const {
    return shape.decode_sequences * query_tokens + shape.prefill_tokens;
  }
};

// Consecutive iterations of an unchanged batch, announced when the batch changes (or a cost piece ends).
struct RunRecord : IterationWork {
  PoolId pool;
  ReplicaId replica;
  SimTime start;
  SimTime end;
  std::int64_t iterations = 0;       // completed ones
  double cut_off = 0;                // share of one more that was done when the simulation stopped in its middle
  std::int64_t kv_blocks_start = 0;  // blocks in use during the first and after the last iteration
  std::int64_t kv_blocks_end = 0;
  // Decode sequences whose gap from token to token is exactly one iteration. In the first iteration of a run some
  // sequences may have waited longer (another iteration ran without them, a preemption): these are announced singly
  // by token_gap() and left out of `steady_first`; all iterations after the first count decode_sequences gaps.
  std::int32_t steady_first = 0;
};

// State of a pool at an instant, for time series.
struct PoolSample {
  PoolId pool;
  std::int64_t running = 0;  // requests in batches
  std::int64_t waiting = 0;  // requests in queues, or on their way into one:
  std::int64_t arriving = 0;
  std::int64_t kv_blocks_used = 0;
  std::int64_t kv_blocks_total = 0;
  std::int64_t prompt_tokens = 0;  // computed since the start of the run
  std::int64_t output_tokens = 0;  // delivered since the start of the run
  Seconds busy_time;               // of its replicas together, since the start of the run
  Seconds prefill_time;            // the part of it that prompt chunks cost
};

class ServingObserver {
 public:
  virtual ~ServingObserver() = default;
  virtual void request_arrived(SimTime now, std::int64_t in_system) { (void)now, (void)in_system; }
  virtual void arrivals_ended(SimTime now) { (void)now; }  // the source is exhausted (at its last arrival)
  virtual void request_ended(const RequestRecord& record) { (void)record; }
  virtual void run_ended(const RunRecord& record) { (void)record; }
  virtual void token_gap(PoolId pool, Seconds gap, std::int64_t count) { (void)pool, (void)gap, (void)count; }
  virtual void sampled(SimTime now, std::span<const PoolSample> pools) { (void)now, (void)pools; }
};

}  // namespace silicast
