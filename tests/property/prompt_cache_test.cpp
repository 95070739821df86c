// The memory of a rank balances after every event: what requests hold of their own, what they share, what is kept.
#include "sim/serving/prompt_cache.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "sim/base/random.hpp"
#include "workloads/block_ids.hpp"

namespace silicast::testing {
namespace {

constexpr std::int32_t kBlock = 4, kPromptBlock = 8, kWeight = kPromptBlock / kBlock;

// A rank without a scheduler: requests come, compute, decode and leave at random.
class Rank {
 public:
  explicit Rank(std::uint64_t seed) : draw_(seed, "balance"), pool_(60), cache_(kPromptBlock, kBlock, table_, pool_) {}

  void happen() {
    switch (draw_.below(4)) {
      case 0:
        return admit();
      case 1:
        return compute();
      case 2:
        return decode();
      default:
        return leave();
    }
  }

  void check() const {
    std::int64_t own = 0, references = 0;
    std::map<std::uint64_t, std::int64_t> users;
    for (const Running& one : running_) {
      const Request& request = table_[one.slot];
      own += blocks_for(one.stored, kBlock) - request.shared_blocks * kWeight;
      references += request.shared_blocks;
      for (std::int32_t i = 0; i < request.shared_blocks; ++i)
        ++users[table_.blocks(one.slot)[static_cast<std::size_t>(i)]];
    }
    REQUIRE(own >= 0);
    REQUIRE(cache_.in_use() == static_cast<std::int64_t>(users.size()) * kWeight);
    REQUIRE(pool_.used() == own + cache_.in_use());
    REQUIRE(references >= static_cast<std::int64_t>(users.size()));
  }
  void all_leave() {
    while (!running_.empty()) leave();
    REQUIRE(pool_.used() == 0);
    REQUIRE(cache_.in_use() == 0);
    REQUIRE(cache_.kept() <= pool_.total());
  }
  std::int64_t found = 0, answers_found = 0;

 private:
  struct Running {
    RequestSlot slot;
    std::int64_t stored = 0;
  };

  // A conversation of a few that all go on in the same ids; some name their answers.
  void admit() {
    const RequestSlot slot = table_.add();
    Request& request = table_[slot];
    request.phase = Phase::kPrefilling;
    request.spec.prompt_tokens = request.context = 1 + static_cast<std::int32_t>(draw_.below(60));
    request.spec.output_tokens = 1 + static_cast<std::int32_t>(draw_.below(30));
    const std::int32_t named = request.spec.prompt_tokens + (draw_.below(2) == 0 ? request.spec.output_tokens : 0);
    std::vector<std::uint64_t> ids;
    std::uint64_t id = draw_.below(3);
    while (static_cast<std::int64_t>(ids.size()) < blocks_in(named, kPromptBlock)) ids.push_back(id = mix(id + 1));
    table_.set_block_tokens(kPromptBlock);
    table_.set_blocks(slot, ids);
    if (draw_.below(4) == 0) request.context += static_cast<std::int32_t>(draw_.below(20));  // preempted before
    request.context = std::min(request.context, request.spec.prompt_tokens + request.spec.output_tokens - 1);
    const PromptCache::Found there = cache_.find(slot, 0);
    if (there.from_free > pool_.free()) return table_.remove(slot);
    cache_.use(slot, there);
    found += there.count;
    answers_found += there.tokens > request.spec.prompt_tokens;
    running_.push_back({slot, there.tokens});
  }
  void compute() {
    if (running_.empty()) return;
    Running& one = running_[draw_.below(running_.size())];
    Request& request = table_[one.slot];
    const std::int32_t left = request.context - request.computed;
    if (left > 0) grow(one, 1 + static_cast<std::int64_t>(draw_.below(static_cast<std::uint64_t>(left))), true);
  }
  void decode() {
    if (running_.empty()) return;
    Running& one = running_[draw_.below(running_.size())];
    const Request& request = table_[one.slot];
    if (request.computed < request.context) return;
    if (one.stored < request.spec.prompt_tokens + request.spec.output_tokens - 1) grow(one, 1, false);
  }
  void grow(Running& one, std::int64_t tokens, bool computes) {
    const std::int64_t more = blocks_for(one.stored + tokens, kBlock) - blocks_for(one.stored, kBlock);
    if (more > pool_.free()) return;
    pool_.take(more);
    one.stored += tokens;
    if (!computes) return;
    table_[one.slot].computed += static_cast<std::int32_t>(tokens);
    cache_.computed(one.slot);
  }
  void leave() {
    if (running_.empty()) return;
    const std::size_t at = draw_.below(running_.size());
    const Running one = running_[at];
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(at));
    cache_.give_back(one.slot, one.stored, blocks_for(one.stored, kBlock));
    table_.remove(one.slot);
  }

  RandomStream draw_;
  RequestTable table_;
  BlockPool pool_;
  PromptCache cache_;
  std::vector<Running> running_;
};

TEST_CASE("blocks and references balance after every event of 200 ranks, and all memory comes back") {
  std::int64_t found = 0, answers = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Rank rank(seed);
    for (int event = 0; event < 2000; ++event) {
      rank.happen();
      rank.check();
    }
    rank.all_leave();
    found += rank.found;
    answers += rank.answers_found;
  }
  CHECK(found > 10'000);
  CHECK(answers > 500);
}

}  // namespace
}  // namespace silicast::testing
