// KV blocks whose content is known by a hash of their prompt up to their end: equal id, equal block and all before it.
// Sequences share them by reference; what nobody uses stays until its memory is needed, the least recently used first
// (Kwon et al., "Efficient Memory Management for Large Language Model Serving with PagedAttention", SOSP 2023, 4.4, and
// the automatic prefix caching of vLLM). Blocks of a prompt are given back from its end on, so a block is used at least
// as recently as those that follow it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/memory/id_table.hpp"

namespace silicast {

class PrefixCache {
 public:
  std::int64_t size() const { return static_cast<std::int64_t>(table_.size()); }
  std::int64_t used() const { return used_; }  // by somebody
  std::int64_t unused() const { return size() - used_; }

  // How many blocks of the prompt are there, from its start to the first that is not; `unused` gets how many of them
  // nobody uses. O(blocks of the prompt). Changes nothing.
  std::int64_t match(std::span<const std::uint64_t> prompt, std::int64_t& unused) const;

  // One more user of a block. What it was before.
  enum class Was { kUsed, kUnused, kMissing };
  Was use(std::uint64_t id);

  // One user less of the first `count` blocks of a prompt; gives how many nobody uses any more. O(count).
  std::int64_t give_back(std::span<const std::uint64_t> prompt, std::int64_t count);

  // Drops unused blocks, the least recently used first, until at most so many are left; `fallen` gets them, where it is
  // given. O(dropped).
  void keep_unused(std::int64_t most, std::vector<std::uint64_t>* fallen = nullptr);

 private:
  static constexpr std::int32_t kNone = IdTable::kNone;
  struct Entry {
    std::uint64_t id = 0;
    std::int32_t users = 0;
    std::int32_t previous = kNone, next = kNone;  // among the unused, the least recently used first
  };

  void add(std::uint64_t id);
  std::uint64_t drop_oldest();
  void link_newest(std::int32_t entry);
  void unlink(std::int32_t entry);

  std::int64_t used_ = 0;
  std::vector<Entry> entries_;
  std::vector<std::int32_t> free_;  // entries
  IdTable table_;
  std::int32_t oldest_ = kNone, newest_ = kNone;
};

}  // namespace silicast
