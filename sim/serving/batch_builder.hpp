// The state of a replica that a scheduler plans on, and the few operations it plans with. A scheduler sees counts and
// prompts; a request's true output length is not among them.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/memory/block_pool.hpp"
#include "sim/serving/decode_set.hpp"
#include "sim/serving/prompt_cache.hpp"
#include "sim/serving/request_table.hpp"
#include "sim/serving/token_gaps.hpp"

namespace silicast {

struct ReplicaLimits {
  std::int32_t max_sequences = 256;        // running requests
  std::int32_t max_batched_tokens = 8192;  // tokens of one iteration; >= max_sequences
  std::int32_t max_chunk = 8192;           // prompt tokens of one request in one iteration
  std::int64_t max_waiting = 0;            // queue limit; 0: none
  std::int32_t block_size = 16;            // tokens
  std::int64_t blocks = 0;                 // KV blocks of the replica
  std::int64_t sequence_blocks = 0;        // that every running request takes besides those of its tokens
  std::int32_t drafts = 0;                 // tokens drafted for each decode and verified with it
  std::int32_t prompt_block = 0;           // tokens of a block of prompts that are kept for others; 0: none are
  bool reserve_prompt = false;             // admit a request only if its whole context fits, not just its first chunk
  bool hands_on = false;                   // computes contexts for other replicas, and holds them until they have moved
};

// A piece of a context that an iteration computes.
struct PromptChunk {
  RequestSlot slot;
  std::int32_t tokens = 0;
};

// What one iteration computes.
struct Batch {
  bool decodes = false;  // all decoding sequences, one token each and its drafts
  std::vector<PromptChunk> chunks;
};

// The requests and the memory of one replica.
struct ReplicaState {
  ReplicaState(RequestTable& requests, const ReplicaLimits& replica_limits, const IterationCost& iteration_cost,
               KvTiers* below = nullptr, ReplicaId at = {})
      : table(requests),
        limits(replica_limits),
        cost(iteration_cost),
        tiers(replica_limits.prompt_block > 0 ? below : nullptr),
        place(at),
        blocks(replica_limits.blocks),
        decoding(requests, replica_limits.block_size, replica_limits.drafts, iteration_cost.reaches()),
        prompts(replica_limits.prompt_block, replica_limits.block_size, requests, blocks, tiers, at) {}

  // That a running request holds with so many tokens stored; none before the first.
  std::int64_t blocks_of(std::int64_t tokens) const {
    return tokens == 0 ? 0 : blocks_for(tokens + limits.drafts, limits.block_size) + limits.sequence_blocks;
  }

  // That a request whose context is being computed holds. One that is handed on has them all from the start: it is
  // computed to its end whatever transfers do.
  std::int64_t blocks_prefilling(const Request& request) const {
    return blocks_of(limits.hands_on ? request.context : request.computed);
  }
  // One whose blocks are being fetched has theirs as well.
  std::int64_t blocks_fetching(const Request& request) const {
    return blocks_of(limits.hands_on ? request.context : request.computed + request.incoming);
  }
  // A request loses the blocks that it holds, and its place among those of its phase, waiting and running aside.
  // `reserved`: of the free blocks, those that others are about to take.
  void give_up(RequestSlot slot, std::int64_t reserved = 0);
  // What was fetched is there: the rest of its context is computed.
  void begin_prefilling(RequestSlot slot);
  // A request whose context is there, with its rate, is one of those that decode.
  void begin_decoding(RequestSlot slot) {
    Request& request = table[slot];
    request.phase = Phase::kDecoding;
    request.decode_start = decoding.iteration();
    request.finish_iteration = iteration_of_token(request, request.spec.output_tokens);
    decoding.add(slot);
  }
  // Whether some running request has anything to compute.
  bool computes() const { return decoding.size() > 0 || !prefilling.empty(); }

  RequestTable& table;
  ReplicaLimits limits;
  const IterationCost& cost;
  KvTiers* tiers;   // below its cache of prompts; nullptr: none
  ReplicaId place;  // its number among all ranks
  BlockPool blocks;
  DecodeSet decoding;
  PromptCache prompts;
  RequestList waiting;
  RequestList running;                  // prefilling, decoding and those who will, in order of admission
  std::vector<RequestSlot> prefilling;  // the running requests with a context left to compute, in that order
  std::vector<RequestSlot> received;    // those whose KV has come and who do not go on yet, in the order of that
  std::vector<RequestSlot> admitted_elsewhere, driven_out;  // by the last plan: kReceiving now, and no longer
  std::int32_t away = 0;  // requests that wait for a transfer: kHeld, kReceiving and kFetching
  TokenGaps gaps;
  bool waits_for_drops = false;  // the first waiting request may fit when the cache of prompts has dropped some
};

enum class Admit { kChunk, kWhole };

class BatchBuilder {
 public:
  // `iteration`: of the replica, that is about to begin.
  BatchBuilder(ReplicaState& state, Batch& batch, SimTime now, std::int64_t iteration)
      : state_(state), batch_(batch), now_(now), iteration_(iteration) {
    batch_.decodes = false;
    batch_.chunks.clear();
    state_.waits_for_drops = false;
    if (!state_.received.empty()) join_received();
  }

  // Requests that can be admitted; those that came too late for this iteration do not count.
  std::int32_t waiting() const {
    return !state_.waiting.empty() && eligible(state_.waiting.front()) ? state_.waiting.size() : 0;
  }
  std::int32_t running() const { return state_.running.size(); }
  bool sequence_free() const { return running() < state_.limits.max_sequences; }
  bool has_prompts() const { return !batch_.chunks.empty(); }

  // Every running request goes on: one token (and its drafts) for each decoding sequence, then the next chunk of each
  // begun context in order of admission. When the blocks run out, the last admitted are preempted until the rest fit:
  // they lose their KV and go to the front of the queue. True when none was.
  bool continue_running();

  // The begun contexts alone go on, each by its next chunk; room is made as above. True when nobody was preempted.
  bool continue_prompts();

  // Takes the first waiting request into the batch: with the chunk that the budget leaves, or only if its whole
  // context fits into what is left (one longer than the budget itself begins with a chunk of a whole budget). False
  // when it must wait: no sequence, no budget or no blocks free.
  bool admit(Admit how) { return !state_.waiting.empty() && admit_first(how); }

  // Whether a request was admitted or preempted, or began to decode.
  bool changed() const { return changed_; }

 private:
  // Who came too late for this plan waits for the next, but an idle replica plans at once.
  bool eligible(RequestSlot slot) const { return state_.table[slot].eligible <= iteration_ || !state_.computes(); }
  std::int32_t decode_tokens() const { return state_.decoding.size() * (1 + state_.limits.drafts); }
  void join_received();
  bool admit_first(Admit how);
  bool admit_elsewhere(RequestSlot slot);
  bool fetches(RequestSlot slot, const PromptCache::Found& found);
  std::int32_t next_chunk(const Request& request) const { return chunk_from(request, request.computed); }
  std::int32_t chunk_from(const Request& request, std::int32_t computed) const;
  std::int64_t blocks_of_chunk(const Request& request, std::int32_t tokens) const;
  std::int64_t blocks_of_chunks() const;
  void add_chunks();
  bool make_room(std::int64_t blocks, RequestSlot asking);
  void add_chunk(RequestSlot slot, std::int32_t tokens);
  void preempt(RequestSlot slot);
  void continue_short_of_blocks();

  ReplicaState& state_;
  Batch& batch_;
  SimTime now_;
  std::int64_t iteration_;
  std::int32_t tokens_ = 0;           // in the batch so far
  std::int64_t growth_reserved_ = 0;  // blocks that the decoding sequences need in this iteration
  bool changed_ = false;
};

inline bool BatchBuilder::continue_running() {
  if (!state_.computes()) return true;
  // The common case first, without a walk over the sequences: everything fits.
  const std::int64_t growth = state_.decoding.blocks_next();
  const bool chunks = !state_.prefilling.empty();
  if (growth + (chunks ? blocks_of_chunks() : 0) > state_.blocks.free()) {
    continue_short_of_blocks();
    return false;
  }
  batch_.decodes = state_.decoding.size() > 0;
  growth_reserved_ = growth;
  tokens_ = decode_tokens();
  if (chunks) add_chunks();
  return true;
}

}  // namespace silicast
