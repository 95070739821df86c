// The compiled lines against durations recomputed from scratch, one iteration at a time.
#include "sim/perf/iteration_cost.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/base/random.hpp"

namespace silicast {
namespace {

constexpr int kMaxTokens = 128;
constexpr int kMaxSequences = 24;
constexpr int kMaxSampled = 80;

struct Case {
  std::vector<StageCost> stages;
  IterationCost::HostOverhead host;
  IterationCost::Common common;

  IterationCost cost() const { return IterationCost(stages, host, common); }
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
  for (std::size_t r = random.below(3); r > 0; --r)
    out.common.reaches.push_back(static_cast<std::int64_t>(1 + random.below(300)));
  for (std::size_t s = 0; s < stages; ++s) {
    StageCost stage;
    stage.prefill_share = stages == 1 ? 1 : random.uniform();
    stage.tokens = random_table(random, kMaxTokens, 1e-5);
    for (std::size_t m = 1; m < stage.tokens.size(); ++m) stage.tokens[m] += 1e-4;
    stage.sequences = random_table(random, kMaxSampled, s + 1 == stages ? 1e-6 : 0);
    stage.decode_base = random_table(random, kMaxSequences, 1e-6);
    for (std::size_t line = 0; line <= out.common.reaches.size(); ++line)
      stage.decode_kv.push_back(random_line(random, line == 0 ? pieces : 1 + random.below(pieces)));
    out.stages.push_back(stage);
  }
  out.host = {5e-4 * random.uniform(), 1e-5 * random.uniform(), random.below(2) == 0};
  out.common.prefill = {{0, 1e-9 * random.uniform(), 1e-9 * random.uniform(), 1e-9 * random.uniform(), 1e-8},
                        {17, 1e-9 * random.uniform(), 0, 0, 1e-9 * random.uniform()}};
  out.common.mixed = random.below(2) == 0 ? 1 : 1 + random.uniform();
  out.common.query_tokens = static_cast<std::int32_t>(1 + random.below(3));
  out.common.prefill_split = static_cast<std::int32_t>(1 + random.below(3));
  return out;
}

double brute_line(const PiecewiseLine& line, double x) {
  double value = line.pieces[0].value;
  for (std::size_t i = 0; i < line.pieces.size(); ++i) {
    const double end = i + 1 < line.pieces.size() ? line.pieces[i + 1].start : 1e300;
    value += line.pieces[i].slope * (std::min(x, end) - line.pieces[i].start);
    if (x <= end) break;
  }
  return value;
}

// The lengths of decode line `line` in iteration i: whole contexts, or those up to a limit.
double length_at(const BatchShape& shape, std::size_t line, std::int64_t i) {
  const double passed = static_cast<double>(i);
  if (line > 0) return shape.limited[line - 1].tokens + shape.limited[line - 1].growth * passed;
  return static_cast<double>(shape.decode_kv_tokens) + (shape.decode_sequences + shape.accepted_drafts) * passed;
}

int micro_batches(const Case& given, const BatchShape& shape) {
  return std::min(static_cast<int>(given.stages.size()), shape.decode_sequences + shape.prefill_sequences);
}

// The definition, with nothing shared with the code under test: the micro-batches one by one. Decodes are shared out
// evenly, rounded up, each with its drafts; the largest prompt chunk stays whole, the others share out the rest.
double brute_duration(const Case& given, const BatchShape& shape, std::int64_t iteration) {
  const int batches = micro_batches(given, shape);
  const int with_prompts = std::min(batches, shape.prefill_sequences);
  const auto up = [](double whole, int parts) { return static_cast<std::size_t>(std::ceil(whole / parts)); };
  const std::size_t decodes = up(shape.decode_sequences, batches);
  const std::size_t queries = decodes * static_cast<std::size_t>(given.common.query_tokens);
  double pass = 0, worst = 0;
  for (const auto& stage : given.stages) {
    double all = 0;
    for (int b = 0; b < batches; ++b) {
      const bool prompts = b < with_prompts;
      std::size_t chunk = 0, sampled = queries;
      double attention = 0;
      if (prompts) {
        sampled += up(shape.sampled_sequences - shape.decode_sequences, with_prompts);
        const bool largest = b == 0;
        const int whole = with_prompts == 1 ? shape.prefill_tokens : shape.largest_chunk;
        const double its = with_prompts == 1 ? shape.prefill_attention : shape.largest_attention;
        chunk = largest ? static_cast<std::size_t>(whole) : up(shape.prefill_tokens - whole, with_prompts - 1);
        chunk = up(static_cast<double>(chunk), given.common.prefill_split);  // shared out over groups of ranks
        attention = largest ? its : (shape.prefill_attention - its) / (with_prompts - 1);
      }
      double t = stage.tokens[queries + chunk] + stage.sequences[sampled] + stage.prefill_share * attention;
      if (shape.decode_sequences > 0) {
        double decode = stage.decode_base[decodes];
        for (std::size_t line = 0; line < stage.decode_kv.size(); ++line)
          decode += brute_line(stage.decode_kv[line], length_at(shape, line, iteration) / batches);
        t += (prompts ? given.common.mixed : 1) * decode;
      }
      if (b == 0) pass += t;
      all += t;
    }
    worst = std::max(worst, all);
  }
  const double device = std::max(pass, worst);
  const double host =
      given.host.per_iteration + given.host.per_sequence * (shape.decode_sequences + shape.prefill_sequences);
  return given.host.overlapped ? std::max(device, host) : host + device;
}

BatchShape random_shape(RandomStream& random, const IterationCost& cost) {
  BatchShape shape;
  shape.decode_sequences = static_cast<std::int32_t>(random.below(kMaxSequences));
  if (random.below(4) == 0 || shape.decode_sequences == 0) {
    shape.prefill_sequences = static_cast<std::int32_t>(1 + random.below(3));
    for (std::int32_t i = 0; i < shape.prefill_sequences; ++i) {
      const auto tokens = static_cast<std::int32_t>(1 + random.below(18));
      const double attention = cost.prefill_attention(tokens, static_cast<std::int64_t>(random.below(500)));
      shape.prefill_tokens += tokens;
      shape.prefill_attention += attention;
      if (tokens <= shape.largest_chunk) continue;
      shape.largest_chunk = tokens;
      shape.largest_attention = attention;
    }
  }
  shape.decode_kv_tokens = shape.decode_sequences * static_cast<std::int64_t>(1 + random.below(200));
  shape.sampled_sequences =
      shape.decode_sequences +
      static_cast<std::int32_t>(random.below(1 + static_cast<std::uint64_t>(shape.prefill_sequences)));
  shape.accepted_drafts = shape.decode_sequences * (cost.query_tokens() - 1) * random.uniform();
  for (std::size_t i = 0; i < cost.reaches().size(); ++i) {
    shape.limited[i].tokens = std::floor(shape.decode_sequences * 200 * random.uniform());
    shape.limited[i].growth = random.below(3) == 0 ? 0 : std::floor(shape.decode_sequences * random.uniform());
  }
  return shape;
}

StageCost flat_stage() {
  return {1, {0, 1e-3, 2e-3}, {0, 1e-4, 1e-4}, {0, 1e-5, 2e-5}, {{{{0, 1e-6, 1e-9}}}}};
}

IterationCost flat_cost(IterationCost::HostOverhead host = {}) {
  return IterationCost({flat_stage()}, host, {});
}

// Decodes of `tokens` KV in all.
BatchShape decodes(std::int32_t sequences, std::int64_t tokens) {
  BatchShape shape;
  shape.decode_sequences = shape.sampled_sequences = sequences;
  shape.decode_kv_tokens = tokens;
  return shape;
}

}  // namespace

TEST_CASE("iteration i of a line takes what a computation from scratch gives") {
  RandomStream random(7, "iteration-cost");
  int switches = 0;
  for (int round = 0; round < 2000; ++round) {
    const Case given = random_case(random);
    const IterationCost cost = given.cost();
    const BatchShape shape = random_shape(random, cost);
    const IterationLine line = cost.line(shape);
    REQUIRE(line.iterations >= 1);
    if (shape.prefill_tokens > 0) REQUIRE(line.iterations == 1);
    CAPTURE(given.stages.size(), given.common.mixed, given.common.query_tokens, given.common.reaches.size(),
            shape.decode_sequences, shape.prefill_sequences, shape.prefill_tokens);
    const std::int64_t last = std::min<std::int64_t>(line.iterations, 3000);
    for (std::int64_t i = 0; i < last; ++i)
      REQUIRE(line.first + line.slope * static_cast<double>(i) ==
              Approx(brute_duration(given, shape, i)).epsilon(1e-12));
    if (shape.prefill_tokens == 0 && line.iterations <= 3000) ++switches;
  }
  CHECK(switches > 200);  // the switches themselves were exercised
}

TEST_CASE("a line ends only where the next iteration leaves it or begins another piece") {
  RandomStream random(8, "iteration-cost-end");
  int ends = 0;
  for (int round = 0; round < 2000; ++round) {
    const Case given = random_case(random);
    const BatchShape shape = random_shape(random, given.cost());
    if (shape.prefill_tokens > 0) continue;
    const IterationLine line = given.cost().line(shape);
    if (line.iterations > 1000000) continue;
    ++ends;
    const int b = micro_batches(given, shape);
    bool new_piece = false;
    for (const auto& stage : given.stages)
      for (std::size_t i = 0; i < stage.decode_kv.size(); ++i)
        new_piece |= &stage.decode_kv[i].at(length_at(shape, i, line.iterations) / b + 1e-9) !=
                     &stage.decode_kv[i].at(length_at(shape, i, line.iterations - 1) / b - 1e-9);
    if (new_piece) continue;
    CHECK(brute_duration(given, shape, line.iterations) >
          line.first + line.slope * static_cast<double>(line.iterations));
  }
  CHECK(ends > 300);
}

TEST_CASE("one stage with one decode piece gives a line that never ends") {
  const IterationLine line = flat_cost({2e-4, 1e-5, false}).line(decodes(2, 100));
  CHECK(line.first == Approx(2e-4 + 2e-5 + 2e-3 + 1e-4 + 2e-5 + 1e-6 + 1e-7).epsilon(1e-14));
  CHECK(line.slope == Approx(2e-9).epsilon(1e-14));
  CHECK(line.iterations == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("attention of a limited reach grows with the sequences that are still below it") {
  StageCost stage = flat_stage();
  stage.decode_kv.push_back({{{0, 0, 3e-9}}});
  IterationCost::Common common;
  common.reaches = {50};
  const IterationCost cost({stage}, {}, common);
  BatchShape shape = decodes(2, 100);  // contexts of 70 and 30
  shape.limited[0] = {50 + 30, 1};
  const IterationLine line = cost.line(shape);
  CHECK(line.first == Approx(2e-3 + 1e-4 + 2e-5 + 1e-6 + 100e-9 + 3 * 80e-9).epsilon(1e-14));
  CHECK(line.slope == Approx(2e-9 + 3e-9).epsilon(1e-14));
  CHECK(line.iterations == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("prompts in the same iteration make the attention of decodes dearer by the mixed factor") {
  IterationCost::Common common;
  common.mixed = 1.5;
  const IterationCost cost({flat_stage()}, {}, common);
  BatchShape shape = decodes(1, 100);
  const double attention = 1e-5 + 1e-6 + 100e-9;
  CHECK(cost.line(shape).first == Approx(1e-3 + 1e-4 + attention));
  shape.prefill_sequences = shape.prefill_tokens = 1;
  shape.prefill_attention = 1e-4;
  shape.sampled_sequences = 2;
  CHECK(cost.line(shape).first == Approx(2e-3 + 1e-4 + 1e-4 + 1.5 * attention));
}

TEST_CASE("drafts to verify are tokens to compute and to sample, and those accepted lengthen the contexts") {
  StageCost stage = flat_stage();
  stage.sequences = {0, 1e-4, 5e-4};
  IterationCost::Common common;
  common.query_tokens = 2;
  const IterationCost cost({stage}, {}, common);
  BatchShape shape = decodes(1, 100);
  shape.accepted_drafts = 0.7;
  const IterationLine line = cost.line(shape);
  CHECK(line.first == Approx(2e-3 + 5e-4 + 1e-5 + 1e-6 + 100e-9));
  CHECK(line.slope == Approx(1.7e-9));
}

TEST_CASE("host work that overlaps hides until the growing KV exceeds it") {
  const IterationCost cost = flat_cost({2e-3, 0, true});
  const IterationLine hidden = cost.line(decodes(1, 1));
  CHECK(hidden.first == 2e-3);
  CHECK(hidden.slope == 0);
  // 1e-3 + 1e-4 + 1e-5 + 1e-6 + 1e-9 * L exceeds 2e-3 first at L = 889,001.
  CHECK(hidden.iterations == Approx(889000).margin(1));
  CHECK(cost.line(decodes(1, 1 + hidden.iterations)).slope == Approx(1e-9));
}

TEST_CASE("no iteration of a pipeline gets shorter when prompt tokens or an average decode are added") {
  RandomStream random(5, "monotone");
  for (int i = 0; i < 2000; ++i) {
    const Case given = random_case(random);
    const IterationCost cost = given.cost();
    const std::int64_t length = 1 + static_cast<std::int64_t>(random.below(200));
    BatchShape shape;
    shape.decode_sequences = static_cast<std::int32_t>(random.below(kMaxSequences - 1));
    shape.prefill_sequences = 1;
    shape.prefill_tokens = static_cast<std::int32_t>(1 + random.below(kMaxTokens - 3 * kMaxSequences - 1));
    const auto duration = [&] {
      shape.prefill_attention = cost.prefill_attention(shape.prefill_tokens, 0);
      shape.decode_kv_tokens = shape.decode_sequences * length;
      for (std::size_t r = 0; r < cost.reaches().size(); ++r)
        shape.limited[r].tokens = static_cast<double>(shape.decode_sequences * std::min(length, cost.reaches()[r]));
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
    const IterationCost cost = given.cost();
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
  const IterationCost cost({flat_stage(), slow}, {}, {});
  CHECK(cost.line(decodes(1, 0)).first == Approx(4e-3 + 2 * (1e-4 + 1e-5 + 1e-6)));
  CHECK(cost.line(decodes(2, 0)).first == Approx(2 * (3e-3 + 1e-4 + 1e-5 + 1e-6)));
}

TEST_CASE("prefill attention overlaps computing, one tile's way and reading in the third power") {
  IterationCost::Common common;
  common.prefill = {{0, 2e-9, 3e-9, 5e-9, 7e-9}};
  const IterationCost cost({flat_stage()}, {}, common);
  // 2 queries after 3: 4 + 5 pairs, 5 keys.
  const double compute = 2e-9 * 9 + 3e-9 * 2, walk = 5e-9 * 5, kv = 7e-9 * 5;
  CHECK(cost.prefill_attention(2, 3) == Approx(std::cbrt(std::pow(compute, 3) + std::pow(walk, 3) + std::pow(kv, 3))));
  CHECK(cost.prefill_attention(0, 3) == 0);
}

TEST_CASE("prefill attention of a window reaches its keys alone, and kinds add up") {
  IterationCost::Common common;
  common.prefill = {{0, 2e-9, 0, 0, 0}, {4, 0, 0, 0, 1e-9}, {4, 3e-9, 0, 0, 0}};
  const IterationCost cost({flat_stage()}, {}, common);
  // 2 queries after 10: 11 + 12 pairs, or 4 each within the window, whose queries see 4 + 2 keys at most together.
  CHECK(cost.prefill_attention(2, 10) == Approx(2e-9 * 23 + 1e-9 * 6 + 3e-9 * 8));
  CHECK(cost.prefill_attention(2, 1) == Approx(2e-9 * 5 + 1e-9 * 3 + 3e-9 * 5));
}

TEST_CASE("ranks in lock step share what the tables say of the group and of its fullest rank") {
  IterationCost::Common common;
  common.group_tokens = {0, 1e-3, 3e-3};
  common.exchange = {0, 1e-4};
  const IterationCost cost({flat_stage()}, {}, common);
  CHECK(cost.shared(0, 0) == 0);
  CHECK(cost.shared(2, 1) == Approx(3e-3 + 1e-4));
  CHECK_THROWS_AS(cost.shared(3, 1), InternalError);
  CHECK_THROWS_AS(cost.shared(2, 2), InternalError);
  CHECK_THROWS_AS(cost.shared(-1, 0), InternalError);
}

TEST_CASE("tables that no clock could follow are refused") {
  const auto build = [](const StageCost& stage, const IterationCost::Common& common = {}) {
    return IterationCost({stage}, {}, common);
  };
  StageCost stage = flat_stage();
  stage.tokens = {0, 1e-9, 1e-3};
  CHECK_THROWS_AS(build(stage), InternalError);
  stage = flat_stage();
  stage.tokens[1] = std::nan("");
  CHECK_THROWS_AS(build(stage), InternalError);
  stage = flat_stage();
  stage.decode_kv[0].pieces.push_back({10, 1, 1e-9});
  CHECK_THROWS_WITH(build(stage), Catch::Contains("the decode line jumps"));
  stage = flat_stage();
  stage.decode_kv.clear();
  CHECK_THROWS_WITH(build(stage), Catch::Contains("0 decode lines"));
  IterationCost::Common common;
  common.reaches = {1, 2, 3, 4, 5};
  CHECK_THROWS_WITH(build(flat_stage(), common), Catch::Contains("5 limits of attention"));
  common = {};
  common.mixed = 0.9;
  CHECK_THROWS_WITH(build(flat_stage(), common), Catch::Contains("mixed 0.9"));
  common = {};
  common.query_tokens = 0;
  CHECK_THROWS_WITH(build(flat_stage(), common), Catch::Contains("0 query tokens"));
  common = {};
  common.prefill_split = 0;
  CHECK_THROWS_WITH(build(flat_stage(), common), Catch::Contains("prompts over 0 groups"));
  common = {};
  common.prefill = {{0, -1e-9, 0, 0, 0}};
  CHECK_THROWS_WITH(build(flat_stage(), common), Catch::Contains("a rate of prefill attention"));
}

TEST_CASE("shapes outside the tables are refused") {
  const IterationCost cost = flat_cost();
  CHECK_THROWS_AS(cost.line({}), InternalError);
  CHECK_THROWS_AS(cost.line(decodes(3, 3)), InternalError);
  BatchShape shape = decodes(1, 3);
  shape.sampled_sequences = 3;
  CHECK_THROWS_AS(cost.line(shape), InternalError);
  CHECK_THROWS_AS(cost.prefill_attention(3, 0), InternalError);
}

}  // namespace silicast
