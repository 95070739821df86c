// How many KV blocks a set of sequences needs when each of them grows by one token per iteration. Sequences are
// counted by the residue of their length, relative to the iteration number, so that one iteration is a rotation
// of the counts and costs nothing per sequence.
#pragma once

#include <cstdint>
#include <vector>

namespace silicast {

class BlockGrowth {
 public:
  explicit BlockGrowth(std::int32_t block_size) : counts_(static_cast<std::size_t>(block_size)) {}

  std::int64_t sequences() const { return sequences_; }

  void add(std::int64_t length) { ++counts_[residue(length)], ++sequences_; }
  void remove(std::int64_t length) { --counts_[residue(length)], --sequences_; }  // its length as of now

  // New blocks needed when every sequence grows by `iterations` tokens. O(block size).
  std::int64_t needed(std::int64_t iterations) const;

  // Those of the very next iteration. O(1).
  std::int64_t needed_next() const { return counts_[static_cast<std::size_t>(full_now())]; }

  // The most iterations, up to `limit`, whose new blocks are no more than `free`. O(block size).
  std::int64_t iterations_within(std::int64_t free, std::int64_t limit) const;

  // Every sequence has grown by so many tokens.
  void advance(std::int64_t iterations) {
    phase_ += iterations;
    if (phase_ >= block_size()) phase_ %= block_size();
  }

 private:
  std::int64_t block_size() const { return static_cast<std::int64_t>(counts_.size()); }
  std::size_t residue(std::int64_t length) const {
    const std::int64_t r = length % block_size() - phase_;
    return static_cast<std::size_t>(r < 0 ? r + block_size() : r);
  }
  // Where the sequences stand whose length is now a multiple of the block size: the next token needs a block.
  std::int64_t full_now() const { return phase_ == 0 ? 0 : block_size() - phase_; }

  std::vector<std::int32_t> counts_;  // [(length - iteration) mod block size]
  std::int64_t sequences_ = 0;
  std::int64_t phase_ = 0;  // iteration mod block size
};

}  // namespace silicast
