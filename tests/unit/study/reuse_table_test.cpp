// What caches find of a trace's prompts, and the best that any could.
#include "sim/study/traces/reuse_table.hpp"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <map>

#include "sim/base/random.hpp"

namespace silicast::testing {
namespace {

using Ids = std::vector<std::uint64_t>;
struct Asked {
  Ids blocks;
  std::size_t of_prompt;
};

// Every choice of what to keep after each request is tried: the best count by set of blocks kept.
std::int64_t best_by_trying(const std::vector<Asked>& trace, int capacity) {
  std::map<unsigned, std::int64_t> found = {{0u, 0}};
  for (const Asked& asked : trace) {
    unsigned named = 0, looked_for = 0;
    std::int64_t repeated = 0;
    for (std::size_t i = 0; i < asked.blocks.size(); ++i) {
      const unsigned bit = 1u << asked.blocks[i];
      if (i < asked.of_prompt) repeated += (named & bit) != 0, looked_for |= bit;
      named |= bit;
    }
    std::map<unsigned, std::int64_t> next;
    for (const auto& [kept, count] : found) {
      const unsigned may = kept | named;
      for (unsigned choice = may;; choice = (choice - 1) & may) {
        if (std::popcount(choice) <= capacity) {
          std::int64_t& most = next[choice];
          most = std::max(most, count + repeated + std::popcount(kept & looked_for));
        }
        if (choice == 0) break;
      }
    }
    found = std::move(next);
  }
  std::int64_t best = 0;
  for (const auto& [kept, count] : found) best = std::max(best, count);
  return best;
}

std::int64_t lru_by_the_book(const std::vector<Asked>& trace, std::size_t capacity) {
  Ids kept;  // the least recently used first
  std::int64_t found = 0;
  for (const Asked& asked : trace) {
    Ids named;
    for (std::size_t i = 0; i < asked.blocks.size(); ++i) {
      const bool repeats = std::count(named.begin(), named.end(), asked.blocks[i]) > 0;
      if (i < asked.of_prompt) found += repeats || std::count(kept.begin(), kept.end(), asked.blocks[i]) > 0;
      if (!repeats) named.push_back(asked.blocks[i]);
    }
    for (const std::uint64_t id : named) std::erase(kept, id);
    kept.insert(kept.end(), named.rbegin(), named.rend());
    if (kept.size() > capacity) kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(capacity));
  }
  return found;
}

TEST_CASE("the best share is the best of all choices, and LRU that by the book, in 300 small traces") {
  std::int64_t gained = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    RandomStream draw(seed, "reuse");
    std::vector<Asked> trace;
    for (std::uint64_t i = 2 + draw.below(9); i > 0; --i) {
      Asked asked;
      for (std::uint64_t n = 1 + draw.below(4); n > 0; --n) asked.blocks.push_back(draw.below(6));
      asked.of_prompt = asked.blocks.size() - (draw.below(3) == 0 ? draw.below(asked.blocks.size()) : 0);
      trace.push_back(std::move(asked));
    }
    ReuseCounter counter;
    for (const Asked& asked : trace) counter.add(asked.blocks, asked.of_prompt);
    for (int capacity = 0; capacity <= 6; ++capacity) {
      INFO("seed " << seed << ", " << capacity << " blocks");
      const ReuseRow row = counter.row(capacity);
      REQUIRE(row.best == best_by_trying(trace, capacity));
      REQUIRE(row.lru == lru_by_the_book(trace, static_cast<std::size_t>(capacity)));
      REQUIRE(row.lru <= row.best);
      gained += row.best - row.lru;
    }
  }
  CHECK(gained > 500);
}

TEST_CASE("of a loop over one block more than fit, LRU finds nothing and perfect knowledge most") {
  ReuseCounter counter;
  for (int turn = 0; turn < 10; ++turn)
    for (const std::uint64_t id : {1, 2, 3}) counter.add(Ids{id}, 1);
  const ReuseRow row = counter.row(2);
  CHECK(row.lru == 0);
  CHECK(row.best == 18);  // two of three stay for good: 9 times each
  CHECK(counter.row(3).lru == 27);
  CHECK(counter.rows().back().capacity == 3);
}

}  // namespace
}  // namespace silicast::testing
