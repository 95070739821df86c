// The KV blocks of one replica: so many in all, so many in use. Dense models need no block identities; only
// counts are kept. Check first, then take: a partial allocation does not exist.
#pragma once

#include <cstdint>

#include "sim/base/check.hpp"

namespace silicast {

// Blocks that hold `tokens` tokens.
constexpr std::int64_t blocks_for(std::int64_t tokens, std::int64_t block_size) {
  return (tokens + block_size - 1) / block_size;
}

class BlockPool {
 public:
  explicit BlockPool(std::int64_t total) : total_(total) {}

  std::int64_t total() const { return total_; }
  std::int64_t used() const { return used_; }
  std::int64_t free() const { return total_ - used_; }

  void take(std::int64_t blocks) {
    used_ += blocks;
    SILICAST_CHECK(used_ <= total_, "{} blocks in use of {}", used_, total_);
  }
  void give_back(std::int64_t blocks) {
    used_ -= blocks;
    SILICAST_CHECK(used_ >= 0, "{} blocks in use", used_);
  }

 private:
  std::int64_t total_;
  std::int64_t used_ = 0;
};

}  // namespace silicast
