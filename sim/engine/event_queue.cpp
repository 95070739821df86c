#include "sim/engine/event_queue.hpp"

#include <algorithm>

#include "sim/base/check.hpp"

namespace silicast {

EventQueue::EventQueue() {
  grow();
}

// A quarter more leaves, of which there need not be a power of two; the events keep their slots.
void EventQueue::grow() {
  const std::size_t old_leaves = slots_.size(), leaves = std::max<std::size_t>(16, old_leaves + old_leaves / 4);
  SILICAST_CHECK(leaves <= kMaxSlots, "{} events pending", old_leaves);
  std::vector<Key> nodes(2 * leaves, kNever);
  std::copy(nodes_.begin() + static_cast<std::ptrdiff_t>(old_leaves), nodes_.end(),
            nodes.begin() + static_cast<std::ptrdiff_t>(leaves));
  for (std::size_t i = leaves - 1; i > 0; --i) nodes[i] = std::min(nodes[2 * i], nodes[2 * i + 1]);
  nodes_ = std::move(nodes);
  slots_.resize(leaves);
  for (std::size_t slot = leaves; slot > old_leaves; --slot)
    free_slots_.push_back(static_cast<std::uint32_t>(slot - 1));
}

}  // namespace silicast
