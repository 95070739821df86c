#include "sim/serving/prompt_cache.hpp"

#include <algorithm>

namespace silicast {

// That have an id, within the first tokens of its context. Where the answer is not named, what fills the last block of
// the prompt is the request's own.
std::int32_t PromptCache::whole_blocks(RequestSlot slot, std::int64_t tokens) const {
  if (!table_.answer_named(slot)) tokens = std::min<std::int64_t>(tokens, table_[slot].spec.prompt_tokens);
  return static_cast<std::int32_t>(std::min(static_cast<std::int64_t>(table_.blocks(slot).size()), tokens / tokens_));
}

PromptCache::Found PromptCache::find_in_cache(RequestSlot slot, std::int64_t reserved) {
  drop_taken(reserved);
  const auto whole = static_cast<std::size_t>(whole_blocks(slot, std::int64_t{table_[slot].context} - 1));
  std::int64_t unused = 0;
  Found found;
  found.count = cache_->match(table_.blocks(slot).first(whole), unused);
  found.tokens = static_cast<std::int32_t>(found.count * tokens_);
  found.shared = found.count * weight_;
  found.from_free = unused * weight_;
  return found;
}

void PromptCache::use_found(RequestSlot slot, const Found& found) {
  if (tiers_ != nullptr) tell_tiers();
  if (found.count == 0) return;
  Request& request = table_[slot];
  const std::span<const std::uint64_t> blocks = table_.blocks(slot);
  for (std::int64_t i = 0; i < found.count; ++i) cache_->use(blocks[static_cast<std::size_t>(i)]);
  pool_.take(found.from_free);
  request.shared_blocks = static_cast<std::int32_t>(found.count);
  request.computed = found.tokens;
}

void PromptCache::share_computed(RequestSlot slot) {
  const std::int32_t whole = whole_blocks(slot, table_[slot].computed);
  if (table_[slot].shared_blocks >= whole) return;
  drop_taken();
  share(slot, whole);
  if (tiers_ != nullptr) tell_tiers();
}

void PromptCache::tell_tiers() {
  tiers_->put(place_, fallen_, fresh_);
  fallen_.clear();
  fresh_.clear();
}

void PromptCache::share(RequestSlot slot, std::int32_t whole) {
  Request& request = table_[slot];
  const std::span<const std::uint64_t> blocks = table_.blocks(slot);
  for (; request.shared_blocks < whole; ++request.shared_blocks) {
    const PrefixCache::Was was = cache_->use(blocks[static_cast<std::size_t>(request.shared_blocks)]);
    // Of a block that nobody used, memory that counted as free is used now and the request's own is free: no change.
    if (was == PrefixCache::Was::kUsed) pool_.give_back(weight_);
    if (was == PrefixCache::Was::kMissing && tiers_ != nullptr)
      fresh_.push_back(blocks[static_cast<std::size_t>(request.shared_blocks)]);
  }
}

std::int64_t PromptCache::unshared(RequestSlot slot, std::int64_t stored, std::int64_t blocks, std::int64_t reserved) {
  Request& request = table_[slot];
  drop_taken(reserved);
  share(slot, whole_blocks(slot, stored));
  const std::int64_t unused = cache_->give_back(table_.blocks(slot), request.shared_blocks);
  blocks += (unused - request.shared_blocks) * weight_;
  request.shared_blocks = 0;
  if (tiers_ != nullptr) tell_tiers();
  return blocks;
}

}  // namespace silicast
