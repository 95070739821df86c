#include "sim/serving/draft_blocks.hpp"

#include <algorithm>

#include "sim/memory/block_pool.hpp"

namespace silicast {

std::int64_t DraftBlocks::blocks_in(const Request& request, std::int64_t iteration) const {
  return blocks_for(kv_length_at(request, iteration) + drafts_, block_size_);
}

void DraftBlocks::push(RequestSlot slot, std::int64_t iteration) {
  const Request& request = table_[slot];
  // The shortest length that the blocks held do not hold.
  const std::int64_t length = blocks_in(request, iteration) * block_size_ - drafts_ + 1;
  const std::int64_t reached = iteration_of_length(request, length);
  if (reached == kForever) return;
  heap_.push_back({reached, request.admission, slot});
  std::push_heap(heap_.begin(), heap_.end());
}

bool DraftBlocks::stale(const Crossing& entry) const {
  const Request& request = table_[entry.slot];
  return request.admission != entry.admission || request.phase != Phase::kDecoding;
}

// Heaps keep every entry at or before those below it, so a walk from the top meets only what it counts and its edge.
std::int64_t DraftBlocks::needed_below(std::size_t entry, std::int64_t iteration) const {
  if (entry >= heap_.size() || heap_[entry].iteration > iteration) return 0;
  const Request& request = table_[heap_[entry].slot];
  const std::int64_t own = stale(heap_[entry]) ? 0 : blocks_in(request, iteration) - blocks_in(request, iteration - 1);
  return own + needed_below(2 * entry + 1, iteration) + needed_below(2 * entry + 2, iteration);
}

std::int64_t DraftBlocks::take(std::int64_t iteration) {
  std::int64_t blocks = 0;
  while (!heap_.empty() && heap_.front().iteration <= iteration) {
    const Crossing entry = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
    if (stale(entry)) continue;
    const Request& request = table_[entry.slot];
    blocks += blocks_in(request, iteration) - blocks_in(request, entry.iteration - 1);
    push(entry.slot, iteration);
  }
  return blocks;
}

}  // namespace silicast
