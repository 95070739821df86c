// The prompt cache of a rank of the sum mode, by the book: users counted in a map, what nobody uses in a plain list from
// which memory is taken the moment that it is needed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

namespace silicast::testing {

using PromptBlocks = std::vector<std::uint64_t>;

class SumPromptCache {
 public:
  explicit SumPromptCache(std::int64_t weight) : weight_(weight) {}

  std::int64_t blocks_in_use() const { return static_cast<std::int64_t>(users_.size()) * weight_; }

  std::int32_t match(const PromptBlocks& prompt, std::int64_t most) const {
    std::int32_t count = 0;
    while (count < most && has(prompt[static_cast<std::size_t>(count)])) ++count;
    return count;
  }
  void use(const PromptBlocks& prompt, std::int32_t first, std::int32_t last) {
    for (std::int32_t i = first; i < last; ++i) {
      const std::uint64_t id = prompt[static_cast<std::size_t>(i)];
      std::erase(kept_, id);
      ++users_[id];
    }
  }
  void give_back(const PromptBlocks& prompt, std::int32_t count) {
    for (std::int32_t i = count; i-- > 0;) {
      const std::uint64_t id = prompt[static_cast<std::size_t>(i)];
      if (--users_.at(id) > 0) continue;
      users_.erase(id);
      kept_.push_back(id);
    }
  }
  void keep_within(std::int64_t free) {
    while (!kept_.empty() && static_cast<std::int64_t>(kept_.size()) * weight_ > free) kept_.erase(kept_.begin());
  }

 private:
  bool has(std::uint64_t id) const {
    return users_.count(id) > 0 || std::find(kept_.begin(), kept_.end(), id) != kept_.end();
  }

  std::int64_t weight_;
  std::map<std::uint64_t, std::int64_t> users_;
  std::vector<std::uint64_t> kept_;  // the least recently used first
};

}  // namespace silicast::testing
