#include "sim/serving/replica.hpp"

#include <algorithm>

#include "sim/serving/event_ranks.hpp"

namespace silicast {

Replica::Replica(const Setup& setup, std::unique_ptr<Scheduler> scheduler, Engine& engine, RequestTable& table,
                 ServingObserver& observer, ReplicaHost& host)
    : setup_(setup),
      scheduler_(std::move(scheduler)),
      engine_(engine),
      observer_(observer),
      host_(host),
      state_(table, setup.limits) {
  SILICAST_CHECK(setup.limits.max_batched_tokens >= setup.limits.max_sequences);
  record_.pool = setup.pool;
  record_.replica = setup.id;
}

// ---- From outside -----------------------------------------------------------------------------------------------

EndReason Replica::refusal(const RequestSpec& spec) const {
  if (kv_tokens_of(spec) > kv_capacity()) return EndReason::kKvTooSmall;
  if (setup_.limits.max_waiting > 0 && state_.waiting.size() >= setup_.limits.max_waiting) return EndReason::kQueueFull;
  return EndReason::kNone;
}

void Replica::enqueue(RequestSlot slot) {
  Request& request = state_.table[slot];
  request.phase = Phase::kWaiting;
  request.context = request.spec.prompt_tokens;
  state_.waiting.push_back(state_.table, slot);
  if (!iterating_)
    schedule();
  else if (wakeup_.arrival)
    cut_to_iteration_in_flight();
}

void Replica::client_left(RequestSlot slot, EndState state, EndReason reason) {
  Request& request = state_.table[slot];
  host_.request_over(slot, state, reason, delivered(slot));
  if (request.phase == Phase::kWaiting) {
    const bool first = state_.waiting.front() == slot;
    release(slot);
    // The next in the queue may be smaller and fit.
    if (first && iterating_) cut_to_iteration_in_flight();
    return;
  }
  request.left = true;
  departed_.push_back(slot);
  if (iterating_) {
    cut_to_iteration_in_flight();
  } else {
    remove_departed();  // between the end of an iteration and the plan for the next, at the same instant
  }
}

void Replica::end_of_run() {
  if (iterating_) {
    const std::int64_t ended = run_.ended_by(engine_.now());
    if (batch_.decodes) advance(ended - run_.done);
    run_.done = ended;
    record_.kv_blocks_end = state_.blocks.used();
    const double into = (engine_.now() - run_.end_of(ended)).value();
    record_.cut_off = into / (run_.end_of(ended + 1) - run_.end_of(ended)).value();
    close_run();
    engine_.cancel(end_event_);
    iterating_ = false;
  }
}

void Replica::sample(PoolSample& pool) const {
  pool.running += state_.running.size();
  pool.waiting += state_.waiting.size();
  pool.kv_blocks_total += state_.blocks.total();
  pool.kv_blocks_used += state_.blocks.used();
  pool.prompt_tokens += prompt_tokens_;
  pool.output_tokens += output_tokens_;
  pool.busy_time += busy_;
  pool.prefill_time += prefill_;
  if (!iterating_) return;
  const std::int64_t ended = run_.ended_by(engine_.now());
  if (batch_.decodes) {
    pool.output_tokens += state_.decoding.size() * (ended - run_.done);
    pool.kv_blocks_used += state_.decoding.growth().needed(std::min(ended + 1, run_.end) - run_.done);
  }
  const Seconds elapsed = engine_.now() - run_.start;
  pool.busy_time += elapsed;
  // A run with prompt chunks is one iteration long.
  if (!batch_.chunks.empty()) pool.prefill_time += record_.prefill_time * (elapsed.value() / run_.line.first);
}

// ---- The loop ---------------------------------------------------------------------------------------------------

// Plans after everything else that happens at this instant.
void Replica::schedule() {
  if (!engine_.pending(end_event_))
    end_event_ = engine_.at(engine_.now(), kScheduleRank, Action::of<&Replica::begin_iteration>(this));
}

void Replica::begin_iteration(std::int64_t) {
  BatchBuilder builder(state_, batch_, engine_.now());
  wakeup_ = scheduler_->plan(builder);
  const bool unchanged =
      run_open_ && !batch_changed_ && !builder.changed() && batch_.chunks.empty() && run_.done < run_.line.iterations;
  if (!unchanged) {
    close_run();
    if (!batch_.decodes && batch_.chunks.empty()) {
      SILICAST_CHECK(state_.running.empty() && state_.waiting.empty(), "requests wait but nothing can run");
      return;
    }
    open_run();
  }
  iterating_ = true;
  set_run_end(wakeup_);
  arm();
}

void Replica::open_run() {
  const IterationCost& cost = *setup_.cost;
  BatchShape& shape = record_.shape;
  shape = {};
  record_.prefill_pairs = 0;
  record_.prefill_kv_tokens = 0;
  record_.prefill_time = {};
  record_.cut_off = 0;
  if (batch_.decodes) {
    shape.decode_sequences = state_.decoding.size();
    shape.decode_kv_tokens = state_.decoding.kv_tokens() + shape.decode_sequences;
    shape.sampled_sequences = shape.decode_sequences;
    state_.gaps.resume(stalled_);
  } else {
    state_.gaps.stall(engine_.now(), state_.decoding.size());
    stalled_.clear();
  }
  run_.start = engine_.now();
  run_.done = 0;
  record_.kv_blocks_start = state_.blocks.used() + (batch_.decodes ? state_.decoding.growth().needed_next() : 0);
  if (!batch_.chunks.empty()) {
    const double decode_only = batch_.decodes ? cost.line(shape).first : 0;
    for (const PromptChunk& chunk : batch_.chunks) {
      const Request& request = state_.table[chunk.slot];
      const double tokens = chunk.tokens;
      ++shape.prefill_sequences;
      shape.prefill_tokens += chunk.tokens;
      const double attention = cost.prefill_attention(chunk.tokens, request.computed);
      shape.prefill_attention += attention;
      if (chunk.tokens > shape.largest_chunk) {
        shape.largest_chunk = chunk.tokens;
        shape.largest_attention = attention;
      }
      record_.prefill_pairs += tokens * request.computed + 0.5 * tokens * (tokens + 1);
      record_.prefill_kv_tokens += request.computed + chunk.tokens;
      shape.sampled_sequences += request.computed + chunk.tokens == request.context;
    }
    run_.line = cost.line(shape);
    record_.prefill_time = Seconds(run_.line.first - decode_only);
  } else {
    run_.line = cost.line(shape);
  }
  record_.line = run_.line;
  run_open_ = true;
  batch_changed_ = false;
}

// Tells the run that has ended; one that the end of the simulation cut off may have had no whole iteration.
void Replica::close_run() {
  if (!run_open_) return;
  run_open_ = false;
  if (run_.done == 0 && record_.cut_off == 0) return;
  record_.start = run_.start;
  record_.end = record_.cut_off > 0 ? engine_.now() : run_.end_of(run_.done);
  record_.iterations = run_.done;
  record_.steady_first = run_.done > 0 ? record_.shape.decode_sequences : 0;
  for (const TokenGaps::Group& group : stalled_) {
    if (run_.done == 0 || group.sequences == 0 || group.last_token == run_.start) continue;
    record_.steady_first -= group.sequences;
    observer_.token_gap(setup_.pool, (run_.start - group.last_token) + Seconds(run_.line.first), group.sequences);
  }
  busy_ += record_.end - record_.start;
  prefill_ += record_.prefill_time;
  prompt_tokens_ += record_.shape.prefill_tokens;
  observer_.run_ended(record_);
}

// The next iteration at whose end something can change: the run leaps to it.
void Replica::set_run_end(const Wakeup& wakeup) {
  std::int64_t iterations = 1;
  if (setup_.leap && batch_.chunks.empty() && !wakeup.next_iteration) {
    iterations = std::min(run_.line.iterations - run_.done, state_.decoding.iterations_to_finish());
    iterations = state_.decoding.growth().iterations_within(state_.blocks.free(), iterations);
  }
  run_.end = run_.done + iterations;
}

void Replica::arm() {
  end_event_ = engine_.at(run_.end_of(run_.end), kIterationEndRank, Action::of<&Replica::end_iteration>(this));
}

void Replica::cut_to_iteration_in_flight() {
  if (run_.end == run_.done + 1) return;
  const std::int64_t in_flight = run_.in_flight(engine_.now());
  if (in_flight == run_.end) return;
  run_.end = in_flight;
  engine_.move(end_event_, run_.end_of(in_flight));
}

void Replica::end_iteration(std::int64_t) {
  const std::int64_t iterations = run_.end - run_.done;
  run_.done = run_.end;
  iterating_ = false;
  if (batch_.decodes) advance(iterations);
  record_.kv_blocks_end = state_.blocks.used();
  if (batch_.decodes) finish_decodes();
  finish_chunks();
  remove_departed();
  if (engine_.next_now(kScheduleRank))
    begin_iteration();
  else
    schedule();
}

void Replica::advance(std::int64_t iterations) {
  state_.blocks.take(state_.decoding.growth().needed(iterations));
  state_.decoding.advance(iterations);
  output_tokens_ += state_.decoding.size() * iterations;
  // Whoever left during the iteration that now ends is not there to get its token.
  for (const RequestSlot slot : departed_) output_tokens_ -= state_.table[slot].phase == Phase::kDecoding;
}

void Replica::finish_decodes() {
  for (RequestSlot slot = state_.decoding.next_finished(); slot.valid(); slot = state_.decoding.next_finished()) {
    Request& request = state_.table[slot];
    if (!request.left) host_.request_over(slot, EndState::kCompleted, EndReason::kNone, request.spec.output_tokens);
    std::erase(departed_, slot);
    release(slot);
  }
}

void Replica::finish_chunks() {
  for (const PromptChunk& chunk : batch_.chunks) {
    Request& request = state_.table[chunk.slot];
    request.computed += chunk.tokens;
    batch_changed_ = true;
    if (request.computed == request.context && !request.left) give_token(chunk.slot);
  }
}

void Replica::give_token(RequestSlot slot) {
  Request& request = state_.table[slot];
  const SimTime now = engine_.now();
  if (request.generated == 0)
    request.first_token = now;
  else
    observer_.token_gap(setup_.pool, now - request.last_token, 1);
  ++request.generated;
  ++output_tokens_;
  request.last_token = now;
  if (request.generated == request.spec.output_tokens) {
    host_.request_over(slot, EndState::kCompleted, EndReason::kNone, request.generated);
    release(slot);
    return;
  }
  std::erase(state_.prefilling, slot);
  request.phase = Phase::kDecoding;
  request.finish_iteration = state_.decoding.iteration() + request.spec.output_tokens - request.generated;
  state_.decoding.add(slot);
  state_.gaps.join(now);
}

void Replica::remove_departed() {
  for (const RequestSlot slot : departed_) release(slot);
  departed_.clear();
}

void Replica::release(RequestSlot slot) {
  Request& request = state_.table[slot];
  const std::int64_t size = setup_.limits.block_size;
  if (request.phase == Phase::kWaiting) {
    state_.waiting.erase(state_.table, slot);
  } else {
    if (request.phase == Phase::kDecoding) {
      if (request.left) state_.gaps.leave(request.last_token, engine_.now());
      state_.blocks.give_back(blocks_for(state_.decoding.kv_length(request), size));
      state_.decoding.remove(slot);
    } else {
      state_.blocks.give_back(blocks_for(request.computed, size));
      std::erase(state_.prefilling, slot);
    }
    state_.running.erase(state_.table, slot);
    batch_changed_ = true;
  }
  state_.table.remove(slot);
}

std::int32_t Replica::delivered(RequestSlot slot) const {
  const Request& request = state_.table[slot];
  if (request.phase != Phase::kDecoding) return request.generated;
  const std::int64_t ended = iterating_ && batch_.decodes ? run_.ended_by(engine_.now()) - run_.done : 0;
  return state_.decoding.generated(request) + static_cast<std::int32_t>(ended);
}

}  // namespace silicast
