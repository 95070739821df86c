#include "sim/memory/prefix_cache.hpp"

#include "sim/base/check.hpp"
#include "sim/base/mix.hpp"

namespace silicast {
std::int64_t PrefixCache::match(std::span<const std::uint64_t> prompt, std::int64_t& unused) const {
  std::int64_t count = 0;
  unused = 0;
  for (const std::uint64_t id : prompt) {
    const std::int32_t entry = find(id);
    if (entry == kNone) break;
    ++count;
    unused += entries_[static_cast<std::size_t>(entry)].users == 0;
  }
  return count;
}

PrefixCache::Was PrefixCache::use(std::uint64_t id) {
  const std::int32_t found = find(id);
  if (found == kNone) {
    add(id);
    return Was::kMissing;
  }
  Entry& entry = entries_[static_cast<std::size_t>(found)];
  if (entry.users++ > 0) return Was::kUsed;
  unlink(found);
  ++used_;
  return Was::kUnused;
}

std::int64_t PrefixCache::give_back(std::span<const std::uint64_t> prompt, std::int64_t count) {
  std::int64_t unused = 0;
  for (std::int64_t i = count; i-- > 0;) {
    const std::int32_t found = find(prompt[static_cast<std::size_t>(i)]);
    SILICAST_CHECK(found != kNone, "a block in use is gone");
    Entry& entry = entries_[static_cast<std::size_t>(found)];
    SILICAST_CHECK(entry.users > 0, "a block is given back that nobody used");
    if (--entry.users > 0) continue;
    link_newest(found);
    --used_;
    ++unused;
  }
  return unused;
}

void PrefixCache::keep_unused(std::int64_t most) {
  while (unused() > most) drop_oldest();
}

void PrefixCache::add(std::uint64_t id) {
  if (2 * (static_cast<std::size_t>(size_) + 1) > table_.size()) grow();
  std::int32_t entry = kNone;
  if (free_.empty()) {
    entry = static_cast<std::int32_t>(entries_.size());
    entries_.emplace_back();
  } else {
    entry = free_.back();
    free_.pop_back();
  }
  entries_[static_cast<std::size_t>(entry)] = {id, 1, kNone, kNone};
  table_[place_of(id)] = entry;
  ++size_, ++used_;
}

void PrefixCache::drop_oldest() {
  SILICAST_CHECK(oldest_ != kNone, "no block is unused");
  const std::int32_t entry = oldest_;
  unlink(entry);
  erase(entries_[static_cast<std::size_t>(entry)].id);
  free_.push_back(entry);
  --size_;
}

std::size_t PrefixCache::place_of(std::uint64_t id) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t place = mix(id) & mask;
  while (table_[place] != kNone && entries_[static_cast<std::size_t>(table_[place])].id != id)
    place = (place + 1) & mask;
  return place;
}

// Closes the gap, so that no search stops before what it looks for (Knuth, The Art of Computer Programming 3, 6.4, R).
void PrefixCache::erase(std::uint64_t id) {
  const std::size_t mask = table_.size() - 1;
  std::size_t hole = place_of(id);
  table_[hole] = kNone;
  for (std::size_t at = (hole + 1) & mask; table_[at] != kNone; at = (at + 1) & mask) {
    const std::size_t home = mix(entries_[static_cast<std::size_t>(table_[at])].id) & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;  // its home lies behind the hole
    table_[hole] = table_[at];
    table_[at] = kNone;
    hole = at;
  }
}

void PrefixCache::grow() {
  table_.assign(table_.empty() ? 64 : 2 * table_.size(), kNone);
  std::vector<bool> is_free(entries_.size(), false);
  for (const std::int32_t entry : free_) is_free[static_cast<std::size_t>(entry)] = true;
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (!is_free[i]) table_[place_of(entries_[i].id)] = static_cast<std::int32_t>(i);
}

void PrefixCache::link_newest(std::int32_t entry) {
  Entry& newest = entries_[static_cast<std::size_t>(entry)];
  newest.previous = newest_, newest.next = kNone;
  (newest_ == kNone ? oldest_ : entries_[static_cast<std::size_t>(newest_)].next) = entry;
  newest_ = entry;
}

void PrefixCache::unlink(std::int32_t entry) {
  const Entry& gone = entries_[static_cast<std::size_t>(entry)];
  (gone.previous == kNone ? oldest_ : entries_[static_cast<std::size_t>(gone.previous)].next) = gone.next;
  (gone.next == kNone ? newest_ : entries_[static_cast<std::size_t>(gone.next)].previous) = gone.previous;
}

}  // namespace silicast
