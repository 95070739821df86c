// A tier against a plain list, and its policies by hand.
#include "sim/memory/tier_store.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "sim/base/random.hpp"

namespace silicast::testing {
namespace {

// The same by the book: a list in the order in which its blocks go.
struct Reference {
  struct Block {
    std::uint64_t id;
    std::int64_t used;
    std::int64_t ticket;
    bool written;
  };
  std::size_t capacity;
  TierEviction eviction;
  std::int64_t ttl;
  std::vector<Block> blocks;

  auto find(std::uint64_t id) {
    return std::find_if(blocks.begin(), blocks.end(), [&](const Block& block) { return block.id == id; });
  }
  bool expired(const Block& block, std::int64_t now) const {
    return eviction == TierEviction::kTtl && now - block.used > ttl;
  }
  bool can_read(std::uint64_t id, std::int64_t now) {
    const auto found = find(id);
    return found != blocks.end() && found->written && !expired(*found, now);
  }
  void read(std::uint64_t id, std::int64_t now) {
    const auto found = find(id);
    if (found == blocks.end() || eviction == TierEviction::kFifo) return;
    Block block = *found;
    blocks.erase(found);
    block.used = now;
    blocks.push_back(block);
  }
  bool put(std::uint64_t id, std::int64_t now, std::vector<std::uint64_t>& fallen) {
    std::erase_if(blocks, [&](const Block& block) { return expired(block, now); });
    if (find(id) != blocks.end()) {
      read(id, now);
      return false;
    }
    if (blocks.size() == capacity) {
      fallen.push_back(blocks[0].id);
      blocks.erase(blocks.begin());
    }
    blocks.push_back({id, now, 0, false});
    return true;
  }
};

TEST_CASE("300 stores of every policy do what a plain list does") {
  std::int64_t fell = 0, read = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    RandomStream draw(seed, "tier");
    const auto eviction = static_cast<TierEviction>(draw.below(3));
    const auto capacity = static_cast<std::int64_t>(1 + draw.below(20));
    const auto ttl = static_cast<std::int64_t>(1 + draw.below(60));
    TierStore store(capacity, eviction, Seconds(static_cast<double>(ttl) * 1e-9));
    Reference reference{static_cast<std::size_t>(capacity), eviction, ttl, {}};
    std::int64_t now = 0, tickets = 0;
    for (int event = 0; event < 1000; ++event) {
      now += static_cast<std::int64_t>(draw.below(4));
      const std::uint64_t id = draw.below(16);
      REQUIRE(store.can_read(id, {now}) == reference.can_read(id, now));
      switch (draw.below(5)) {
        case 0:
          if (reference.can_read(id, now)) ++read, store.read(id, {now}), reference.read(id, now);
          break;
        case 1: {
          const std::int64_t ticket = tickets - static_cast<std::int64_t>(draw.below(4));  // one of the last
          store.written(id, ticket);
          if (const auto found = reference.find(id); found != reference.blocks.end() && found->ticket == ticket)
            found->written = true;
          break;
        }
        case 2: {
          const auto found = reference.find(id);
          const bool turn = found != reference.blocks.end() && found->ticket == 0;
          if (turn) found->ticket = ++tickets;
          REQUIRE(store.begin_write(id) == (turn ? tickets : 0));
          break;
        }
        default: {
          std::vector<std::uint64_t> a, b;
          REQUIRE(store.put(id, {now}, a) == reference.put(id, now, b));
          REQUIRE(a == b);
          fell += static_cast<std::int64_t>(a.size());
        }
      }
      REQUIRE(store.size() == static_cast<std::int64_t>(reference.blocks.size()));
      REQUIRE(store.size() <= capacity);
    }
  }
  CHECK(fell > 10'000);
  CHECK(read > 2'000);
}

std::set<std::uint64_t> kept(TierEviction eviction) {
  TierStore store(2, eviction, Seconds(10));
  std::vector<std::uint64_t> fallen;
  store.put(1, {0}, fallen);
  store.put(2, {1'000'000'000}, fallen);
  for (const std::uint64_t id : {1, 2}) store.written(id, store.begin_write(id));
  store.read(1, {2'000'000'000});
  store.put(3, {3'000'000'000}, fallen);
  store.written(3, store.begin_write(3));
  std::set<std::uint64_t> ids;
  for (const std::uint64_t id : {1, 2, 3})
    if (store.can_read(id, {12'500'000'000})) ids.insert(id);
  return ids;
}

TEST_CASE("of a full store goes the least recently used, or the first written; in time what nobody uses") {
  CHECK(kept(TierEviction::kLru) == std::set<std::uint64_t>{1, 3});
  CHECK(kept(TierEviction::kFifo) == std::set<std::uint64_t>{2, 3});
  CHECK(kept(TierEviction::kTtl) == std::set<std::uint64_t>{3});
}

TEST_CASE("a block can be read once it has been written") {
  TierStore store(1, TierEviction::kLru, Seconds(0));
  std::vector<std::uint64_t> fallen;
  store.put(7, {0}, fallen);
  CHECK_FALSE(store.can_read(7, {5}));
  store.put(8, {6}, fallen);
  CHECK(fallen == std::vector<std::uint64_t>{7});
  store.written(8, store.begin_write(8));
  CHECK_FALSE(store.can_read(7, {9}));
  CHECK(store.can_read(8, {9}));
}

TEST_CASE("a block is written once for each time that it is put, though it was asked for twice") {
  TierStore store(1, TierEviction::kLru, Seconds(0));
  std::vector<std::uint64_t> fallen;
  store.put(7, {0}, fallen);
  store.put(8, {1}, fallen);
  store.put(7, {2}, fallen);
  CHECK(store.begin_write(8) == 0);
  const std::int64_t first = store.begin_write(7);
  CHECK(first > 0);
  CHECK(store.begin_write(7) == 0);
  store.put(8, {3}, fallen);
  store.put(7, {4}, fallen);
  const std::int64_t second = store.begin_write(7);
  store.written(7, first);  // of before
  CHECK_FALSE(store.can_read(7, {5}));
  store.written(7, second);
  CHECK(store.can_read(7, {6}));
}

}  // namespace
}  // namespace silicast::testing
