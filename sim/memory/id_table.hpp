// Where things are by their 64-bit ids: open addressing with linear probing, at most half full. Positions are the
// caller's, 0 or more; nothing is allocated once the table has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/base/mix.hpp"

namespace silicast {

class IdTable {
 public:
  static constexpr std::int32_t kNone = -1;

  std::size_t size() const { return size_; }

  std::int32_t find(std::uint64_t id) const { return slots_.empty() ? kNone : slots_[place_of(id)].at; }

  // An id that is not there.
  void insert(std::uint64_t id, std::int32_t at) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    slots_[place_of(id)] = {id, at};
    ++size_;
  }

  // One that is there. Closes the gap, so that no search stops before what it looks for (Knuth, The Art of Computer
  // Programming 3, 6.4, R).
  void erase(std::uint64_t id) {
    const std::size_t last = slots_.size() - 1;
    std::size_t hole = place_of(id);
    slots_[hole].at = kNone;
    for (std::size_t at = (hole + 1) & last; slots_[at].at != kNone; at = (at + 1) & last) {
      const std::size_t home = mix(slots_[at].id) & last;
      if (((at - home) & last) < ((at - hole) & last)) continue;  // its home lies behind the hole
      slots_[hole] = slots_[at];
      slots_[at].at = kNone;
      hole = at;
    }
    --size_;
  }

 private:
  struct Slot {
    std::uint64_t id = 0;
    std::int32_t at = kNone;
  };

  std::size_t place_of(std::uint64_t id) const {  // where it is, or would be
    const std::size_t last = slots_.size() - 1;
    std::size_t place = mix(id) & last;
    while (slots_[place].at != kNone && slots_[place].id != id) place = (place + 1) & last;
    return place;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.at != kNone) slots_[place_of(slot.id)] = slot;
  }

  std::vector<Slot> slots_;  // a power of two of them
  std::size_t size_ = 0;
};

}  // namespace silicast
