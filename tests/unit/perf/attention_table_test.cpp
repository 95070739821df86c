// Measured attention: values worked out by hand, lines against the table itself, and the cost of a replica priced by
// tables.
#include "sim/perf/attention_table.hpp"

#include <catch2/catch.hpp>

#include "setups_for_tests.hpp"
#include "sim/base/random.hpp"
#include "sim/perf/breakdown.hpp"
#include "sim/perf/iteration_cost.hpp"
#include "sim/perf/stage_price.hpp"

namespace silicast {
namespace {

// Seconds: a chunk of 16 takes 8, one of 32 after 100 takes 20; decodes as written.
AttentionGrids small_grids() {
  return {MeasuredGrid({{{16, 0}, 8}, {{16, 100}, 12}, {{32, 0}, 10}, {{32, 100}, 20}}, 2),
          MeasuredGrid({{{1, 10}, 7}, {{1, 20}, 9}, {{4, 10}, 10}, {{4, 20}, 18}}, 2),
          MeasuredGrid({{{10, 1, 16, 0}, 15}, {{20, 1, 16, 0}, 25}, {{10, 4, 16, 0}, 35}, {{20, 4, 16, 0}, 65}}, 4)};
}

AttentionRates simple_rates() {
  AttentionRates rates;
  rates.start = 1;
  rates.decode_memory = 0.25;
  return rates;
}

TEST_CASE("chunks count from the shortest launch on, in all layers") {
  const AttentionTable table(small_grids(), simple_rates(), 1, 3, 4);
  CHECK(table.prefill(16, 0) == 0);
  CHECK(table.prefill(5, 0) == 0);
  CHECK(table.prefill(32, 0) == Approx(3 * 2));
  CHECK(table.prefill(24, 50) == Approx(3 * (12.5 - 8)));
  CHECK(table.beside(16, 0, 0, 0) == Approx(3 * 8));
  CHECK(table.beside(16, 0, 1, 10) == Approx(3 * (15 - 8 + 8)));
  CHECK(table.beside(16, 0, 4, 60) == Approx(3 * 50));
  // Two sequences of 15: a third of the way from one to four.
  CHECK(table.beside(16, 0, 2, 30) == Approx(3 * (20 + 30.0 / 3)));
}

TEST_CASE("decodes alone are a line over the KV tokens, flat below the first length and as rooflines beyond the last") {
  const AttentionTable table(small_grids(), simple_rates(), 1, 3, 4);
  CHECK(table.decodes(1)(10) == Approx(3 * 7));
  CHECK(table.decodes(1)(5) == Approx(3 * 7));
  CHECK(table.decodes(1)(15) == Approx(3 * 8));
  CHECK(table.decodes(4)(60) == Approx(3 * 14));
  CHECK(table.decodes(2)(30) == Approx(3 * (8 + (14 - 8) / 3.0)));
  // Roofline: 1 + 0.25 * 20 = 6 at one sequence's 20, 11 at 40.
  CHECK(table.decodes(1)(40) == Approx(3 * 9 * 11 / 6.0));
}

TEST_CASE("a longer length that was measured as faster counts as the shorter one") {
  const AttentionGrids noisy{MeasuredGrid({{{1, 0}, 8}}, 2),
                             MeasuredGrid({{{1, 10}, 7}, {{1, 20}, 6}, {{1, 30}, 9}}, 2),
                             MeasuredGrid({{{10, 1, 1, 0}, 9}}, 4)};
  const AttentionTable table(noisy, simple_rates(), 1, 1, 1);
  CHECK(table.decodes(1)(15) == Approx(7));
  CHECK(table.decodes(1)(20) == Approx(7));
  CHECK(table.decodes(1)(25) == Approx(8));
}

// Attention of `layers` layers beside tokens that take nothing, host work as given.
IterationCost cost_of(AttentionTable table, IterationCost::HostOverhead host) {
  StageCost stage;
  stage.tokens.assign(65, 1e-6);
  stage.sequences.assign(9, 0);
  stage.decode_base.assign(9, 0);
  stage.decode_kv = {{{{0, 0, 0}}}};
  IterationCost::Common common;
  common.attention = std::move(table);
  return IterationCost({stage}, host, std::move(common));
}

TEST_CASE("a run's line is what the table says at every one of its iterations") {
  RandomStream random(1, "attention lines");
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<MeasuredGrid::Row> decode;
    for (const double n : {1.0, 3.0, 8.0})
      for (const double kv : {16.0, 40.0, 100.0, 250.0})
        decode.push_back({{n, kv}, 1e-5 * n + 1e-7 * n * kv * (0.5 + random.uniform())});
    AttentionGrids grids = small_grids();
    grids.decode = MeasuredGrid(decode, 2);
    AttentionRates rates = simple_rates();
    rates.start = 1e-6;
    rates.decode_memory = 1e-7;
    const AttentionTable table(grids, rates, 1, 2, 8);
    const bool overlapped = trial % 2 == 0;
    const double host = 2e-4 * random.uniform();
    const IterationCost cost = cost_of(table, {host, 0, overlapped});
    BatchShape shape;
    shape.decode_sequences = shape.sampled_sequences = 1 + static_cast<std::int32_t>(random.below(8));
    shape.decode_kv_tokens = shape.decode_sequences * static_cast<std::int64_t>(1 + random.below(300));
    for (int run = 0; run < 6; ++run) {
      const IterationLine line = cost.line(shape);
      REQUIRE(line.iterations >= 1);
      const std::int64_t last = std::min<std::int64_t>(line.iterations, 400);
      for (std::int64_t i = 0; i < last; i += 1 + i / 7) {
        const double kv = static_cast<double>(shape.decode_kv_tokens + i * shape.decode_sequences);
        const double chips = 1e-6 + table.decodes(shape.decode_sequences)(kv);
        const double expected = overlapped ? std::max(chips, host) : chips + host;
        INFO("iteration " << i << " of " << line.iterations);
        REQUIRE(line.first + line.slope * static_cast<double>(i) == Approx(expected).epsilon(1e-9));
      }
      if (last < line.iterations) break;
      shape.decode_kv_tokens += last * shape.decode_sequences;
    }
  }
}

TEST_CASE("an iteration with prompts takes one iteration's time, the chunks added up") {
  const IterationCost cost = cost_of(AttentionTable(small_grids(), simple_rates(), 1, 3, 8), {0.5, 0, false});
  CHECK(cost.prefill_attention(32, 0) == Approx(6));
  BatchShape shape;
  shape.prefill_sequences = 2;
  shape.prefill_tokens = 48;
  shape.largest_chunk = 32;
  shape.prefill_attention = cost.prefill_attention(32, 0) + cost.prefill_attention(16, 0);
  CHECK(cost.line(shape).first == Approx(0.5 + 1e-6 + 6 + 24));
  CHECK(cost.line(shape).iterations == 1);
  CHECK(cost.line(shape).slope == 0);
}

// Llama-70B on four ranks with tables of some kernels, in microseconds of one launch.
ReplicaSetup measured_setup() {
  ReplicaSetup setup = llama_setup(4, {80});
  setup.graph_tokens = 1e9;
  KernelTables tables;
  const auto curve = [](double at_1, double at_100) {
    return MeasuredGrid({{{1}, at_1 * 1e-6}, {{100}, at_100 * 1e-6}}, 1);
  };
  tables.tokens.emplace("qkv_proj", curve(10, 30));
  tables.tokens.emplace("layernorm", curve(2, 4));
  tables.tokens.emplace("final_layernorm", curve(3, 5));
  tables.sequences.emplace("lm_head", curve(400, 500));
  tables.attention = small_grids();
  for (MeasuredGrid* grid : {&tables.attention.prefill, &tables.attention.decode, &tables.attention.mixed})
    REQUIRE_FALSE(grid->empty());
  setup.measured = tables;
  return setup;
}

TEST_CASE("tables take the place of rooflines kernel by kernel") {
  const ReplicaSetup setup = measured_setup();
  ReplicaSetup without = setup;
  without.measured.reset();
  const StagePrice tables(setup, 0), rooflines(without, 0);
  double expected = 0;
  for (const Kernel& kernel : tables.work().token_kernels(34)) {
    const double share = 33.0 / 99;
    double time = rooflines.kernel(kernel).time.value();
    if (kernel.name == "qkv_proj") time = (10 + 20 * share) * 1e-6;
    if (kernel.name == "norm") time = ((kernel.times - 1) * (2 + 2 * share) + 3 + 2 * share) * 1e-6 / kernel.times;
    if (kernel.name == "kv_write") time = 0;
    expected += kernel.times * time;
  }
  CHECK(tables.tokens(34) == Approx(expected));
  CHECK(tables.decode_base(8) == 0);
  // Beyond the last row as the roofline's ratio.
  for (const Kernel& kernel : tables.work().token_kernels(400)) {
    if (kernel.name != "qkv_proj") continue;
    Kernel last;
    for (const Kernel& one : tables.work().token_kernels(100))
      if (one.name == "qkv_proj") last = one;
    CHECK(tables.kernel(kernel).time.value() ==
          Approx(30e-6 * (rooflines.kernel(kernel).time.value() / rooflines.kernel(last).time.value())));
    CHECK(tables.kernel(kernel).bound == Bound::kMeasured);
  }
}

TEST_CASE("the compiled cost is that of the breakdown, with tables too") {
  const ReplicaSetup setup = measured_setup();
  const IterationCost cost = compile_cost(setup, 200, 8).cost;
  for (const BreakdownBatch& batch :
       {BreakdownBatch{4, 15, 0, 0}, BreakdownBatch{0, 0, 24, 50}, BreakdownBatch{4, 15, 16, 0}}) {
    BatchShape shape;
    shape.decode_sequences = batch.decode_sequences;
    shape.decode_kv_tokens = batch.decode_sequences * batch.kv_length;
    shape.sampled_sequences = batch.sequences();
    shape.prefill_sequences = batch.prefill_tokens > 0;
    shape.prefill_tokens = shape.largest_chunk = batch.prefill_tokens;
    shape.largest_context = batch.prefill_context;
    if (batch.prefill_tokens > 0)
      shape.prefill_attention = cost.prefill_attention(batch.prefill_tokens, batch.prefill_context);
    CHECK(cost.line(shape).first == Approx(breakdown(setup, batch).total.value()));
  }
}

}  // namespace
}  // namespace silicast
