// How many KV blocks decoding sequences need when each grows at a rate of its own, because drafted tokens are accepted
// unequally often. When a sequence next needs a block waits in a heap: no closed form, but O(log n) per block.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/serving/decode_progress.hpp"

namespace silicast {

class DraftBlocks {
 public:
  // `drafts` tokens beyond a sequence's own must have a place too in every iteration.
  DraftBlocks(const RequestTable& table, std::int32_t block_size, std::int32_t drafts)
      : table_(table), block_size_(block_size), drafts_(drafts) {}

  void add(RequestSlot slot, std::int64_t iteration) { push(slot, iteration); }

  // Blocks that the iteration after `iteration` needs. O(entries that need one).
  std::int64_t needed_next(std::int64_t iteration) const { return needed_below(0, iteration + 1); }
  std::int64_t needed_next(const Request& request, std::int64_t iteration) const {
    return blocks_in(request, iteration + 1) - blocks_in(request, iteration);
  }
  // Blocks that the iterations up to `iteration` have needed since the last call.
  std::int64_t take(std::int64_t iteration);

 private:
  struct Crossing {
    std::int64_t iteration;  // that needs a block more than the one before it
    std::int64_t admission;  // tells a stale entry from a live one
    RequestSlot slot;
    bool operator<(const Crossing& other) const { return iteration > other.iteration; }
  };
  std::int64_t blocks_in(const Request& request, std::int64_t iteration) const;  // held while that iteration runs
  std::int64_t needed_below(std::size_t entry, std::int64_t iteration) const;
  bool stale(const Crossing& entry) const;
  void push(RequestSlot slot, std::int64_t iteration);

  const RequestTable& table_;
  std::int64_t block_size_;
  std::int64_t drafts_;
  std::vector<Crossing> heap_;
};

}  // namespace silicast
