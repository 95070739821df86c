#include "sim/memory/prefix_cache.hpp"

#include "sim/base/check.hpp"

namespace silicast {
std::int64_t PrefixCache::match(std::span<const std::uint64_t> prompt, std::int64_t& unused) const {
  std::int64_t count = 0;
  unused = 0;
  for (const std::uint64_t id : prompt) {
    const std::int32_t entry = table_.find(id);
    if (entry == kNone) break;
    ++count;
    unused += entries_[static_cast<std::size_t>(entry)].users == 0;
  }
  return count;
}

PrefixCache::Was PrefixCache::use(std::uint64_t id) {
  const std::int32_t found = table_.find(id);
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
    const std::int32_t found = table_.find(prompt[static_cast<std::size_t>(i)]);
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

void PrefixCache::keep_unused(std::int64_t most, std::vector<std::uint64_t>* fallen) {
  while (unused() > most) {
    const std::uint64_t id = drop_oldest();
    if (fallen != nullptr) fallen->push_back(id);
  }
}

void PrefixCache::add(std::uint64_t id) {
  std::int32_t entry = kNone;
  if (free_.empty()) {
    entry = static_cast<std::int32_t>(entries_.size());
    entries_.emplace_back();
  } else {
    entry = free_.back();
    free_.pop_back();
  }
  entries_[static_cast<std::size_t>(entry)] = {id, 1, kNone, kNone};
  table_.insert(id, entry);
  ++used_;
}

std::uint64_t PrefixCache::drop_oldest() {
  SILICAST_CHECK(oldest_ != kNone, "no block is unused");
  const std::int32_t entry = oldest_;
  const std::uint64_t id = entries_[static_cast<std::size_t>(entry)].id;
  unlink(entry);
  table_.erase(id);
  free_.push_back(entry);
  return id;
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
