// The compiled lines against durations recomputed from scratch, one iteration at a time.
#include "sim/perf/iteration_cost.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/base/random.hpp"

namespace silicast {
namespace {

constexpr int kMaxTokens = 64;
constexpr int kMaxSequences = 24;

struct Case {
  std::vector<StageCost> stages;
  IterationCost::HostOverhead host;
  std::vector<double> quadratic;
  double prefill_kv = 0;
};

std::vector<double> random_table(RandomStream& random, int last, double scale) {
  std::vector<double> table{0};
  for (int i = 1; i <= last; ++i) table.push_back(table.back() + scale * random.uniform());
  return table;
}

PiecewiseLine random_line(RandomStream& random, std::size_t pieces) {
  PiecewiseLine line{{{0, 1e-4 * random.uniform(), random.below(4) == 0 ? 0 : 1e-7 * random.uniform()}}};
  while (line.pieces.size() < pieces) {
    const auto last = line.pieces.back();
    const double width = 1 + std::floor(2000 * random.uniform());
    line.pieces.push_back({last.start + width, last.value + last.slope * width, 1e-7 * random.uniform()});
  }
  return line;
}

Case random_case(RandomStream& random) {
  Case out;
  const std::size_t stages = 1 + random.below(4);
  const std::size_t pieces = 1 + random.below(4);
  for (std::size_t s = 0; s < stages; ++s) {
    StageCost stage;
    stage.layers = static_cast<double>(1 + random.below(40));
    stage.tokens = random_table(random, kMaxTokens, 1e-5);
    for (std::size_t m = 1; m < stage.tokens.size(); ++m) stage.tokens[m] += 1e-4;
    stage.sequences = random_table(random, kMaxSequences, s + 1 == stages ? 1e-6 : 0);
    stage.decode_base = random_table(random, kMaxSequences, 1e-6);
    stage.decode_kv = random_line(random, pieces);
    out.stages.push_back(stage);
  }
  out.host = {5e-4 * random.uniform(), 1e-5 * random.uniform(), random.below(2) == 0};
  out.quadratic = random_table(random, kMaxTokens, 1e-9);
  out.prefill_kv = 1e-8 * random.uniform();
  return out;
}

double brute_decode_kv(const PiecewiseLine& line, double x) {
  double value = line.pieces[0].value;
  for (std::size_t i = 0; i < line.pieces.size(); ++i) {
    const double end = i + 1 < line.pieces.size() ? line.pieces[i + 1].start : 1e300;
    value += line.pieces[i].slope * (std::min(x, end) - line.pieces[i].start);
    if (x <= end) break;
  }
  return value;
}

// The definition, with nothing shared with the code under test: the micro-batches one by one. Decodes are shared out
// evenly, rounded up; each prompt chunk stays in one micro-batch.
double brute_duration(const Case& given, const BatchShape& shape) {
  const int sequences = shape.decode_sequences + shape.prefill_sequences;
  const int batches = std::min(static_cast<int>(given.stages.size()), sequences);
  const int with_prompts = std::min(batches, shape.prefill_sequences);
  const auto up = [](double whole, int parts) { return static_cast<std::size_t>(std::ceil(whole / parts)); };
  const std::size_t decodes = up(shape.decode_sequences, batches);
  double pass = 0, worst = 0;
  for (const auto& stage : given.stages) {
    double all = 0;
    for (int b = 0; b < batches; ++b) {
      const bool prompts = b < with_prompts;
      const int parts = std::max(1, with_prompts);
      double t = stage.tokens[decodes + (prompts ? up(shape.prefill_tokens, parts) : 0)] +
                 stage.sequences[decodes + (prompts ? up(shape.sampled_sequences - shape.decode_sequences, parts) : 0)];
      if (prompts) t += stage.layers * shape.prefill_attention / parts;
      if (shape.decode_sequences > 0)
        t += stage.decode_base[decodes] +
             brute_decode_kv(stage.decode_kv, static_cast<double>(shape.decode_kv_tokens) / batches);
      if (b == 0) pass += t;
      all += t;
    }
    worst = std::max(worst, all);
  }
  const double device = std::max(pass, worst);
  const double host = given.host.per_iteration + given.host.per_sequence * sequences;
  return given.host.overlapped ? std::max(device, host) : host + device;
}

BatchShape random_shape(RandomStream& random, const IterationCost& cost) {
  BatchShape shape;
  shape.decode_sequences = static_cast<std::int32_t>(random.below(kMaxSequences));
  if (random.below(4) == 0 || shape.decode_sequences == 0) {
    shape.prefill_sequences = 1;
    shape.prefill_tokens = static_cast<std::int32_t>(1 + random.below(kMaxTokens - kMaxSequences));
    shape.prefill_attention =
        cost.prefill_attention(shape.prefill_tokens, static_cast<std::int64_t>(random.below(500)));
  }
  shape.decode_kv_tokens = shape.decode_sequences * static_cast<std::int64_t>(1 + random.below(200));
  shape.sampled_sequences = shape.decode_sequences + shape.prefill_sequences;
  return shape;
}

StageCost flat_stage() {
  return {1, {0, 1e-3, 2e-3}, {0, 1e-4, 1e-4}, {0, 1e-5, 2e-5}, {{{0, 1e-6, 1e-9}}}};
}

}  // namespace

TEST_CASE("iteration i of a line takes what a computation from scratch gives") {
  RandomStream random(7, "iteration-cost");
  int switches = 0;
  for (int round = 0; round < 2000; ++round) {
    const Case given = random_case(random);
    const IterationCost cost(given.stages, given.host, given.quadratic, given.prefill_kv);
    BatchShape shape = random_shape(random, cost);
    const IterationLine line = cost.line(shape);
    REQUIRE(line.iterations >= 1);
    if (shape.prefill_tokens > 0) REQUIRE(line.iterations == 1);
    const std::int64_t last = std::min<std::int64_t>(line.iterations, 3000);
    for (std::int64_t i = 0; i < last; ++i) {
      REQUIRE(line.first + line.slope * static_cast<double>(i) == Approx(brute_duration(given, shape)).epsilon(1e-12));
      shape.decode_kv_tokens += shape.decode_sequences;
    }
    if (shape.prefill_tokens == 0 && line.iterations <= 3000) ++switches;
  }
  CHECK(switches > 200);  // the switches themselves were exercised
}

TEST_CASE("a line ends only where the next iteration leaves it or begins another piece") {
  RandomStream random(8, "iteration-cost-end");
  int ends = 0;
  for (int round = 0; round < 2000; ++round) {
    const Case given = random_case(random);
    const IterationCost cost(given.stages, given.host, given.quadratic, given.prefill_kv);
    BatchShape shape = random_shape(random, cost);
    if (shape.prefill_tokens > 0) continue;
    const IterationLine line = cost.line(shape);
    if (line.iterations > 1000000) continue;
    ++ends;
    const int b = std::min(static_cast<int>(given.stages.size()), shape.decode_sequences);
    const auto kv_at = [&](std::int64_t i) {
      return static_cast<double>(shape.decode_kv_tokens + shape.decode_sequences * i) / b;
    };
    bool new_piece = false;
    for (const auto& stage : given.stages)
      new_piece |=
          &stage.decode_kv.at(kv_at(line.iterations) + 1e-9) != &stage.decode_kv.at(kv_at(line.iterations - 1) - 1e-9);
    if (new_piece) continue;
    BatchShape next = shape;
    next.decode_kv_tokens += line.iterations * shape.decode_sequences;
    CHECK(brute_duration(given, next) > line.first + line.slope * static_cast<double>(line.iterations));
  }
  CHECK(ends > 300);
}

TEST_CASE("one stage with one decode piece gives a line that never ends") {
  const IterationCost cost({flat_stage()}, {2e-4, 1e-5, false}, {0, 1e-9, 1e-9}, 1e-8);
  const IterationLine line = cost.line({2, 100, 0, 0, 0, 2});
  CHECK(line.first == Approx(2e-4 + 2e-5 + 2e-3 + 1e-4 + 2e-5 + 1e-6 + 1e-7).epsilon(1e-14));
  CHECK(line.slope == Approx(2e-9).epsilon(1e-14));
  CHECK(line.iterations == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("host work that overlaps hides until the growing KV exceeds it") {
  const IterationCost cost({flat_stage()}, {2e-3, 0, true}, {0, 1e-9, 1e-9}, 1e-8);
  const IterationLine hidden = cost.line({1, 1, 0, 0, 0, 1});
  CHECK(hidden.first == 2e-3);
  CHECK(hidden.slope == 0);
  // 1e-3 + 1e-4 + 1e-5 + 1e-6 + 1e-9 * L exceeds 2e-3 first at L = 889,001.
  CHECK(hidden.iterations == Approx(889000).margin(1));
  CHECK(cost.line({1, 1 + hidden.iterations, 0, 0, 0, 1}).slope == Approx(1e-9));
}

TEST_CASE("no iteration of a pipeline gets shorter when prompt tokens or an average decode are added") {
  RandomStream random(5, "monotone");
  for (int i = 0; i < 2000; ++i) {
    const Case given = random_case(random);
    const IterationCost cost(given.stages, given.host, given.quadratic, given.prefill_kv);
    const std::int64_t length = 1 + static_cast<std::int64_t>(random.below(200));
    BatchShape shape;
    shape.decode_sequences = static_cast<std::int32_t>(random.below(kMaxSequences - 1));
    shape.prefill_sequences = 1;
    shape.prefill_tokens = static_cast<std::int32_t>(1 + random.below(kMaxTokens - kMaxSequences - 1));
    const auto duration = [&] {
      shape.prefill_attention = cost.prefill_attention(shape.prefill_tokens, 0);
      shape.decode_kv_tokens = shape.decode_sequences * length;
      shape.sampled_sequences = shape.decode_sequences + 1;
      return cost.line(shape).first;
    };
    const double before = duration();
    ++shape.prefill_tokens;
    const double longer = duration();
    CHECK(longer >= before);
    ++shape.decode_sequences;
    CHECK(duration() >= longer * (1 - 1e-12));
  }
}

TEST_CASE("a short prompt beside a long one never shortens an iteration of a pipeline") {
  RandomStream random(6, "two chunks");
  for (int i = 0; i < 2000; ++i) {
    const Case given = random_case(random);
    const IterationCost cost(given.stages, given.host, given.quadratic, given.prefill_kv);
    BatchShape one;
    one.prefill_sequences = one.sampled_sequences = 1;
    one.prefill_tokens = static_cast<std::int32_t>(1 + random.below(kMaxTokens - 1));
    one.prefill_attention = cost.prefill_attention(one.prefill_tokens, 0);
    BatchShape two = one;
    two.prefill_sequences = two.sampled_sequences = 2;
    two.prefill_tokens += 1;
    two.largest_chunk = one.prefill_tokens;
    two.largest_attention = one.prefill_attention;
    two.prefill_attention += cost.prefill_attention(1, 0);
    CHECK(cost.line(two).first >= cost.line(one).first * (1 - 1e-12));
  }
}

TEST_CASE("a pipeline filled with micro-batches is bound by its slowest stage, an empty one by the pass") {
  StageCost slow = flat_stage();
  slow.tokens = {0, 3e-3, 4e-3};
  const IterationCost cost({flat_stage(), slow}, {0, 0, false}, {0, 0, 0}, 0);
  CHECK(cost.line({1, 0, 0, 0, 0, 1}).first == Approx(4e-3 + 2 * (1e-4 + 1e-5 + 1e-6)));
  CHECK(cost.line({2, 0, 0, 0, 0, 2}).first == Approx(2 * (3e-3 + 1e-4 + 1e-5 + 1e-6)));
}

TEST_CASE("prefill attention is the longer of its pairs and its KV reads") {
  const IterationCost cost({flat_stage()}, {}, {0, 1e-9, 2e-9}, 1e-7);
  CHECK(cost.prefill_attention(2, 3) == Approx(1e-7 * 5));
  CHECK(cost.prefill_attention(2, 100000) == Approx(1e-7 * 100002));
  const IterationCost computing({flat_stage()}, {}, {0, 1e-9, 2e-9}, 1e-12);
  CHECK(computing.prefill_attention(2, 3) == Approx(2e-9 * (6 + 3)));
  CHECK(computing.prefill_attention(0, 3) == 0);
}

TEST_CASE("tables that no clock could follow are refused") {
  StageCost stage = flat_stage();
  stage.tokens = {0, 1e-9, 1e-3};
  CHECK_THROWS_AS(IterationCost({stage}, {}, {0, 0, 0}, 0), InternalError);
  stage = flat_stage();
  stage.tokens[1] = std::nan("");
  CHECK_THROWS_AS(IterationCost({stage}, {}, {0, 0, 0}, 0), InternalError);
  stage = flat_stage();
  stage.decode_kv.pieces.push_back({10, 1, 1e-9});
  CHECK_THROWS_WITH(IterationCost({stage}, {}, {0, 0, 0}, 0), Catch::Contains("the decode line jumps"));
  CHECK_THROWS_AS(IterationCost({flat_stage()}, {}, {0, 0}, 0), InternalError);
}

TEST_CASE("shapes outside the tables are refused") {
  const IterationCost cost({flat_stage()}, {}, {0, 0, 0}, 0);
  CHECK_THROWS_AS(cost.line({}), InternalError);
  CHECK_THROWS_AS(cost.line({3, 3, 0, 0, 0, 3}), InternalError);
  CHECK_THROWS_AS(cost.line({1, 3, 0, 0, 0, 3}), InternalError);
  CHECK_THROWS_AS(cost.prefill_attention(3, 0), InternalError);
}

}  // namespace silicast
