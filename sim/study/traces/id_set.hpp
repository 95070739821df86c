// A set of 64-bit ids that only grows: 16 to 32 bytes an id, where std::set takes some 48.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "workloads/block_ids.hpp"

namespace silicast {

class IdSet {
 public:
  // Whether it was new.
  bool insert(std::uint64_t id) {
    if (id == kFree) {
      const bool was_new = !has_free_;
      has_free_ = true;
      return was_new;
    }
    if (2 * (size_ + 1) > slots_.size()) grow();
    return place(id);
  }
  std::size_t size() const { return size_ + (has_free_ ? 1 : 0); }

 private:
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};  // an empty slot; the id itself is kept apart

  bool place(std::uint64_t id) {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = mix(id) & mask;; at = (at + 1) & mask) {
      if (slots_[at] == id) return false;
      if (slots_[at] != kFree) continue;
      slots_[at] = id;
      ++size_;
      return true;
    }
  }
  void grow() {
    std::vector<std::uint64_t> old(slots_.empty() ? 1024 : 2 * slots_.size(), kFree);
    old.swap(slots_);
    size_ = 0;
    for (const std::uint64_t id : old)
      if (id != kFree) place(id);
  }

  std::vector<std::uint64_t> slots_;  // a power of two of them, at most half full
  std::size_t size_ = 0;
  bool has_free_ = false;
};

}  // namespace silicast
