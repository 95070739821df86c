// The set of decoding sequences against a list that keeps the length of every one.
#include <list>

#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

constexpr std::int32_t kBlock = 4;

struct Sequence {
  RequestSlot slot;
  std::int32_t length = 0;     // KV tokens
  std::int32_t generated = 0;  // output tokens
  std::int32_t output = 0;
};

// The set beside its model; sequences stand in the order of their admission.
struct Pair {
  RequestTable table;
  DecodeSet set{table, kBlock};
  std::list<Sequence> model;

  void add(std::int32_t prompt, std::int32_t generated, std::int32_t output) {
    const RequestSlot slot = table.add();
    Request& request = table[slot];
    request.spec = request_at(0, prompt, output);
    request.phase = Phase::kDecoding;
    request.admission = table.next_admission();
    request.finish_iteration = set.iteration() + output - generated;
    set.add(slot);
    model.push_back({slot, prompt + generated - 1, generated, output});
  }
  void advance(std::int64_t iterations) {
    set.advance(iterations);
    for (Sequence& sequence : model) {
      sequence.length += static_cast<std::int32_t>(iterations);
      sequence.generated += static_cast<std::int32_t>(iterations);
    }
  }
  void remove(std::list<Sequence>::iterator sequence) {
    set.remove(sequence->slot);
    table.remove(sequence->slot);
    model.erase(sequence);
  }
  // Takes out all that finish now, and says whether the set names them in the model's order.
  bool finish() {
    for (auto sequence = model.begin(); sequence != model.end();) {
      const auto current = sequence++;
      if (current->generated < current->output) continue;
      if (set.next_finished() != current->slot) return false;
      remove(current);
    }
    return !set.next_finished().valid();
  }
  std::int32_t to_finish() const {
    std::int32_t least = std::numeric_limits<std::int32_t>::max();
    for (const Sequence& sequence : model) least = std::min(least, sequence.output - sequence.generated);
    return least;
  }
  std::int64_t kv_tokens() const {
    std::int64_t sum = 0;
    for (const Sequence& sequence : model) sum += sequence.length;
    return sum;
  }
  std::int64_t new_blocks(std::int64_t iterations) const {
    std::int64_t sum = 0;
    for (const Sequence& sequence : model)
      sum += blocks_for(sequence.length + iterations, kBlock) - blocks_for(sequence.length, kBlock);
    return sum;
  }
};

TEST_CASE("a sequence that begins to decode holds the KV of its prompt and all but its last token") {
  Pair pair;
  pair.add(10, 1, 5);
  pair.add(10, 3, 5);  // preempted before: 12 tokens recomputed
  CHECK(pair.set.kv_tokens() == 10 + 12);
  CHECK(pair.set.size() == 2);
}

TEST_CASE("each iteration adds one KV token to every sequence") {
  Pair pair;
  pair.add(10, 1, 9);
  pair.add(20, 1, 9);
  pair.set.advance(3);
  CHECK(pair.set.iteration() == 3);
  CHECK(pair.set.kv_tokens() == 13 + 23);
  CHECK(pair.set.kv_length(pair.table[RequestSlot{0}]) == 13);
  CHECK(pair.set.generated(pair.table[RequestSlot{0}]) == 4);
}

TEST_CASE("sequences of one iteration finish in the order of their admission") {
  Pair pair;
  for (int i = 0; i < 6; ++i) pair.add(10 + i, 1, 4);
  pair.advance(3);
  for (std::int32_t slot = 0; slot < 6; ++slot) CHECK(pair.set.next_finished() == RequestSlot{slot});
  CHECK_FALSE(pair.set.next_finished().valid());
}

TEST_CASE(
    "a sequence that was taken out neither finishes nor sets the next finish, nor does its slot's next "
    "user") {
  Pair pair;
  pair.add(10, 1, 3);
  pair.add(10, 1, 7);
  pair.remove(pair.model.begin());
  pair.add(10, 1, 9);  // in the same slot
  REQUIRE(pair.model.back().slot == RequestSlot{0});
  CHECK(pair.set.iterations_to_finish() == 6);
  pair.advance(2);
  CHECK_FALSE(pair.set.next_finished().valid());
}

TEST_CASE("the set agrees with the list, whatever joins, decodes, finishes and is taken out") {
  std::int64_t taken_out = 0, finished = 0;
  check_property(300, [&] {
    Pair pair;
    for (int step = 0; step < 60; ++step) {
      const int what = draw(0, 3);
      if (what < 2 || pair.model.empty()) {
        const int generated = draw(1, 5);
        pair.add(draw(1, 39), generated, generated + draw(1, 14));
      } else if (what == 2) {
        pair.advance(draw(1, pair.to_finish()));
        finished += static_cast<std::int64_t>(pair.model.size());
        RC_ASSERT(pair.finish());
        finished -= static_cast<std::int64_t>(pair.model.size());
      } else {
        pair.remove(std::next(pair.model.begin(), draw<std::ptrdiff_t>(0, std::ssize(pair.model) - 1)));
        ++taken_out;
      }
      RC_ASSERT(pair.set.size() == std::ssize(pair.model));
      RC_ASSERT(pair.set.kv_tokens() == pair.kv_tokens());
      for (int iterations : {1, 3, 4, 9})
        RC_ASSERT(pair.set.growth().needed(iterations) == pair.new_blocks(iterations));
      for (const Sequence& sequence : pair.model) {
        RC_ASSERT(pair.set.kv_length(pair.table[sequence.slot]) == sequence.length);
        RC_ASSERT(pair.set.generated(pair.table[sequence.slot]) == sequence.generated);
      }
      if (!pair.model.empty()) RC_ASSERT(pair.set.iterations_to_finish() == pair.to_finish());
    }
  });
  CHECK(taken_out > 1000);
  CHECK(finished > 1000);
}

}  // namespace
}  // namespace silicast::testing
