#include "sim/study/traces/reuse_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "sim/base/text_table.hpp"
#include "sim/memory/prefix_cache.hpp"

namespace silicast {

void ReuseCounter::add(std::span<const std::uint64_t> blocks, std::size_t of_prompt) {
  const auto request = static_cast<std::int32_t>(begins_.size());
  const std::size_t begin = uses_.size();
  begins_.push_back(begin);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    looked_for_ += i < of_prompt;
    std::int32_t block = ids_.find(blocks[i]);
    if (block == IdTable::kNone) {
      block = static_cast<std::int32_t>(ids_.size());
      ids_.insert(blocks[i], block);
      last_use_.push_back(uses_.size());
    } else {
      std::size_t& last = last_use_[static_cast<std::size_t>(block)];
      if (last >= begin) {
        repeated_ += i < of_prompt;
        continue;
      }
      uses_[last].next = request;
      uses_[last].next_looks_for = i < of_prompt;
      last = uses_.size();
    }
    Use use;
    use.block = block;
    use.looked_for = i < of_prompt;
    uses_.push_back(use);
  }
}

std::int64_t ReuseCounter::found_by_lru(std::int64_t capacity) const {
  PrefixCache cache;
  std::vector<std::uint64_t> blocks;
  std::int64_t found = 0;
  for (std::size_t request = 0; request < begins_.size(); ++request) {
    const std::size_t end = request + 1 < begins_.size() ? begins_[request + 1] : uses_.size();
    blocks.clear();
    for (std::size_t i = begins_[request]; i < end; ++i) {
      blocks.push_back(static_cast<std::uint64_t>(uses_[i].block));
      found += cache.use(blocks.back()) != PrefixCache::Was::kMissing && uses_[i].looked_for;
    }
    cache.give_back(blocks, static_cast<std::int64_t>(blocks.size()));
    cache.keep_unused(capacity);
  }
  return found;
}

// Keeping a block from one use to the next takes a place all that time and finds one block. Of all such stretches as
// many as possible are to be had with so many places: those that end last are given up first, which is best (Faigle &
// Nawijn, "Note on scheduling intervals on-line", Discrete Applied Mathematics 58, 1995). Of those that end with one
// request the later blocks of its prompt go first.
std::int64_t ReuseCounter::found_by_best(std::int64_t capacity) const {
  std::multiset<std::pair<std::int32_t, std::size_t>> kept;  // next request; place of the use before it in its own
  std::int64_t found = 0;
  for (std::size_t request = 0; request < begins_.size(); ++request) {
    while (!kept.empty() && kept.begin()->first == static_cast<std::int32_t>(request)) {
      kept.erase(kept.begin());
      ++found;
    }
    const std::size_t end = request + 1 < begins_.size() ? begins_[request + 1] : uses_.size();
    for (std::size_t i = begins_[request]; i < end; ++i)
      if (uses_[i].next_looks_for) kept.emplace(uses_[i].next, i - begins_[request]);
    while (static_cast<std::int64_t>(kept.size()) > capacity) kept.erase(std::prev(kept.end()));
  }
  return found;
}

ReuseRow ReuseCounter::row(std::int64_t capacity) const {
  return {capacity, repeated_ + found_by_lru(capacity), repeated_ + found_by_best(capacity)};
}

std::vector<ReuseRow> ReuseCounter::rows() const {
  std::vector<ReuseRow> rows;
  for (std::int64_t part = 1024; part >= 1; part /= 4)
    if (distinct() / part > 0) rows.push_back(row(distinct() / part));
  return rows;
}

std::string reuse_text(const ReuseCounter& counter, std::int32_t block_tokens) {
  const auto share = [&](std::int64_t found) {
    return fmt::format(
        "{:.4f}", static_cast<double>(found) / static_cast<double>(std::max<std::int64_t>(counter.looked_for(), 1)));
  };
  std::vector<std::vector<std::string>> lines;
  for (const ReuseRow& row : counter.rows())
    lines.push_back(
        {fmt::to_string(row.capacity), fmt::to_string(row.capacity * block_tokens), share(row.lru), share(row.best)});
  return "\nprefix reuse by capacity, least recently used out first, and with perfect knowledge of what comes\n" +
         aligned({"blocks", "tokens", "LRU", "best"}, lines);
}

std::string reuse_json(const ReuseCounter& counter) {
  std::string text;
  for (const ReuseRow& row : counter.rows())
    text += fmt::format("{}{{\"capacity_blocks\": {}, \"lru_blocks\": {}, \"best_blocks\": {}}}",
                        text.empty() ? "" : ", ", row.capacity, row.lru, row.best);
  return "[" + text + "]";
}

}  // namespace silicast
