// The smallest of n keys and where it stands, the lowest position among equals; one key changes in O(log n).
// A tournament tree over the positions.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

namespace silicast {

class MinIndex {
 public:
  explicit MinIndex(std::int32_t size)
      : leaves_(std::bit_ceil(static_cast<std::size_t>(size))),
        keys_(leaves_, std::numeric_limits<std::int64_t>::max()),
        winners_(leaves_) {
    for (std::int32_t i = 0; i < size; ++i) keys_[static_cast<std::size_t>(i)] = 0;
    for (std::size_t node = leaves_ - 1; node > 0; --node) winners_[node] = winner(node);
  }

  std::int32_t smallest() const { return leaves_ == 1 ? 0 : winners_[1]; }
  std::int64_t smallest_key() const { return keys_[static_cast<std::size_t>(smallest())]; }

  void set(std::int32_t position, std::int64_t key) {
    keys_[static_cast<std::size_t>(position)] = key;
    for (std::size_t node = (leaves_ + static_cast<std::size_t>(position)) / 2; node > 0; node /= 2)
      winners_[node] = winner(node);
  }

 private:
  std::int32_t of(std::size_t node) const {
    return node >= leaves_ ? static_cast<std::int32_t>(node - leaves_) : winners_[node];
  }
  std::int32_t winner(std::size_t node) const {
    const std::int32_t left = of(2 * node), right = of(2 * node + 1);
    return keys_[static_cast<std::size_t>(right)] < keys_[static_cast<std::size_t>(left)] ? right : left;
  }

  std::size_t leaves_;
  std::vector<std::int64_t> keys_;
  std::vector<std::int32_t> winners_;  // of the inner nodes; [1] is the root
};

}  // namespace silicast
