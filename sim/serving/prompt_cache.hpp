// The KV blocks of prompts that the sequences of one rank share, and those that nobody uses and are kept in memory that
// is free for as long as it is. A block of a trace (512 tokens) stands for several of the engine (16 tokens), all or
// none. Only whole blocks are shared, and the last token of a context is always computed: somebody must give the first
// token of the answer (as vLLM and SGLang do). Blocks of an answer that have ids are there for others from when their
// request leaves the batch: nobody can ask for them before the answer is out, nor it itself before it is preempted.
#pragma once

#include <optional>

#include "sim/memory/block_pool.hpp"
#include "sim/memory/prefix_cache.hpp"
#include "sim/serving/kv_tiers.hpp"
#include "sim/serving/request_table.hpp"

namespace silicast {

class PromptCache {
 public:
  // `prompt_block`: tokens of a block of the requests' prompts, a multiple of the engine's `block_size`; 0: no cache.
  // `tiers`: below it, or nullptr; they hear what it drops, and what is computed, at the next admission, end of a chunk
  // or departure of its rank, which come at the same instants however iterations are stepped through.
  PromptCache(std::int32_t prompt_block, std::int32_t block_size, RequestTable& table, BlockPool& pool,
              KvTiers* tiers = nullptr, ReplicaId place = {})
      : table_(table),
        pool_(pool),
        tokens_(prompt_block),
        weight_(prompt_block / block_size),
        tiers_(tiers),
        place_(place) {
    if (prompt_block > 0) cache_.emplace();
  }

  // What a request that waits would find.
  struct Found {
    std::int64_t count = 0;      // blocks of its prompt
    std::int32_t tokens = 0;     // of its context, that need not be computed
    std::int64_t shared = 0;     // blocks of the engine that these take
    std::int64_t from_free = 0;  // those among them that nobody uses now: they count as free
  };
  // `reserved`: of the free blocks, those that running requests are about to take.
  Found find(RequestSlot slot, std::int64_t reserved) { return cache_ ? find_in_cache(slot, reserved) : Found{}; }

  // The request is admitted and uses what it found; nothing may happen in between. Takes `from_free` from the pool.
  void use(RequestSlot slot, const Found& found) {
    if (cache_) use_found(slot, found);
  }

  // Blocks with an id within the first tokens of its context.
  std::int32_t whole_blocks(RequestSlot slot, std::int64_t tokens) const;

  // More of the request's context has been computed: its whole blocks are there for others from now on. Where somebody
  // else computed the same meanwhile, its own copies are given back.
  void computed(RequestSlot slot) {
    if (cache_) share_computed(slot);
  }

  // The request leaves the batch and loses its `blocks` blocks, shared ones among them, that hold the KV of `stored`
  // tokens; those that nobody uses any more go to the pool.
  void give_back(RequestSlot slot, std::int64_t stored, std::int64_t blocks, std::int64_t reserved = 0) {
    if (cache_) blocks = unshared(slot, stored, blocks, reserved);
    pool_.give_back(blocks);
  }

  // Blocks of the engine that are kept and that nobody uses; they count as free.
  std::int64_t kept() const { return cache_ ? cache_->unused() * weight_ : 0; }
  // Those that somebody uses.
  std::int64_t in_use() const { return cache_ ? cache_->used() * weight_ : 0; }

 private:
  void use_found(RequestSlot slot, const Found& found);
  Found find_in_cache(RequestSlot slot, std::int64_t reserved);
  void share_computed(RequestSlot slot);
  void share(RequestSlot slot, std::int32_t whole);
  std::int64_t unshared(RequestSlot slot, std::int64_t stored, std::int64_t blocks, std::int64_t reserved);

  // Memory that was taken since the last time took it from what was kept. Between two calls the free memory only
  // shrinks, and the order of what is kept does not change: dropping late drops the same.
  void drop_taken(std::int64_t reserved = 0) {
    cache_->keep_unused((pool_.free() - reserved) / weight_, tiers_ != nullptr ? &fallen_ : nullptr);
  }
  void tell_tiers();

  RequestTable& table_;
  BlockPool& pool_;
  std::int32_t tokens_;  // of a block of prompts
  std::int64_t weight_;  // blocks of the engine in it
  std::optional<PrefixCache> cache_;
  KvTiers* tiers_;
  ReplicaId place_;
  std::vector<std::uint64_t> fallen_, fresh_;  // dropped, and computed, since the tiers were told
};

}  // namespace silicast
