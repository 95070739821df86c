#include "sim/memory/block_growth.hpp"

#include <algorithm>

namespace silicast {

std::int64_t BlockGrowth::needed(std::int64_t iterations) const {
  const std::int64_t size = block_size();
  std::int64_t blocks = 0, rest = iterations;
  if (iterations >= size) {
    blocks = sequences_ * (iterations / size);
    rest = iterations % size;
  }
  // The i-th token (from 0) of the incomplete period needs a block where length + i is a multiple of the size.
  std::int64_t at = full_now();
  for (; rest > 0; --rest) {
    blocks += counts_[static_cast<std::size_t>(at)];
    if (--at < 0) at = size - 1;
  }
  return blocks;
}

std::int64_t BlockGrowth::iterations_within(std::int64_t free, std::int64_t limit) const {
  const std::int64_t size = block_size();
  // When memory is plentiful, which is the common case, at most one block per sequence and started period is
  // enough (the limit is capped against overflow; beyond it the exact count below decides).
  if (limit <= (std::int64_t{1} << 40) && sequences_ * (limit / size + 1) <= free) return limit;
  if (sequences_ == 0) return limit;
  const std::int64_t periods = free / sequences_;
  std::int64_t left = free - periods * sequences_;
  std::int64_t iterations = periods * size;
  // A whole period needs `sequences_` blocks and fewer are left, so this ends within one.
  std::int64_t at = full_now();
  while (counts_[static_cast<std::size_t>(at)] <= left) {
    left -= counts_[static_cast<std::size_t>(at)];
    ++iterations;
    if (--at < 0) at = size - 1;
  }
  return std::min(iterations, limit);
}

}  // namespace silicast
