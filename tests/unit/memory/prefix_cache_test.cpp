// The prefix cache against a list and a map, and its bookkeeping after every operation.
#include "sim/memory/prefix_cache.hpp"

#include <catch2/catch.hpp>
#include <list>
#include <map>

#include "sim/base/random.hpp"

namespace silicast::testing {
namespace {

using Ids = std::vector<std::uint64_t>;

// The same by the book.
struct Reference {
  std::map<std::uint64_t, int> users;
  std::list<std::uint64_t> unused;  // the least recently used first

  std::int64_t match(const Ids& prompt) const {
    std::int64_t count = 0;
    for (const std::uint64_t id : prompt) {
      if (users.count(id) == 0) break;
      ++count;
    }
    return count;
  }
  void use(std::uint64_t id) {
    unused.remove(id);
    ++users[id];
  }
  void give_back(const Ids& prompt, std::int64_t count) {
    for (std::int64_t i = count; i-- > 0;)
      if (--users.at(prompt[static_cast<std::size_t>(i)]) == 0) unused.push_back(prompt[static_cast<std::size_t>(i)]);
  }
  void keep_unused(std::size_t most) {
    for (; unused.size() > most; unused.pop_front()) users.erase(unused.front());
  }
};

// Prompts that share beginnings: a block's id is that of its parent and its own choice.
Ids random_prompt(RandomStream& random) {
  Ids prompt;
  std::uint64_t id = 1;
  for (std::uint64_t length = 1 + random.below(8); length > 0; --length)
    prompt.push_back(id = 5 * id + random.below(3));
  return prompt;
}

TEST_CASE("in 20,000 random steps the cache is the least-recently-used cache of the book") {
  RandomStream random(3, "prefix cache");
  PrefixCache cache;
  Reference reference;
  struct Held {
    Ids prompt;
    std::int64_t count;
  };
  std::vector<Held> held;
  for (int step = 0; step < 20'000; ++step) {
    if (held.size() < 10 && random.below(2) == 0) {
      const Ids prompt = random_prompt(random);
      std::int64_t unused = 0;
      REQUIRE(cache.match(prompt, unused) == reference.match(prompt));
      for (std::size_t i = 0; i < prompt.size(); ++i) {
        const bool there = reference.users.count(prompt[i]) > 0;
        const bool used = there && reference.users[prompt[i]] > 0;
        reference.use(prompt[i]);
        REQUIRE(cache.use(prompt[i]) == (used    ? PrefixCache::Was::kUsed
                                         : there ? PrefixCache::Was::kUnused
                                                 : PrefixCache::Was::kMissing));
      }
      held.push_back({prompt, static_cast<std::int64_t>(prompt.size())});
    } else if (!held.empty()) {
      const std::size_t which = random.below(held.size());
      reference.give_back(held[which].prompt, held[which].count);
      cache.give_back(held[which].prompt, held[which].count);
      held.erase(held.begin() + static_cast<std::ptrdiff_t>(which));
    }
    if (random.below(4) == 0) {
      const std::uint64_t most = random.below(30);
      reference.keep_unused(most);
      cache.keep_unused(static_cast<std::int64_t>(most));
    }
    REQUIRE(cache.size() == static_cast<std::int64_t>(reference.users.size()));
    REQUIRE(cache.unused() == static_cast<std::int64_t>(reference.unused.size()));
  }
}

TEST_CASE("a match ends at the first block that is not there, and counts what nobody uses") {
  PrefixCache cache;
  const Ids first = {1, 2, 3}, second = {1, 2, 9};
  for (const std::uint64_t id : first) cache.use(id);
  std::int64_t unused = -1;
  CHECK(cache.match(second, unused) == 2);
  CHECK(unused == 0);
  CHECK(cache.give_back(first, 3) == 3);
  CHECK(cache.match(second, unused) == 2);
  CHECK(unused == 2);
  cache.keep_unused(1);  // the deepest go first
  CHECK(cache.match(first, unused) == 1);
  CHECK(cache.match({}, unused) == 0);
}

TEST_CASE("what was used last is dropped last") {
  PrefixCache cache;
  const Ids a = {1}, b = {2};
  cache.use(1), cache.give_back(a, 1);
  cache.use(2), cache.give_back(b, 1);
  cache.use(1), cache.give_back(a, 1);
  cache.keep_unused(1);
  std::int64_t unused = 0;
  CHECK(cache.match(a, unused) == 1);
  CHECK(cache.match(b, unused) == 0);
}

}  // namespace
}  // namespace silicast::testing
