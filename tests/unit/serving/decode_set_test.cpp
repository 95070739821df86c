// The set of decoding sequences against a list that keeps the length of every one.
#include <algorithm>
#include <list>

#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

constexpr std::int32_t kBlock = 4;

struct Sequence {
  RequestSlot slot;
  std::int32_t prompt = 0;
  std::int32_t begun = 0;  // output tokens when it began
  std::int32_t output = 0;
  std::int64_t rate = kTokenUnits;
  std::int64_t units = 0;  // gained since

  std::int64_t generated(std::int64_t later = 0) const {
    return std::min<std::int64_t>(output, begun + (units + later * rate) / kTokenUnits);
  }
  std::int64_t length(std::int64_t later = 0) const { return prompt + generated(later) - 1; }
  // In fractions of tokens, with the token that the next iteration computes.
  std::int64_t next_units() const { return (std::int64_t{prompt} + begun) * kTokenUnits + units; }
};

// The set beside its model; sequences stand in the order of their admission.
struct Pair {
  std::int32_t drafts = 0;
  std::vector<std::int64_t> reaches = {};
  RequestTable table = {};
  DecodeSet set{table, kBlock, drafts, reaches};
  std::list<Sequence> model = {};

  void add(std::int32_t prompt, std::int32_t generated, std::int32_t output, std::int32_t rate = kTokenUnits) {
    const RequestSlot slot = table.add();
    Request& request = table[slot];
    request.spec = request_at(0, prompt, output);
    request.phase = Phase::kDecoding;
    request.admission = table.next_admission();
    request.generated = generated;
    request.decode_start = set.iteration();
    request.rate = rate;
    request.finish_iteration = iteration_of_token(request, output);
    set.add(slot);
    model.push_back({slot, prompt, generated, output, rate, 0});
  }
  std::int64_t advance(std::int64_t iterations) {
    for (Sequence& sequence : model) sequence.units += sequence.rate * iterations;
    return set.advance(iterations);
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
      if (current->generated() < current->output) continue;
      if (set.next_finished() != current->slot) return false;
      remove(current);
    }
    return !set.next_finished().valid();
  }
  std::int64_t to_finish() const {
    std::int64_t least = kForever;
    for (const Sequence& sequence : model) {
      std::int64_t iterations = 1;
      while (sequence.generated(iterations) < sequence.output) ++iterations;
      least = std::min(least, iterations);
    }
    return least;
  }
  // Iterations until a sequence is as long as a reach that it has not come to.
  std::int64_t to_limit() const {
    std::int64_t least = kForever;
    for (const std::int64_t reach : reaches)
      for (const Sequence& sequence : model)
        if (const std::int64_t missing = reach * kTokenUnits - sequence.next_units(); missing > 0)
          least = std::min(least, (missing + sequence.rate - 1) / sequence.rate);
    return least;
  }
  std::int64_t kv_tokens() const {
    std::int64_t sum = 0;
    for (const Sequence& sequence : model) sum += sequence.next_units() - kTokenUnits;
    return sum / kTokenUnits;
  }
  static std::int64_t blocks(const Sequence& sequence, std::int32_t drafts, std::int64_t later) {
    return blocks_for(sequence.length(later) + drafts, kBlock);
  }
  std::int64_t new_blocks(std::int64_t iterations) const {
    std::int64_t sum = 0;
    for (const Sequence& sequence : model) sum += blocks(sequence, drafts, iterations) - blocks(sequence, drafts, 0);
    return sum;
  }
};

TEST_CASE("a sequence that begins to decode holds the KV of its prompt and all but its last token") {
  Pair pair;
  pair.add(10, 1, 5);
  pair.add(10, 3, 5);  // preempted before: 12 tokens recomputed
  CHECK(pair.set.kv_tokens() == 10 + 12);
  CHECK(pair.set.size() == 2);
  CHECK(pair.set.accepted_drafts() == 0);
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
  CHECK(pair.set.generated(pair.table[RequestSlot{0}], 2) == 6);
}

TEST_CASE("accepted drafts add to the tokens of an iteration, in whole tokens, up to the last") {
  Pair pair{.drafts = 3};
  pair.add(10, 1, 9, kTokenUnits * 5 / 2);
  pair.add(10, 1, 9, kTokenUnits);
  CHECK(pair.set.accepted_drafts() == 1.5);
  const Request& fast = pair.table[RequestSlot{0}];
  pair.set.advance(1);
  CHECK(pair.set.generated(fast) == 3);   // 1 + 2.5
  CHECK(pair.set.kv_tokens() == 22 + 1);  // 12.5 and 11 tokens
  pair.set.advance(1);
  CHECK(pair.set.generated(fast) == 6);
  CHECK(pair.set.generated(fast, 2) == 9);  // 1 + 10 are more than wanted
  CHECK(pair.set.iterations_to_finish() == 2);
}

TEST_CASE("the blocks that a sequence holds have room for its drafts") {
  Pair pair{.drafts = 3};
  pair.add(5, 1, 20, 2 * kTokenUnits);  // 5 tokens and 3 drafts fill two blocks of 4
  CHECK(pair.set.blocks_next() == 1);   // 7 and 3 do not
  CHECK(pair.set.advance(1) == 1);
  CHECK(pair.set.blocks_next() == 0);  // 9 and 3 fill three
  CHECK(pair.set.advance(2) == 1);     // 11 and 3 take a fourth
}

TEST_CASE("a limited length counts a sequence until it is as long as the limit") {
  Pair pair{.reaches = {12}};
  pair.add(9, 1, 9);   // the next iteration reaches 10 tokens
  pair.add(30, 1, 9);  // 12 of 31
  const LimitedLengths& limited = pair.set.limited()[0];
  CHECK(limited.sum().tokens == 10 + 12);
  CHECK(limited.sum().growth == 1);
  CHECK(pair.set.iterations_to_limit() == 2);
  pair.advance(2);
  CHECK(limited.sum().tokens == 12 + 12);
  CHECK(limited.sum().growth == 0);
  CHECK(pair.set.iterations_to_limit() == kForever);
  pair.remove(pair.model.begin());
  CHECK(limited.sum().tokens == 12);
}

TEST_CASE("sequences of one iteration finish in the order of their admission") {
  Pair pair;
  for (int i = 0; i < 6; ++i) pair.add(10 + i, 1, 4);
  pair.advance(3);
  for (std::int32_t slot = 0; slot < 6; ++slot) CHECK(pair.set.next_finished() == RequestSlot{slot});
  CHECK_FALSE(pair.set.next_finished().valid());
}

TEST_CASE("a sequence taken out neither finishes nor sets the next finish or limit, nor does its slot's next user") {
  Pair pair{.reaches = {12}};
  pair.add(10, 1, 3);
  pair.add(20, 1, 7);
  pair.remove(pair.model.begin());
  CHECK(pair.set.iterations_to_limit() == kForever);
  pair.add(20, 1, 9);  // in the same slot
  REQUIRE(pair.model.back().slot == RequestSlot{0});
  CHECK(pair.set.iterations_to_finish() == 6);
  pair.advance(2);
  CHECK_FALSE(pair.set.next_finished().valid());
}

// Counts of what a property has met.
struct Met {
  std::int64_t taken_out = 0, finished = 0, limits = 0;
};

void check_state(Pair& pair) {
  RC_ASSERT(pair.set.size() == std::ssize(pair.model));
  RC_ASSERT(pair.set.kv_tokens() == pair.kv_tokens());
  RC_ASSERT(pair.set.blocks_next() == pair.new_blocks(1));
  RC_ASSERT(pair.set.iterations_to_limit() == pair.to_limit());
  for (std::size_t i = 0; i < pair.reaches.size(); ++i) {
    std::int64_t units = 0, rate = 0;
    for (const Sequence& sequence : pair.model) {
      units += std::min(sequence.next_units(), pair.reaches[i] * kTokenUnits);
      rate += sequence.next_units() < pair.reaches[i] * kTokenUnits ? sequence.rate : 0;
    }
    RC_ASSERT(pair.set.limited()[i].sum().tokens == static_cast<double>(units) / kTokenUnits);
    RC_ASSERT(pair.set.limited()[i].sum().growth == static_cast<double>(rate) / kTokenUnits);
  }
  for (const Sequence& sequence : pair.model) {
    const Request& request = pair.table[sequence.slot];
    RC_ASSERT(pair.set.kv_length(request) == sequence.length());
    RC_ASSERT(pair.set.generated(request) == sequence.generated());
    RC_ASSERT(pair.set.blocks_next(request) ==
              Pair::blocks(sequence, pair.drafts, 1) - Pair::blocks(sequence, pair.drafts, 0));
  }
  if (pair.model.empty()) return;
  const std::int64_t finish = pair.to_finish();
  RC_ASSERT(pair.set.iterations_to_finish() == finish);
  // Never beyond the free blocks; where no tokens are drafted, up to the last iteration within them.
  for (const std::int64_t free : {pair.new_blocks(1), pair.new_blocks(1) + 3, std::int64_t{40}}) {
    const std::int64_t within = pair.set.iterations_within(free, finish);
    RC_ASSERT((within >= 1 && within <= finish));
    RC_ASSERT(pair.new_blocks(within) <= free);
    if (pair.drafts == 0 && within < finish) RC_ASSERT(pair.new_blocks(within + 1) > free);
  }
}

void play(Pair& pair, Met& met) {
  for (int step = 0; step < 60; ++step) {
    const int what = draw(0, 3);
    if (what < 2 || pair.model.empty()) {
      const int generated = draw(1, 5);
      const std::int32_t most = (1 + pair.drafts) * kTokenUnits;
      pair.add(draw(1, 39), generated, generated + draw(1, 14), draw(kTokenUnits, most));
    } else if (what == 2) {
      const std::int64_t iterations = draw<std::int64_t>(1, std::min(pair.to_finish(), pair.to_limit()));
      met.limits += iterations == pair.to_limit();
      const std::int64_t expected = pair.new_blocks(iterations);
      RC_ASSERT(pair.advance(iterations) == expected);
      met.finished += static_cast<std::int64_t>(pair.model.size());
      RC_ASSERT(pair.finish());
      met.finished -= static_cast<std::int64_t>(pair.model.size());
    } else {
      pair.remove(std::next(pair.model.begin(), draw<std::ptrdiff_t>(0, std::ssize(pair.model) - 1)));
      ++met.taken_out;
    }
    check_state(pair);
  }
}

TEST_CASE("the set agrees with the list, whatever joins, decodes, finishes and is taken out") {
  Met met;
  check_property(300, [&] {
    Pair pair{.reaches = {20, 35}};
    play(pair, met);
  });
  CHECK(met.taken_out > 1000);
  CHECK(met.finished > 1000);
  CHECK(met.limits > 300);
}

TEST_CASE("the set agrees with the list where tokens are drafted and each sequence keeps its own share") {
  Met met;
  check_property(300, [&] {
    Pair pair{.drafts = draw(1, 4), .reaches = {25}};
    play(pair, met);
  });
  CHECK(met.taken_out > 1000);
  CHECK(met.finished > 1000);
  CHECK(met.limits > 100);
}

}  // namespace
}  // namespace silicast::testing
