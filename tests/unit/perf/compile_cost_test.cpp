// Compiled replicas against the kernels they are made of, and against what physics and real servers allow.
#include "sim/perf/compile_cost.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "setups_for_tests.hpp"
#include "sim/base/check.hpp"
#include "sim/base/random.hpp"
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
  // A rank has 16 query heads and 2 KV heads of 128; K and V in FP8.
  const double sequence = 2 * 20e-9 + 2 * 16 * 128 * 2 / (4.8e12 * 0.9), token = 2 * 2 * 128 / (4.8e12 * 0.65);
  expected += 80 * (10e-6 + 64 * sequence + 64 * 3000 * token);
  CHECK(cost.line(decode(64, 3000)).first == Approx(expected).epsilon(1e-12));
  CHECK(cost.line(decode(64, 3000)).slope == Approx(80 * 64 * token).epsilon(1e-12));
}

TEST_CASE("tables are direct prices up to 256 tokens, and within 1 in 10,000 beyond") {
  RandomStream random(1, "tables");
  for (ReplicaSetup setup : {llama_setup(1, {80}), llama_setup(4, {80}), mixture_setup(4, 1)}) {
    setup.host = {};
    const IterationCost cost = compile_cost(setup, 8192, 1).cost;
    const StagePrice price(setup, 0);
    const auto check = [&](std::int32_t m, double tolerance) {
      BatchShape shape = prefill(cost, m, 0);
      shape.prefill_attention = 0;
      const double direct = price.tokens(m) + price.experts(m) + price.sequences(1);
      CAPTURE(setup.model.name, setup.plan.tensor, m);
      CHECK(cost.line(shape).first == Approx(direct).epsilon(tolerance));
    };
    for (std::int32_t m = 1; m <= 256; ++m) check(m, 1e-14);
    for (int i = 0; i < 300; ++i) check(257 + static_cast<std::int32_t>(random.below(8192 - 256)), 1e-4);
    check(8192, 1e-14);
  }
}

TEST_CASE("ranks in lock step share the experts of all and the exchange of the fullest") {
  for (const ExpertExchange exchange : {ExpertExchange::kAllGather, ExpertExchange::kAllToAll}) {
    ReplicaSetup setup = mixture_setup(2, 4);
    setup.policy.exchange = exchange;
    setup.host = {};
    const IterationCost cost = compile_cost(setup, 512, 64).cost;
    const StagePrice price(setup, 0);
    for (const std::int64_t tokens : {1, 7, 256, 700, 2048}) {
      CAPTURE(tokens);
      CHECK(cost.shared(tokens, 0) == Approx(price.experts(tokens)).epsilon(1e-4));
    }
    for (const std::int32_t tokens : {1, 7, 256, 512})
      CHECK(cost.shared(0, tokens) == Approx(price.exchange(tokens)).epsilon(1e-4));
    CHECK((cost.shared(0, 64) > 0) == (exchange == ExpertExchange::kAllToAll));
    // A rank's own duration is that of its own tokens, without routed experts.
    BatchShape shape = prefill(cost, 100, 0);
    shape.prefill_attention = 0;
    CHECK(cost.line(shape).first == Approx(price.tokens(100) + price.sequences(1)).epsilon(1e-12));
  }
}

TEST_CASE("iterations of more tokens than graphs were captured for launch every kernel by itself") {
  ReplicaSetup setup = llama_setup(4, {80});
  const double graph = StagePrice(setup, 0).tokens(600);
  setup.graph_tokens = 512;
  setup.eager_launch = 30e-6;
  const StagePrice price(setup, 0);
  CHECK(price.tokens(512) == Approx(StagePrice(llama_setup(4, {80}), 0).tokens(512)));
  double added = 80 * (30e-6 - 10e-6);  // attention starts in 10 us
  for (const Kernel& kernel : price.work().token_kernels(600))
    added += kernel.times * std::max(0.0, 30e-6 - price.kernel(kernel).time.value());
  CHECK(price.tokens(600) == Approx(graph + added));
  CHECK(price.sequences(600) == Approx(StagePrice(llama_setup(4, {80}), 0).sequences(600)));
}

TEST_CASE("a slow form of an operator takes its factor longer, others do not") {
  const ReplicaSetup plain = mixture_setup(4, 1);
  const StagePrice good(plain, 0);
  ReplicaSetup setup = plain;
  setup.fallback[static_cast<std::size_t>(StackOperator::kExperts)] = 3;
  setup.fallback[static_cast<std::size_t>(StackOperator::kWindowAttention)] = 2;
  const StagePrice slow(setup, 0);
  CHECK(slow.experts(100) == Approx(3 * good.experts(100)));
  CHECK(slow.attention()[0].decode_memory == good.attention()[0].decode_memory);  // full attention
  CHECK(slow.attention()[1].decode_memory == Approx(2 * good.attention()[1].decode_memory));
  CHECK(slow.attention()[1].prefill_pair == Approx(2 * good.attention()[1].prefill_pair));
  CHECK(slow.sequences(10) == good.sequences(10));
}

TEST_CASE("drafting runs its network once for each drafted token, and the model verifies all at once") {
  ReplicaSetup setup = llama_setup(4, {80});
  setup.host = {};
  setup.draft = setup.model;
  setup.draft.layers.resize(1);
  setup.drafts = 3;
  const IterationCost cost = compile_cost(setup, 256, 16).cost;
  CHECK(cost.query_tokens() == 4);
  const StagePrice price(setup, 0);
  ReplicaSetup one_layer = llama_setup(4, {1});
  one_layer.model.layers.resize(1);
  const StagePrice draft(one_layer, 0);
  const auto kv = [](const StagePrice& of) { return of.work().attention()[0].layers * of.attention()[0].decode_kv(1); };
  const double verify = price.tokens(4 * 8) + price.sequences(4 * 8) + price.decode_base(8) + 8 * 1000 * kv(price);
  const double drafts = draft.tokens(8) + draft.sequences(8) + draft.decode_base(8) + 8 * 1000 * kv(draft);
  BatchShape shape = decode(8, 1000);
  shape.accepted_drafts = 8 * 1.5;
  CHECK(cost.line(shape).first == Approx(verify + 3 * drafts));
  CHECK(cost.line(shape).slope == Approx(8 * 2.5 * (kv(price) + 3 * kv(draft))));
}

TEST_CASE("messages of an engine that overlaps hide behind as much of the computing") {
  for (const double overlap : {0.0, 0.4, 1.0}) {
    ReplicaSetup setup = llama_setup(4, {80});
    setup.overlap = overlap;
    const StagePrice price(setup, 0);
    double computing = 0, talking = 0;
    for (const Kernel& kernel : price.work().token_kernels(1000))
      (kernel.message.value() > 0 ? talking : computing) += kernel.times * price.kernel(kernel).time.value();
    REQUIRE(talking < computing);
    CHECK(price.tokens(1000) == Approx(computing + talking * (1 - overlap) + 80 * 10e-6));
  }
  ReplicaSetup setup = mixture_setup(1, 8);
  setup.policy.exchange = ExpertExchange::kAllToAll;
  const double whole = StagePrice(setup, 0).exchange(100);
  setup.overlap = 0.4;
  CHECK(StagePrice(setup, 0).exchange(100) == Approx(0.6 * whole));
  // Slow links: no more hides than there is computing.
  setup.stage_groups[0].all_to_all = BytesPerSecond(1e8);
  const StagePrice slow(setup, 0);
  setup.overlap = 0;
  const double talking = slow.exchange(100);
  setup.overlap = 0.4;
  const double computing = slow.tokens(100) + slow.experts(800);
  REQUIRE(computing < talking);
  CHECK(slow.exchange(100) == Approx(talking - 0.4 * computing));
}

TEST_CASE("two batches are two iterations' work of half the tokens") {
  ReplicaSetup setup = mixture_setup(1, 8);
  setup.policy.exchange = ExpertExchange::kAllToAll;
  const ReplicaSetup whole = setup;
  setup.two_batches = true;
  const StagePrice one(whole, 0), two(setup, 0);
  CHECK(two.tokens(101) == Approx(one.tokens(50) + one.tokens(51)));
  CHECK(two.experts(800) == Approx(2 * one.experts(400)));
  CHECK(two.exchange(100) == Approx(2 * one.exchange(50)));
  CHECK(two.tokens(1) == one.tokens(1));
  CHECK(two.sequences(100) == one.sequences(100));
  CHECK(two.decode_base(100) == one.decode_base(100));
  CHECK(two.tokens(100) > one.tokens(100));
}

TEST_CASE("attention that multiplies with an 8-bit cache as it is reads it like a 16-bit one") {
  ReplicaSetup setup = llama_setup(4, {80});
  CHECK(StagePrice(setup, 0).attention()[0].decode_memory == Approx(2 * 2 * 128 / (4.8e12 * 0.65)));
  setup.native_kv = true;
  CHECK(StagePrice(setup, 0).attention()[0].decode_memory == Approx(2 * 2 * 128 / (4.8e12 * 0.9)));
}

TEST_CASE("layers with windows add to the time of a decode by what they reach") {
  ReplicaSetup setup = mixture_setup(1, 1);
  setup.host = {};
  const IterationCost cost = compile_cost(setup, 64, 64).cost;
  CHECK(cost.reaches() == std::vector<std::int64_t>{128});
  BatchShape shape = decode(2, 500);
  const double none = cost.line(shape).first;
  shape.limited[0] = {2 * 128, 0};
  // 12 layers read K and V of 8 heads of 64 in BF16.
  CHECK(cost.line(shape).first - none == Approx(12 * 256 * (2 * 8 * 64 * 2) / (4.8e12 * 0.9)));
  shape.limited[0] = {100, 2};
  CHECK(cost.line(shape).slope == Approx(12 * (2 + 2) * (2 * 8 * 64 * 2) / (4.8e12 * 0.9)));
}

TEST_CASE("prefill attention is that of every layer, windows by their reach") {
  const ReplicaSetup setup = mixture_setup(1, 1);
  const IterationCost cost = compile_cost(setup, 4096, 4).cost;
  const double rate = 989e12 * 0.68 * 0.75, bandwidth = 4.8e12 * 0.9;  // heads of 64: three quarters
  const auto layer = [&](double pairs, double tokens, double keys) {
    const double pair = 4 * 32 * 64 / rate;
    const double compute = pair * (pairs + 450 * tokens), walk = 12e-9 / 2 * keys,
                 kv = 2 * 8 * 64 * 2 / bandwidth * keys;
    return std::cbrt(std::pow(compute, 3) + std::pow(walk, 3) + std::pow(kv, 3));
  };
  const double full = layer(1000.0 * 3000 + 1000.0 * 1001 / 2, 1000, 4000), window = layer(1000.0 * 128, 1000, 1128);
  CHECK(cost.prefill_attention(1000, 3000) == Approx(12 * full + 12 * window));
}

TEST_CASE("one sequence of Llama-3.1-70B in FP8 on four H200 decodes no faster than its weights stream") {
  ReplicaSetup setup = llama_setup(4, {80});
  setup.host = {};
  const IterationCost cost = compile_cost(setup, 16, 16).cost;
  const double streaming = 80 * kLlamaLayer / (4 * 4.8e12);
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
  CHECK(share < setup.chip.reached.gemm.compute.value);
}

TEST_CASE("work rates of the replica are the model's, whatever the layout") {
  for (const ReplicaSetup& setup :
       {llama_setup(1, {80}), llama_setup(4, {80}), llama_setup(4, {40, 40}), llama_setup(2, {30, 30, 20})}) {
    const WorkRates work = compile_cost(setup, 8, 8).work;
    CAPTURE(setup.plan.tensor, setup.plan.stages());
    CHECK(work.flops_per_token == Approx(2 * 80 * kLlamaLayer).epsilon(1e-3));
    CHECK(work.bytes_per_pass == Approx(80 * kLlamaLayer + 2.0 * 8192 * 128256).epsilon(1e-3));
    CHECK(work.flops_per_sampled == Approx(2.0 * 8192 * 128256).epsilon(1e-3));
    CHECK(work.flops_per_decode_kv_token == Approx(80.0 * 4 * 64 * 128));
    CHECK(work.flops_per_prefill_pair == Approx(80.0 * 4 * 64 * 128));
    CHECK(work.bytes_per_decode_kv_token == Approx(80.0 * 2 * 8 * 128));
    CHECK(work.bytes_per_prefill_kv_token == Approx(80.0 * 2 * 8 * 128));
    CHECK(work.bytes_of_experts == 0);
    CHECK(work.peak_flops == Approx(setup.plan.chips() * 1979e12));
    CHECK(work.peak_bandwidth == Approx(setup.plan.chips() * 4.8e12));
    CHECK(work.stages == setup.plan.stages());
    CHECK(work.micro_batches(1) == 1);
    CHECK(work.micro_batches(64) == setup.plan.stages());
  }
}

TEST_CASE("work rates of a mixture count a token's own experts and read those that a pass meets") {
  for (const ReplicaSetup& setup : {mixture_setup(1, 1), mixture_setup(4, 1), mixture_setup(2, 4)}) {
    const WorkRates work = compile_cost(setup, 8, 8).work;
    CAPTURE(setup.plan.tensor, setup.plan.data);
    const double expert = 3.0 * 2048 * 1024;
    const double attention = 2048.0 * (32 + 2 * 8) * 64 + 32.0 * 64 * 2048;
    const double block = 2048.0 * 64 + expert;  // router and shared experts
    const double per_token = 24 * attention + 2 * 3.0 * 2048 * 8192 + 22 * (block + 4 * expert);
    // Every tensor rank routes all tokens of its group.
    const double routers = 22.0 * 2048 * 64 * (setup.plan.tensor - 1);
    CHECK(work.flops_per_token == Approx(2 * (per_token + routers)).epsilon(1e-3));
    CHECK(work.bytes_of_experts == Approx(22 * 64 * expert * 2));
    CHECK(work.expert_share == Approx(4.0 / 64));
    CHECK(work.expert_bytes(0) == 0);
    CHECK(work.expert_bytes(1) == Approx(22 * 4 * expert * 2));
    CHECK(work.expert_bytes(1e6) == Approx(work.bytes_of_experts));
    CHECK(work.flops_per_decode_kv_token == Approx(12.0 * 4 * 32 * 64));
    CHECK(work.limited[0].flops_per_decode_kv_token == Approx(12.0 * 4 * 32 * 64));
    CHECK(work.limited[0].bytes_per_decode_kv_token == Approx(12.0 * 2 * 8 * 64 * 2));
    CHECK(work.limited[1].flops_per_decode_kv_token == 0);
  }
}

TEST_CASE("more tokens, more sequences and longer KV never take less time, across tile boundaries too") {
  for (const ReplicaSetup& setup : {llama_setup(4, {80}), mixture_setup(4, 1)}) {
    const IterationCost cost = compile_cost(setup, 600, 64).cost;
    double before = 0;
    for (std::int32_t m = 1; m <= 600; ++m) {
      BatchShape shape = prefill(cost, m, 0);
      shape.prefill_attention = 0;
      CHECK(cost.line(shape).first >= before);
      before = cost.line(shape).first;
    }
    for (std::int32_t n = 2; n <= 64; ++n) {
      CHECK(cost.line(decode(n, 1000)).first > cost.line(decode(n - 1, 1000)).first);
      CHECK(cost.line(decode(n, 1001)).first > cost.line(decode(n, 1000)).first);
    }
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

TEST_CASE("with half of the links between nodes their messages take longer, and nothing else") {
  ReplicaSetup setup = llama_setup(4, {80});
  CHECK_FALSE(tier_between_nodes(setup));
  CHECK(compile_cost(crowded_setup(setup), 64, 16).cost.line(decode(8, 2000)).first ==
        compile_cost(setup, 64, 16).cost.line(decode(8, 2000)).first);
  GroupLinks& group = setup.tensor_groups[0];
  group.within_node = false;
  CHECK(tier_between_nodes(setup) == Tier::kPod);
  group.within_pod = false;
  CHECK(tier_between_nodes(setup) == Tier::kScaleOut);
  GroupLinks half = group;
  half.ring = half.ring * 0.5;
  half.all_to_all = half.all_to_all * 0.5;
  const Bytes message(8 * 8192 * 2);
  const double longer =
      160 *
      (price_all_reduce(setup.chip, half, message).time - price_all_reduce(setup.chip, group, message).time).value();
  const double found = compile_cost(crowded_setup(setup), 64, 16).cost.line(decode(8, 2000)).first -
                       compile_cost(setup, 64, 16).cost.line(decode(8, 2000)).first;
  CHECK(found > longer);
  CHECK(found < 1.1 * longer);  // the gather of the logits
}

TEST_CASE("a setup whose groups do not match its layout is refused") {
  ReplicaSetup setup = llama_setup(4, {40, 40});
  setup.stage_links.clear();
  CHECK_THROWS_WITH(compile_cost(setup, 8, 8), Catch::Contains("0 links between 2 stages"));
  setup = llama_setup(4, {80});
  setup.tensor_groups[0].size = 8;
  CHECK_THROWS_WITH(compile_cost(setup, 8, 8), Catch::Contains("a group of 8 for 4 tensor ranks"));
  setup = llama_setup(4, {80});
  setup.stage_groups.clear();
  CHECK_THROWS_WITH(compile_cost(setup, 8, 8), Catch::Contains("0 stage groups for 1 stages"));
}

}  // namespace silicast
