#include "sim/memory/tier_store.hpp"

namespace silicast {

std::string_view name_of(TierEviction eviction) {
  return eviction == TierEviction::kLru ? "lru" : eviction == TierEviction::kFifo ? "fifo" : "ttl";
}

bool TierStore::can_read(std::uint64_t id, SimTime now) const {
  const std::int32_t entry = table_.find(id);
  return entry != kNone && at(entry).written && !expired(at(entry), now);
}

void TierStore::read(std::uint64_t id, SimTime now) {
  if (const std::int32_t entry = table_.find(id); entry != kNone) use(entry, now);
}

bool TierStore::put(std::uint64_t id, SimTime now, std::vector<std::uint64_t>& fallen) {
  // In the order of their last use, so those past their time stand first.
  while (first_ != kNone && expired(at(first_), now)) drop(first_);
  if (const std::int32_t found = table_.find(id); found != kNone) {
    use(found, now);
    return false;
  }
  if (size() == capacity_) {
    fallen.push_back(at(first_).id);
    drop(first_);
  }
  std::int32_t entry = static_cast<std::int32_t>(entries_.size());
  if (free_.empty()) {
    entries_.emplace_back();
  } else {
    entry = free_.back();
    free_.pop_back();
  }
  at(entry) = Entry{};
  at(entry).id = id;
  at(entry).used = now;
  link_last(entry);
  table_.insert(id, entry);
  return true;
}

std::int64_t TierStore::begin_write(std::uint64_t id) {
  const std::int32_t entry = table_.find(id);
  if (entry == kNone || at(entry).ticket > 0) return 0;
  return at(entry).ticket = ++tickets_;
}

void TierStore::written(std::uint64_t id, std::int64_t ticket) {
  if (const std::int32_t entry = table_.find(id); entry != kNone && at(entry).ticket == ticket)
    at(entry).written = true;
}

void TierStore::use(std::int32_t entry, SimTime now) {
  if (eviction_ == TierEviction::kFifo) return;
  at(entry).used = now;
  unlink(entry);
  link_last(entry);
}

void TierStore::drop(std::int32_t entry) {
  unlink(entry);
  table_.erase(at(entry).id);
  free_.push_back(entry);
}

void TierStore::link_last(std::int32_t entry) {
  at(entry).previous = last_, at(entry).next = kNone;
  (last_ == kNone ? first_ : at(last_).next) = entry;
  last_ = entry;
}

void TierStore::unlink(std::int32_t entry) {
  const Entry& gone = at(entry);
  (gone.previous == kNone ? first_ : at(gone.previous).next) = gone.next;
  (gone.next == kNone ? last_ : at(gone.next).previous) = gone.previous;
}

}  // namespace silicast
