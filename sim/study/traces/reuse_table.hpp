// What a cache of so many blocks would give back of a trace's prompts: one that drops the least recently used, and one
// that knows the future (Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems
// Journal 5 (2), 1966; it may also refuse to keep). What lies between the two better eviction can win; what lies
// between the latter and a cache without limit only more memory can.
//
// One cache for all; a request's blocks are looked for as it comes and kept, or not, before the next one comes. Blocks
// are taken one by one: of ids that stand for a whole prompt up to their end (all traces that we know) both caches hold
// a block only with all before it, as those are used at least as soon and as lately.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/memory/id_table.hpp"

namespace silicast {

struct ReuseRow {
  std::int64_t capacity = 0;  // blocks
  std::int64_t lru = 0;       // blocks of prompts that were found
  std::int64_t best = 0;
};

class ReuseCounter {
 public:
  // The blocks of a request; the first `of_prompt` are looked for, those of its answer only kept. 16 bytes each.
  void add(std::span<const std::uint64_t> blocks, std::size_t of_prompt);

  std::int64_t looked_for() const { return looked_for_; }
  std::int64_t distinct() const { return static_cast<std::int64_t>(ids_.size()); }

  ReuseRow row(std::int64_t capacity) const;
  // At capacities of 1/1024 to all of the distinct blocks, by factors of four; none of under one block.
  std::vector<ReuseRow> rows() const;

 private:
  struct Use {
    std::int32_t block = 0;   // numbered as they come
    bool looked_for = false;  // not only kept
    std::int32_t next = -1;   // request that uses it next; -1: none
    bool next_looks_for = false;
  };
  std::int64_t found_by_lru(std::int64_t capacity) const;
  std::int64_t found_by_best(std::int64_t capacity) const;

  IdTable ids_;
  std::vector<Use> uses_;              // of all requests, each block once in each
  std::vector<std::size_t> begins_;    // of each request's
  std::vector<std::size_t> last_use_;  // by block
  std::int64_t looked_for_ = 0;
  std::int64_t repeated_ = 0;  // within one prompt: found whatever the cache
};

std::string reuse_text(const ReuseCounter& counter, std::int32_t block_tokens);
std::string reuse_json(const ReuseCounter& counter);

}  // namespace silicast
