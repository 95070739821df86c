// Compiled replicas against the kernels they are made of, and against what physics and real servers allow.
#include "sim/perf/compile_cost.hpp"

#include <catch2/catch.hpp>

#include "setups_for_tests.hpp"
#include "sim/base/check.hpp"
#include "sim/perf/collectives.hpp"
#include "sim/perf/stage_price.hpp"

namespace silicast {
namespace {

BatchShape decode(std::int32_t sequences, std::int64_t kv_length) {
  BatchShape shape;
  shape.decode_sequences = sequences;
  shape.decode_kv_tokens = sequences * kv_length;
  shape.sampled_sequences = sequences;
  return shape;
}

BatchShape prefill(const IterationCost& cost, std::int32_t tokens, std::int64_t context) {
  BatchShape shape;
  shape.prefill_sequences = 1;
  shape.prefill_tokens = tokens;
  shape.prefill_attention = cost.prefill_attention(tokens, context);
  shape.sampled_sequences = 1;
  return shape;
}

}  // namespace

TEST_CASE("a decode iteration is the sum of its kernels") {
  const ReplicaSetup setup = llama_setup(4, {80});
  const IterationCost cost = compile_cost(setup, 256, 64).cost;
  const StageWork work(setup.model, setup.plan, setup.precision, 0);
  const ChipRates& chip = setup.chip;
  const double bandwidth = chip.memory_bandwidth * chip.memory;
  double expected = setup.host.per_iteration + 64 * setup.host.per_sequence;
  for (const auto& kernels : {work.token_kernels(64), work.sequence_kernels(64)}) {
    for (const Kernel& kernel : kernels) {
      Seconds one;
      if (kernel.kernel_class == KernelClass::kGemm) one = price_gemm(chip, kernel).time;
      if (kernel.kernel_class == KernelClass::kElementwise) one = price_elementwise(chip, kernel).time;
      if (kernel.kernel_class == KernelClass::kAllReduce)
        one = price_all_reduce(chip, setup.tensor_groups[0], kernel.message).time;
      if (kernel.kernel_class == KernelClass::kAllGather)
        one = price_all_gather(chip, setup.tensor_groups[0], kernel.message).time;
      REQUIRE(one.value() > 0);
      expected += kernel.times * one.value();
    }
  }
  const Kernel attention = work.decode_attention(64, 64 * 3000);
  expected += 80 * (chip.launch + (attention.bytes.value() + chip.memory_half_bytes) / bandwidth);
  CHECK(cost.line(decode(64, 3000)).first == Approx(expected).epsilon(1e-3));
}

TEST_CASE("compiled decode attention is within a tenth of a per cent of its rates, kink included") {
  ReplicaSetup setup = llama_setup(4, {80});
  for (double peak : {989e12, 12e12, 11e12}) {
    setup.chip.peak[static_cast<std::size_t>(NumberFormat::kBf16)] = peak;
    setup.host = {};
    const IterationCost cost = compile_cost(setup, 64, 64).cost;
    const StagePrice price(setup, 0);
    for (std::int64_t length = 64; length < 4000000; length = length * 5 / 4) {
      const double exact = price.decode_kv(static_cast<double>(length));
      BatchShape shape = decode(1, length);
      const double compiled = cost.line(shape).first - price.tokens(1) - price.sequences(1) - price.decode_base(1);
      CHECK(compiled == Approx(exact).epsilon(1e-3));
    }
  }
}

TEST_CASE("one sequence of Llama-3.1-70B in FP8 on four H200 decodes no faster than its weights stream") {
  ReplicaSetup setup = llama_setup(4, {80});
  setup.host = {};
  const IterationCost cost = compile_cost(setup, 16, 16).cost;
  const double streaming = 80 * setup.model.layer_matrix_parameters() / (4 * 4.8e12);
  const double seconds = cost.line(decode(1, 1000)).first;
  CHECK(seconds > streaming);
  CHECK(seconds < 3 * streaming);
}

TEST_CASE("a long prompt reaches a plausible share of the peak, below what GEMMs may reach") {
  ReplicaSetup setup = llama_setup(4, {80});
  const CompiledCost compiled = compile_cost(setup, 8192, 16);
  const double pairs = 8192.0 * 8193 / 2;
  const double flops = 8192 * compiled.work.flops_per_token + pairs * compiled.work.flops_per_prefill_pair;
  const double share = flops / compiled.work.peak_flops / compiled.cost.line(prefill(compiled.cost, 8192, 0)).first;
  CHECK(share > 0.35);
  CHECK(share < setup.chip.compute);
}

TEST_CASE("work rates of the replica are the model's, whatever the layout") {
  const ModelSpec model = llama_70b();
  for (const ReplicaSetup& setup :
       {llama_setup(1, {80}), llama_setup(4, {80}), llama_setup(4, {40, 40}), llama_setup(2, {30, 30, 20})}) {
    const WorkRates work = compile_cost(setup, 8, 8).work;
    CAPTURE(setup.plan.tensor, setup.plan.stages());
    CHECK(work.flops_per_token == Approx(2 * 80 * model.layer_matrix_parameters()).epsilon(1e-3));
    CHECK(work.bytes_per_pass == Approx(80 * model.layer_matrix_parameters() + 2.0 * 8192 * 128256).epsilon(1e-3));
    CHECK(work.flops_per_sampled == Approx(2.0 * 8192 * 128256).epsilon(1e-3));
    CHECK(work.flops_per_decode_kv_token == Approx(80.0 * 4 * 64 * 128));
    CHECK(work.flops_per_prefill_pair == Approx(80.0 * 4 * 64 * 128));
    CHECK(work.bytes_per_decode_kv_token == Approx(model.kv_numbers_per_token()));
    CHECK(work.bytes_per_prefill_kv_token == Approx(model.kv_numbers_per_token()));
    CHECK(work.peak_flops == Approx(setup.plan.chips() * 1979e12));
    CHECK(work.peak_bandwidth == Approx(setup.plan.chips() * 4.8e12));
    CHECK(work.stages == setup.plan.stages());
    CHECK(work.micro_batches(1) == 1);
    CHECK(work.micro_batches(64) == setup.plan.stages());
  }
}

TEST_CASE("more tokens, more sequences and longer KV never take less time, across tile boundaries too") {
  const IterationCost cost = compile_cost(llama_setup(4, {80}), 600, 64).cost;
  double before = 0;
  for (std::int32_t m = 1; m <= 600; ++m) {
    BatchShape shape = prefill(cost, m, 0);
    shape.prefill_attention = 0;
    const double seconds = cost.line(shape).first;
    if (m % 16 == 1) {  // a tile filled further costs no more, a new one does
      CHECK(seconds >= before);
      before = seconds;
    }
  }
  for (std::int32_t n = 2; n <= 64; ++n) {
    CHECK(cost.line(decode(n, 1000)).first > cost.line(decode(1, 1000)).first);
    CHECK(cost.line(decode(n, 1001)).first > cost.line(decode(n, 1000)).first);
  }
}

TEST_CASE("two pipeline stages of half the layers pass one sequence like one stage, plus the send and the gather") {
  const ReplicaSetup whole = llama_setup(4, {80});
  const ReplicaSetup halves = llama_setup(4, {40, 40});
  const double one = compile_cost(whole, 16, 16).cost.line(decode(1, 500)).first;
  const double two = compile_cost(halves, 16, 16).cost.line(decode(1, 500)).first;
  const Bytes passed(2 * 8192 * 2);
  const double send = price_send(halves.chip, halves.stage_links[0], passed * 0.25).time.value();
  const double gather = price_all_gather(halves.chip, halves.tensor_groups[1], passed).time.value();
  CHECK(two - one == Approx(send + gather).epsilon(1e-6));
}

TEST_CASE("tensor parallelism shortens a decode iteration, by less than the number of chips") {
  const double one = compile_cost(llama_setup(1, {80}), 16, 16).cost.line(decode(8, 2000)).first;
  const double four = compile_cost(llama_setup(4, {80}), 16, 16).cost.line(decode(8, 2000)).first;
  CHECK(four < one);
  CHECK(four > one / 4);
}

TEST_CASE("a setup whose groups do not match its layout is refused") {
  ReplicaSetup setup = llama_setup(4, {40, 40});
  setup.stage_links.clear();
  CHECK_THROWS_WITH(compile_cost(setup, 8, 8), Catch::Contains("0 links between 2 stages"));
  setup = llama_setup(4, {80});
  setup.tensor_groups[0].size = 8;
  CHECK_THROWS_WITH(compile_cost(setup, 8, 8), Catch::Contains("a group of 8 for 4 tensor ranks"));
}

}  // namespace silicast
