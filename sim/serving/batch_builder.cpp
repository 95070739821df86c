#include "sim/serving/batch_builder.hpp"

#include <algorithm>

#include "sim/serving/fetch_choice.hpp"

namespace silicast {

std::int32_t BatchBuilder::chunk_from(const Request& request, std::int32_t computed) const {
  const std::int32_t left = request.context - computed;
  return std::min({left, state_.limits.max_chunk, state_.limits.max_batched_tokens - tokens_});
}

std::int64_t BatchBuilder::blocks_of_chunk(const Request& request, std::int32_t tokens) const {
  if (state_.limits.hands_on) return 0;  // taken when it was admitted
  return state_.blocks_of(request.computed + tokens) - state_.blocks_of(request.computed);
}

void BatchBuilder::add_chunk(RequestSlot slot, std::int32_t tokens) {
  state_.blocks.take(blocks_of_chunk(state_.table[slot], tokens));
  batch_.chunks.push_back({slot, tokens});
  tokens_ += tokens;
}

// Of the next chunks of all begun contexts, beside the decodes.
std::int64_t BatchBuilder::blocks_of_chunks() const {
  std::int64_t blocks = 0;
  std::int32_t tokens = decode_tokens();
  for (const RequestSlot slot : state_.prefilling) {
    const Request& request = state_.table[slot];
    const std::int32_t chunk = std::min(
        {request.context - request.computed, state_.limits.max_chunk, state_.limits.max_batched_tokens - tokens});
    tokens += chunk;
    blocks += blocks_of_chunk(request, chunk);
  }
  return blocks;
}

void BatchBuilder::add_chunks() {
  for (const RequestSlot slot : state_.prefilling)
    if (const std::int32_t chunk = next_chunk(state_.table[slot]); chunk > 0) add_chunk(slot, chunk);
}

bool BatchBuilder::continue_prompts() {
  const std::int32_t running = state_.running.size();
  // Victims leave from the end of the running order, so those begun before stay where they are.
  for (std::size_t i = 0; i < state_.prefilling.size(); ++i) {
    const RequestSlot slot = state_.prefilling[i];
    const std::int32_t chunk = next_chunk(state_.table[slot]);
    if (chunk <= 0) break;
    // Decodes take no part of this budget, so a victim that decoded gives none of it back.
    const std::int32_t tokens = tokens_;
    const bool room = make_room(blocks_of_chunk(state_.table[slot], chunk), slot);
    tokens_ = tokens;
    if (!room) break;
    add_chunk(slot, chunk);
  }
  return state_.running.size() == running;
}

// A real scheduling pass, O(batch): in order of admission each request takes the blocks that it needs, or makes room
// by preempting from the end of that order. The first in order can always go on: alone it fits (checked on arrival),
// so every pass makes progress and preemption cannot go round in circles.
void BatchBuilder::continue_short_of_blocks() {
  tokens_ = decode_tokens();
  growth_reserved_ = 0;
  for (RequestSlot slot = state_.running.front(); slot.valid(); slot = state_.table[slot].next) {
    Request& request = state_.table[slot];
    if (request.phase == Phase::kDecoding) {
      const std::int64_t blocks = state_.decoding.blocks_next(request);
      if (blocks == 0) continue;
      if (!make_room(growth_reserved_ + blocks, slot)) break;
      growth_reserved_ += blocks;
    } else if (request.phase == Phase::kPrefilling) {
      const std::int32_t chunk = next_chunk(request);
      if (chunk <= 0) continue;
      if (!make_room(growth_reserved_ + blocks_of_chunk(request, chunk), slot)) break;
      add_chunk(slot, chunk);
    }
  }
  batch_.decodes = state_.decoding.size() > 0;
}

// Preempts from the end of the running order until `blocks` are free; false when `asking` itself had to go.
bool BatchBuilder::make_room(std::int64_t blocks, RequestSlot asking) {
  while (blocks > state_.blocks.free()) {
    const RequestSlot victim = state_.running.back();
    SILICAST_CHECK(victim != state_.running.front(), "a request that does not fit alone was admitted");
    preempt(victim);
    if (victim == asking) return false;
  }
  return true;
}

void BatchBuilder::preempt(RequestSlot slot) {
  Request& request = state_.table[slot];
  const Phase was = request.phase;
  if (was == Phase::kDecoding) {
    const std::int32_t generated = state_.decoding.generated(request);
    request.last_token = state_.gaps.leave(request.last_token, now_);
    state_.give_up(slot, growth_reserved_);
    request.generated = generated;
    tokens_ -= 1 + state_.limits.drafts;
  } else {
    state_.give_up(slot, growth_reserved_);
  }
  request.phase = Phase::kWaiting;
  state_.running.erase(state_.table, slot);
  state_.waiting.push_front(state_.table, slot);
  changed_ = true;
  if (was == Phase::kReceiving) {
    // Its KV is still where it was computed, and comes when there is room again.
    if (std::erase(state_.admitted_elsewhere, slot) == 0) state_.driven_out.push_back(slot);
    return;
  }
  request.context = request.spec.prompt_tokens + request.generated;
  request.computed = request.incoming = 0;
  ++request.preemptions;
  request.preempted_at = now_;
}

void ReplicaState::give_up(RequestSlot slot, std::int64_t reserved) {
  const Request& request = table[slot];
  const auto give_back = [&](std::int64_t stored, std::int64_t held) {
    prompts.give_back(slot, stored, held, reserved);
  };
  switch (request.phase) {
    case Phase::kPrefilling:
      give_back(request.computed, blocks_prefilling(request));
      std::erase(prefilling, slot);
      break;
    case Phase::kDecoding: {
      const std::int64_t stored = decoding.kv_length(request);
      give_back(stored, blocks_of(stored));
      decoding.remove(slot);
      break;
    }
    case Phase::kHeld:
      give_back(request.computed, blocks_prefilling(request));
      --away;
      break;
    case Phase::kReceiving:
      give_back(0, blocks_of(request.spec.prompt_tokens));
      --away;
      break;
    case Phase::kFetching:
      give_back(request.computed, blocks_fetching(request));
      tiers->stop(slot);
      --away;
      break;
    case Phase::kReceived:
      give_back(request.computed, blocks_of(request.computed));
      std::erase(received, slot);
      break;
    case Phase::kFetched:
      give_back(request.computed, blocks_fetching(request));
      std::erase(received, slot);
      break;
    case Phase::kWaiting:
      break;
    case Phase::kFree:
    case Phase::kArriving:
      SILICAST_CHECK(false, "a request that is not here");
  }
}

// Those whose KV has come go on from here. Where it is all of their context's, their first token came with it.
void BatchBuilder::join_received() {
  const std::int32_t decoding = state_.decoding.size();
  std::size_t joined = 0;
  for (const RequestSlot slot : state_.received) {
    if (!eligible(slot)) break;
    if (state_.table[slot].phase == Phase::kFetched) {
      state_.begin_prefilling(slot);
    } else {
      state_.gaps.join_late(state_.table[slot].last_token, now_, decoding);
      state_.begin_decoding(slot);
    }
    ++joined;
    changed_ = true;
  }
  state_.received.erase(state_.received.begin(), state_.received.begin() + static_cast<std::ptrdiff_t>(joined));
}

// In order of admission among those with a context to compute.
void ReplicaState::begin_prefilling(RequestSlot slot) {
  Request& request = table[slot];
  request.phase = Phase::kPrefilling;
  request.computed += request.incoming;
  request.incoming = 0;
  const auto before = [&](RequestSlot a, RequestSlot b) { return table[a].admission < table[b].admission; };
  prefilling.insert(std::upper_bound(prefilling.begin(), prefilling.end(), slot, before), slot);
  prompts.computed(slot);
}

// Of a request that is being admitted, which uses what it found: whether it waits for more of its blocks to come from
// tiers, where that is sooner than computing them.
bool BatchBuilder::fetches(RequestSlot slot, const PromptCache::Found& found) {
  Request& request = state_.table[slot];
  const std::int32_t size = state_.limits.prompt_block;
  std::int64_t most = state_.prompts.whole_blocks(slot, std::int64_t{request.context} - 1);
  if (!state_.limits.hands_on) {
    const std::int64_t free = state_.blocks.free() - growth_reserved_ + found.shared - state_.limits.sequence_blocks;
    most = std::min(most, (free * state_.limits.block_size - state_.limits.drafts) / size);
  }
  if (most <= found.count) return false;
  const auto first = static_cast<std::size_t>(found.count);
  const std::span<const TierOffer> offers = state_.tiers->offers(
      state_.place, state_.table.blocks(slot).subspan(first, static_cast<std::size_t>(most) - first));
  const TierOffer* offer = sooner_than_computed(offers, state_.cost, state_.limits, found.tokens, request.context);
  if (offer == nullptr) return false;
  state_.tiers->fetch(slot, found.count, *offer);
  request.incoming = static_cast<std::int32_t>(offer->all * size);
  request.phase = Phase::kFetching;
  ++state_.away;
  return true;
}

// Room for the KV of a context that is computed by another replica.
bool BatchBuilder::admit_elsewhere(RequestSlot slot) {
  Request& request = state_.table[slot];
  const std::int64_t blocks = state_.blocks_of(request.spec.prompt_tokens);
  if (blocks > state_.blocks.free() - growth_reserved_) return false;
  state_.blocks.take(blocks);
  state_.waiting.erase(state_.table, slot);
  state_.running.push_back(state_.table, slot);
  request.phase = Phase::kReceiving;
  request.admission = state_.table.next_admission();
  state_.admitted_elsewhere.push_back(slot);
  ++state_.away;
  changed_ = true;
  return true;
}

bool BatchBuilder::admit_first(Admit how) {
  if (waiting() == 0 || !sequence_free()) return false;
  const RequestSlot slot = state_.waiting.front();
  Request& request = state_.table[slot];
  if (request.elsewhere) return admit_elsewhere(slot);
  const PromptCache::Found found = state_.prompts.find(slot, growth_reserved_);
  const std::int32_t tokens = chunk_from(request, found.tokens);
  if (tokens <= 0) return false;
  const std::int32_t left = request.context - found.tokens;
  const std::int32_t whole = std::min({left, state_.limits.max_chunk, state_.limits.max_batched_tokens});
  if (how == Admit::kWhole && tokens < whole) return false;
  const bool whole_context = state_.limits.reserve_prompt || state_.limits.hands_on;
  const std::int32_t checked = found.tokens + (whole_context ? left : tokens);
  if (state_.blocks_of(checked) - found.shared + found.from_free > state_.blocks.free() - growth_reserved_) {
    // With less of its prompt in the cache it may fit, as its first chunk then reaches less far.
    state_.waits_for_drops = found.from_free > 0 && !whole_context;
    return false;
  }
  state_.waiting.erase(state_.table, slot);
  state_.running.push_back(state_.table, slot);
  request.phase = Phase::kPrefilling;
  request.admission = state_.table.next_admission();
  if (request.scheduled == SimTime::never()) request.scheduled = now_;
  if (request.preemptions > 0 && request.first_token == SimTime::never())
    request.preempted_before_first_token += now_ - request.preempted_at;
  state_.prompts.use(slot, found);
  if (request.preemptions == 0) request.cached = found.tokens;
  // Whether it fits, and so when it is admitted, is asked as if it computed them: that is the same at every asking.
  const bool waits = state_.tiers != nullptr && fetches(slot, found);
  // What a running request has besides the blocks of its tokens comes with the first of these.
  const std::int32_t begun = state_.limits.hands_on ? request.context : found.tokens + request.incoming;
  if (begun > 0) state_.blocks.take(state_.blocks_of(begun) - found.shared);
  changed_ = true;
  if (waits) return true;
  state_.prefilling.push_back(slot);
  add_chunk(slot, tokens);
  return true;
}

}  // namespace silicast
