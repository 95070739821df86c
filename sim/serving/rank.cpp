#include "sim/serving/rank.hpp"

#include <algorithm>

#include "sim/base/first_integer.hpp"
#include "sim/base/random.hpp"
#include "sim/model/attention_work.hpp"

namespace silicast {

Rank::Rank(const Setup& setup, std::unique_ptr<Scheduler> scheduler, Engine& engine, RequestTable& table,
           ServingObserver& observer, ReplicaHost& host)
    : setup_(setup),
      scheduler_(std::move(scheduler)),
      engine_(engine),
      observer_(observer),
      host_(host),
      state_(table, setup.limits, *setup.cost, setup.tiers, setup.place) {
  SILICAST_CHECK(setup.limits.max_batched_tokens >= setup.limits.max_sequences);
}

std::int32_t Acceptance::rate_of(std::int64_t request, std::int32_t drafts) const {
  if (drafts == 0) return kTokenUnits;
  double accepted = mean;
  if (spread > 0) {
    RandomStream random(seed + static_cast<std::uint64_t>(request), "draft acceptance");
    accepted = std::clamp(mean + spread * random.normal(), 0.0, static_cast<double>(drafts));
  }
  return static_cast<std::int32_t>((1 + accepted) * kTokenUnits);
}

// ---- Requests ---------------------------------------------------------------------------------------------------

EndReason Rank::refusal(const RequestSpec& spec) const {
  const std::int64_t tokens = setup_.limits.hands_on ? spec.prompt_tokens : kv_tokens_of(spec);
  if (tokens > kv_capacity()) return EndReason::kKvTooSmall;
  if (setup_.limits.max_waiting > 0 && state_.waiting.size() >= setup_.limits.max_waiting) return EndReason::kQueueFull;
  return EndReason::kNone;
}

void Rank::enqueue(RequestSlot slot, std::int64_t eligible) {
  Request& request = state_.table[slot];
  request.eligible = eligible;
  request.phase = Phase::kWaiting;
  request.context = request.spec.prompt_tokens;
  state_.waiting.push_back(state_.table, slot);
}

bool Rank::client_left(RequestSlot slot, EndState state, EndReason reason, std::int64_t ended, bool iterating) {
  host_.request_over(slot, state, reason, delivered(slot, ended));
  return withdraw(slot, iterating);
}

bool Rank::withdraw(RequestSlot slot, bool iterating) {
  Request& request = state_.table[slot];
  if (request.phase == Phase::kWaiting) {
    const bool first = state_.waiting.front() == slot;
    release(slot);
    return first;  // the next in the queue may be smaller and fit
  }
  request.left = true;
  departed_.push_back(slot);
  // Between the end of an iteration and the plan for the next, at the same instant, it goes at once.
  if (!iterating) remove_departed();
  return true;
}

void Rank::arrived(RequestSlot slot, std::int64_t eligible) {
  Request& request = state_.table[slot];
  --state_.away;
  request.eligible = eligible;
  state_.received.push_back(slot);
  if (request.phase == Phase::kFetching) {
    request.phase = Phase::kFetched;
    if (request.preemptions > 0) return;
    request.cached += request.incoming;
    const std::vector<TierSetup>& tiers = state_.tiers->tiers(state_.place);
    for (std::size_t t = 0; t < tiers.size(); ++t)
      request.fetched[static_cast<std::size_t>(tiers[t].number)] =
          state_.tiers->fetched(slot, t) * setup_.limits.prompt_block;
    return;
  }
  SILICAST_CHECK(request.phase == Phase::kReceiving);
  request.phase = Phase::kReceived;
  request.elsewhere = false;
  request.computed = request.context;
  request.first_token = request.last_token = engine_.now();
  request.generated = 1;
  ++output_tokens_;
  request.rate = setup_.acceptance.rate_of(request.index, setup_.limits.drafts);
}

std::int32_t Rank::delivered(RequestSlot slot, std::int64_t ended) const {
  const Request& request = state_.table[slot];
  if (request.phase != Phase::kDecoding) return request.generated;
  return state_.decoding.generated(request, batch_.decodes ? ended : 0);
}

void Rank::sample(PoolSample& pool, std::int64_t ended, std::int64_t end) const {
  pool.running += state_.running.size();
  pool.waiting += state_.waiting.size();
  pool.kv_blocks_total += state_.blocks.total();
  pool.kv_blocks_used += state_.blocks.used();
  pool.prompt_tokens += prompt_tokens_;
  pool.output_tokens += output_tokens_;
  if (!batch_.decodes || end == 0) return;
  pool.output_tokens += state_.decoding.size() * ended + accepted_in(ended);
  pool.kv_blocks_used += std::min(state_.decoding.blocks_after(std::min(ended + 1, end)), state_.blocks.free());
}

// ---- Iterations -------------------------------------------------------------------------------------------------

void Rank::plan(std::int64_t iteration) {
  for (;;) {
    BatchBuilder builder(state_, batch_, engine_.now(), iteration);
    wakeup_ = scheduler_->plan(builder);
    changed_ = changed_ || builder.changed() || has_chunks();
    // Where those were driven out who had something to compute, or room was made for others only, no iteration follows
    // after which to plan again.
    if (!builder.changed() || state_.computes()) break;
  }
  if (!state_.driven_out.empty() || !state_.admitted_elsewhere.empty()) tell_memory();
}

void Rank::tell_memory() {
  for (const RequestSlot slot : state_.driven_out) host_.kv_memory_lost(slot);
  for (const RequestSlot slot : state_.admitted_elsewhere) host_.kv_memory_taken(slot);
  state_.driven_out.clear();
  state_.admitted_elsewhere.clear();
}

void Rank::announce_chunks(SimTime end) {
  for (const PromptChunk& chunk : batch_.chunks)
    host_.context_grows(chunk.slot, state_.table[chunk.slot].computed + chunk.tokens, end);
}

void Rank::open(IterationWork& work, std::vector<TokenGaps::Group>& stalled) {
  changed_ = false;
  BatchShape& shape = work.shape;
  const DecodeSet& decoding = state_.decoding;
  LengthSum* limited = shape.limited.data();
  if (batch_.decodes) {
    shape.decode_sequences = shape.sampled_sequences = decoding.size();
    shape.decode_kv_tokens = decoding.kv_tokens() + shape.decode_sequences;
    shape.accepted_drafts = decoding.accepted_drafts();
    for (const LimitedLengths& lengths : decoding.limited()) *limited++ = lengths.sum();
    state_.gaps.resume(stalled);
  } else {
    shape.decode_sequences = shape.sampled_sequences = 0;
    shape.decode_kv_tokens = 0;
    shape.accepted_drafts = 0;
    shape.limited = {};
    state_.gaps.stall(engine_.now(), decoding.size());
  }
  if (shape.prefill_sequences > 0) forget_chunks(work);
  if (has_chunks()) {
    price_chunks(work);
  } else if (batch_.decodes) {
    work.line = setup_.cost->line(shape);
    work.line.iterations = std::min(work.line.iterations, state_.decoding.iterations_to_limit());
  } else {
    work.line = {};
  }
  left_ = work.line.iterations;
}

// Of the batch before.
void Rank::forget_chunks(IterationWork& work) {
  BatchShape& shape = work.shape;
  shape.prefill_sequences = shape.prefill_tokens = shape.largest_chunk = 0;
  shape.prefill_attention = shape.largest_attention = 0;
  shape.largest_context = 0;
  work.prefill_pairs = 0;
  work.prefill_kv_tokens = 0;
  work.prefill_time = {};
  work.limited_pairs = {};
}

void Rank::price_chunks(IterationWork& work) {
  const IterationCost& cost = *setup_.cost;
  BatchShape& shape = work.shape;
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
      shape.largest_context = request.computed;
    }
    work.prefill_pairs += tokens * request.computed + 0.5 * tokens * (tokens + 1);
    work.prefill_kv_tokens += request.computed + chunk.tokens;
    for (std::size_t i = 0; i < cost.reaches().size(); ++i)
      work.limited_pairs[i] += reached_pairs(chunk.tokens, request.computed, cost.reaches()[i]);
    shape.sampled_sequences += request.computed + chunk.tokens == request.context;
  }
  work.line = cost.line(shape);
  work.prefill_time = Seconds(work.line.first - decode_only);
}

void Rank::finish_decodes() {
  for (RequestSlot slot = state_.decoding.next_finished(); slot.valid(); slot = state_.decoding.next_finished()) {
    Request& request = state_.table[slot];
    if (!request.left) host_.request_over(slot, EndState::kCompleted, EndReason::kNone, request.spec.output_tokens);
    std::erase(departed_, slot);
    release(slot);
  }
}

void Rank::finish_chunks() {
  for (const PromptChunk& chunk : batch_.chunks) {
    Request& request = state_.table[chunk.slot];
    request.computed += chunk.tokens;
    prompt_tokens_ += chunk.tokens;
    changed_ = true;
    state_.prompts.computed(chunk.slot);
    if (request.computed < request.context || request.left) continue;
    if (setup_.limits.hands_on && request.spec.output_tokens > 1)
      hand_on(chunk.slot);
    else
      give_token(chunk.slot);
  }
}

// The batch is done with it; its KV stays until it has moved.
void Rank::hand_on(RequestSlot slot) {
  std::erase(state_.prefilling, slot);
  state_.running.erase(state_.table, slot);
  state_.table[slot].phase = Phase::kHeld;
  ++state_.away;
  host_.context_computed(slot);
}

void Rank::give_token(RequestSlot slot) {
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
  if (request.rate == 0) request.rate = setup_.acceptance.rate_of(request.index, setup_.limits.drafts);
  state_.begin_decoding(slot);
  state_.gaps.join(now);
}

void Rank::remove_departed() {
  for (const RequestSlot slot : departed_) release(slot);
  departed_.clear();
}

void Rank::release(RequestSlot slot) {
  const Request& request = state_.table[slot];
  if (request.phase == Phase::kDecoding && request.left) state_.gaps.leave(request.last_token, engine_.now());
  state_.give_up(slot);
  if (request.phase == Phase::kWaiting) {
    state_.waiting.erase(state_.table, slot);
  } else if (request.phase != Phase::kHeld) {
    state_.running.erase(state_.table, slot);
    changed_ = true;
  }
  state_.table.remove(slot);
}

}  // namespace silicast
