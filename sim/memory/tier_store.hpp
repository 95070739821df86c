// KV blocks that are kept below the memory of the chips: host memory, SSDs, a pool that replicas share. So many blocks,
// known by their ids; who goes when they are full is the policy's choice.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/base/sim_time.hpp"
#include "sim/base/units.hpp"
#include "sim/memory/id_table.hpp"

namespace silicast {

enum class TierEviction : std::uint8_t {
  kLru,   // the least recently written or read
  kFifo,  // the one written first
  kTtl,   // as LRU; besides, what was neither written nor read for so long is gone
};
std::string_view name_of(TierEviction eviction);  // "lru", "fifo", "ttl"

class TierStore {
 public:
  TierStore(std::int64_t capacity, TierEviction eviction, Seconds ttl)
      : capacity_(capacity), eviction_(eviction), ttl_(ttl) {}

  std::int64_t capacity() const { return capacity_; }
  std::int64_t size() const { return static_cast<std::int64_t>(table_.size()); }

  // Whether the block is there, written whole and not past its time. Changes nothing.
  bool can_read(std::uint64_t id, SimTime now) const;
  // A block that was there when somebody looked is read: it is used now. One that has gone meanwhile is left out.
  void read(std::uint64_t id, SimTime now);

  // A block is to be kept. False where it is there already: it is used now. Else it is being written from now on, and
  // where the store is full another goes, into `fallen`.
  bool put(std::uint64_t id, SimTime now, std::vector<std::uint64_t>& fallen);
  // Its turn to be written has come: a ticket, or 0 where it has gone meanwhile, or its turn had come already.
  std::int64_t begin_write(std::uint64_t id);
  void written(std::uint64_t id,
               std::int64_t ticket);  // all of it; nothing where it has gone meanwhile, or was put anew

 private:
  static constexpr std::int32_t kNone = IdTable::kNone;
  struct Entry {
    std::uint64_t id = 0;
    SimTime used;
    std::int32_t previous = kNone, next = kNone;  // the first to go first
    std::int64_t ticket = 0;                      // of the write that has begun
    bool written = false;
  };

  Entry& at(std::int32_t entry) { return entries_[static_cast<std::size_t>(entry)]; }
  const Entry& at(std::int32_t entry) const { return entries_[static_cast<std::size_t>(entry)]; }
  bool expired(const Entry& entry, SimTime now) const {
    return eviction_ == TierEviction::kTtl && now - entry.used > ttl_;
  }
  void use(std::int32_t entry, SimTime now);
  void drop(std::int32_t entry);
  void link_last(std::int32_t entry);
  void unlink(std::int32_t entry);

  std::int64_t capacity_;
  TierEviction eviction_;
  Seconds ttl_;
  IdTable table_;
  std::vector<Entry> entries_;
  std::vector<std::int32_t> free_;
  std::int32_t first_ = kNone, last_ = kNone;
  std::int64_t tickets_ = 0;
};

}  // namespace silicast
