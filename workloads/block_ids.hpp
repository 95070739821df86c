// Ids of KV blocks: how many a prompt has, and how ids are made where a trace has other words for them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "sim/base/mix.hpp"

namespace silicast {

// Blocks of a prompt, the last one partial where it does not come out even.
inline std::int64_t blocks_in(std::int64_t tokens, std::int64_t block_tokens) {
  return (tokens + block_tokens - 1) / block_tokens;
}

// Of the ids of a prompt and maybe more, those that its first `tokens` tokens have; all where blocks have no size.
inline std::span<const std::uint64_t> blocks_of_prompt(std::span<const std::uint64_t> blocks, std::int64_t tokens,
                                                       std::int64_t block_tokens) {
  if (block_tokens == 0) return blocks;
  return blocks.first(std::min(blocks.size(), static_cast<std::size_t>(blocks_in(tokens, block_tokens))));
}

// A block of part `part` of a merge. Unlike ids of one part stay unlike; two parts meet with a chance of 2^-64 a pair.
inline std::uint64_t block_of_part(std::uint64_t id, std::size_t part) {
  return mix(id + kGolden * (static_cast<std::uint64_t>(part) + 1));
}

// The state behind one more token; that behind the last token of a block is the block's id, which so stands for all
// tokens up to there.
inline std::uint64_t chained_id(std::uint64_t state, std::uint64_t token) {
  return mix(state + kGolden + mix(token + 1));
}

}  // namespace silicast
