// Utilisation, power and energy of hand-made runs of iterations against values worked out by hand.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "sim/report/recorder.hpp"

using namespace silicast;

namespace {

SimTime at(double seconds) {
  return SimTime{} + Seconds(seconds);
}

RequestRecord completed(std::int64_t index, double arrival, double scheduled, double first, double end,
                        std::int32_t prompt, std::int32_t output) {
  RequestRecord record;
  record.index = index;
  record.arrival = at(arrival);
  record.scheduled = at(scheduled);
  record.first_token = at(first);
  record.end = at(end);
  record.prompt_tokens = prompt;
  record.output_tokens = output;
  record.replica = ReplicaId{0};
  record.pool = PoolId{0};
  record.request_class = ClassId{0};
  return record;
}

RunFacts facts_of(MeasureWindow::Mode mode = MeasureWindow::Mode::kNone) {
  RunFacts facts;
  facts.name = "by hand";
  facts.pools.resize(1);
  facts.pools[0].name = "pool";
  facts.pools[0].chip = "chip";
  facts.classes.resize(1);
  facts.window.mode = mode;
  return facts;
}

// 4 s busy: 100 iterations of 8 decodes from 1,000 KV tokens, then one chunk of 512 tokens.
void two_runs(Recorder& recorder) {
  RunRecord decode;
  decode.pool = PoolId{0};
  decode.replica = ReplicaId{0};
  decode.start = at(0);
  decode.end = at(3);
  decode.iterations = 100;
  decode.line = {0.03, 0, 1000};
  decode.shape.decode_sequences = 8;
  decode.shape.decode_kv_tokens = 1000;
  decode.shape.sampled_sequences = 8;
  decode.kv_blocks_start = 60;
  decode.kv_blocks_end = 100;
  decode.steady_first = 6;
  recorder.run_ended(decode);
  RunRecord prefill;
  prefill.pool = PoolId{0};
  prefill.replica = ReplicaId{0};
  prefill.start = at(3);
  prefill.end = at(4);
  prefill.iterations = 1;
  prefill.line = {1, 0, 1};
  prefill.shape.prefill_sequences = 1;
  prefill.shape.prefill_tokens = 512;
  prefill.shape.sampled_sequences = 1;
  prefill.prefill_pairs = 1e5;
  prefill.prefill_kv_tokens = 512;
  prefill.prefill_time = Seconds(1);
  prefill.kv_blocks_start = prefill.kv_blocks_end = 120;
  recorder.run_ended(prefill);
}

RunFacts working_facts() {
  RunFacts facts = facts_of();
  PoolFacts& pool = facts.pools[0];
  pool.replicas = 2;
  pool.chips_per_replica = 4;
  pool.kv_blocks = 200;
  pool.tdp = {500, 500, 500, Grade::kVendor, ""};
  pool.server_factor = {2, 2, 2, Grade::kEstimate, ""};
  pool.work.flops_per_token = 1e9;
  pool.work.flops_per_decode_kv_token = 1e5;
  pool.work.flops_per_prefill_pair = 1e4;
  pool.work.flops_per_sampled = 1e8;
  pool.work.bytes_per_pass = 1e9;
  pool.work.bytes_per_token = 1e6;
  pool.work.bytes_per_decode_kv_token = 1e5;
  pool.work.bytes_per_prefill_kv_token = 1e4;
  pool.work.bytes_per_sampled = 1e3;
  pool.work.peak_flops = 1e12;
  pool.work.peak_bandwidth = 1e12;
  return facts;
}

}  // namespace

TEST_CASE("utilisation is the work done over what the replicas could have done in the window") {
  Recorder recorder(working_facts());
  recorder.request_arrived(at(0), 1);
  two_runs(recorder);
  recorder.arrivals_ended(at(10));
  const Summary summary = recorder.summarize(at(10));
  REQUIRE(summary.use.size() == 1);
  const PoolUse& use = summary.use[0];
  const double decode_kv = 100 * 1000 + 8 * (100 * 99 / 2);
  const double flops = 1e9 * (800 + 512) + 1e5 * decode_kv + 1e4 * 1e5 + 1e8 * 801;
  const double bytes = 1e9 * 101 + 1e6 * 1312 + 1e5 * decode_kv + 1e4 * 512 + 1e3 * 801;
  CHECK(use.busy == Approx(4 / 20.0));
  CHECK(use.prefill_time_share == Approx(1 / 4.0));
  CHECK(use.compute == Approx(flops / 1e12 / 20));
  CHECK(use.memory == Approx(bytes / 1e12 / 20));
  CHECK(use.kv_mean == Approx((80 * 3 + 120 * 1) / 200.0 / 20));
  CHECK(use.kv_peak == Approx(0.6));
  CHECK(use.iterations == Approx(101 / 20.0));
  CHECK(use.chips == 8);
}

TEST_CASE("power is idle, decode and prefill shares of TDP by time, server overhead on top") {
  Recorder recorder(working_facts());
  recorder.request_arrived(at(0), 1);
  recorder.request_ended(completed(0, 0, 0, 1, 2, 30, 20));
  two_runs(recorder);
  recorder.arrivals_ended(at(10));
  const Summary summary = recorder.summarize(at(10));
  const double watts = 500 * (0.25 * 16 + 0.65 * 3 + 0.95 * 1) / 20;
  CHECK(summary.use[0].chip_watts.value == Approx(watts));
  CHECK(summary.use[0].server_watts.value == Approx(2 * watts));
  CHECK(summary.use[0].chip_watts.low < watts);
  CHECK(summary.use[0].chip_watts.high > watts);
  REQUIRE(summary.energy.known);
  CHECK(summary.energy.watts.value == Approx(8 * 2 * watts));
  CHECK(summary.energy.whole_run_joules.value == Approx(8 * 2 * watts * 10));
  CHECK(summary.energy.joules_per_output_token.value == Approx(8 * 2 * watts / 2));
  CHECK(summary.energy.joules_per_token.value == Approx(8 * 2 * watts / 5));
}

TEST_CASE("chips that no replica uses stand at the share off, in power, energy and the pool's watts alike") {
  const auto summary_of = [](std::int32_t replicas, std::int32_t unused) {
    RunFacts facts = working_facts();
    facts.pools[0].replicas = replicas;
    facts.pools[0].unused_chips = unused;
    Recorder recorder(facts);
    recorder.request_arrived(at(0), 1);
    two_runs(recorder);
    recorder.arrivals_ended(at(10));
    return recorder.summarize(at(10));
  };
  const Summary all_used = summary_of(2, 0), some_left = summary_of(2, 8);
  const double off_watts = 2 * 8 * 0.2 * 500;
  CHECK(some_left.use[0].unused_chips == 8);
  CHECK(some_left.use[0].chip_watts.value == all_used.use[0].chip_watts.value);
  CHECK(some_left.use[0].watts.value == Approx(all_used.use[0].watts.value + off_watts));
  CHECK(some_left.energy.watts.value == Approx(all_used.energy.watts.value + off_watts));
  CHECK(some_left.energy.whole_run_joules.value == Approx(all_used.energy.whole_run_joules.value + 10 * off_watts));
  // The same work on more of the bought chips: idle chips draw more than unused ones, so never less energy.
  CHECK(summary_of(3, 4).energy.watts.value > some_left.energy.watts.value);
  CHECK(summary_of(4, 0).energy.watts.value > summary_of(3, 4).energy.watts.value);
}

TEST_CASE("energy names the weakest grade among TDP, server factor and power shares") {
  const auto grade_of = [](auto&& change) {
    RunFacts facts = working_facts();
    PoolFacts& pool = facts.pools[0];
    for (Evidence* one : {&pool.tdp, &pool.server_factor, &pool.shares.off, &pool.shares.idle, &pool.shares.decode,
                          &pool.shares.prefill})
      one->grade = Grade::kMeasured;
    change(pool);
    Recorder recorder(facts);
    recorder.request_arrived(at(0), 1);
    two_runs(recorder);
    recorder.arrivals_ended(at(10));
    return recorder.summarize(at(10)).energy.weakest;
  };
  CHECK(grade_of([](PoolFacts&) {}) == Grade::kMeasured);
  CHECK(grade_of([](PoolFacts& pool) { pool.tdp.grade = Grade::kVendor; }) == Grade::kVendor);
  CHECK(grade_of([](PoolFacts& pool) { pool.server_factor.grade = Grade::kEstimate; }) == Grade::kEstimate);
  CHECK(grade_of([](PoolFacts& pool) { pool.shares.off.grade = Grade::kThirdParty; }) == Grade::kThirdParty);
}

TEST_CASE("without a price sheet a server draws the default factor and the notes say so") {
  const auto summary_of = [](bool default_power, double tdp) {
    RunFacts facts = working_facts();
    facts.pools[0].server_factor = default_server_factor();
    facts.pools[0].default_power = default_power;
    facts.pools[0].tdp.value = tdp;
    Recorder recorder(facts);
    recorder.request_arrived(at(0), 1);
    two_runs(recorder);
    recorder.arrivals_ended(at(10));
    return recorder.summarize(at(10));
  };
  const auto says_so = [](const Summary& summary) {
    const std::string note =
        "power: no price sheet, so default figures: a server draws 1.8 (1.6 to 2.4) times its chips, a chip "
        "its "
        "usual shares of TDP";
    return std::count(summary.notes.begin(), summary.notes.end(), note) == 1;
  };
  const Summary summary = summary_of(true, 500);
  CHECK(summary.use[0].server_watts.value == Approx(1.8 * summary.use[0].chip_watts.value));
  CHECK(summary.use[0].server_watts.high == Approx(2.4 * summary.use[0].chip_watts.high));
  CHECK(says_so(summary));
  CHECK_FALSE(says_so(summary_of(false, 500)));
  CHECK_FALSE(says_so(summary_of(true, 0)));  // no TDP, no power
}

TEST_CASE("an unknown TDP leaves energy out instead of counting it as nothing") {
  RunFacts facts = working_facts();
  facts.pools[0].tdp = {};
  Recorder recorder(facts);
  recorder.request_arrived(at(0), 1);
  two_runs(recorder);
  recorder.arrivals_ended(at(10));
  const Summary summary = recorder.summarize(at(10));
  CHECK_FALSE(summary.energy.known);
  CHECK(std::isnan(summary.energy.watts.value));
}

TEST_CASE("a run of iterations across the edges of the window is shared out by time") {
  RunFacts facts = working_facts();
  facts.window.mode = MeasureWindow::Mode::kGiven;
  facts.window.from = 1;
  facts.window.until = 2;
  Recorder recorder(facts);
  recorder.request_arrived(at(0), 1);
  recorder.request_arrived(at(5), 2);
  two_runs(recorder);  // announced late, as a leap does
  recorder.arrivals_ended(at(5));
  const Summary summary = recorder.summarize(at(6));
  CHECK(summary.use[0].busy == Approx(1 / 2.0));
  CHECK(summary.use[0].iterations == Approx(100 / 3.0 / 2));
}
