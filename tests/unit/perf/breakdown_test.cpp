// The list of kernels against the compiled cost of the same batch.
#include "sim/perf/breakdown.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "setups_for_tests.hpp"
#include "sim/base/random.hpp"

namespace silicast {
namespace {

BatchShape shape_of(const IterationCost& cost, const BreakdownBatch& batch) {
  BatchShape shape;
  shape.decode_sequences = batch.decode_sequences;
  shape.decode_kv_tokens = batch.decode_sequences * batch.kv_length;
  shape.prefill_sequences = batch.prefill_tokens > 0 ? 1 : 0;
  shape.prefill_tokens = batch.prefill_tokens;
  shape.prefill_attention = cost.prefill_attention(batch.prefill_tokens, batch.prefill_context);
  shape.sampled_sequences = batch.sequences();
  for (std::size_t i = 0; i < cost.reaches().size(); ++i)
    shape.limited[i].tokens =
        static_cast<double>(batch.decode_sequences * std::min(batch.kv_length, cost.reaches()[i]));
  return shape;
}

const BreakdownRow* find(const Breakdown& out, std::string_view kernel) {
  for (const BreakdownRow& row : out.rows)
    if (row.kernel == kernel) return &row;
  return nullptr;
}

}  // namespace

TEST_CASE("the rows add up to the duration that the compiled cost gives") {
  RandomStream random(3, "breakdown");
  ReplicaSetup halves = mixture_setup(1, 1);
  halves.plan.stage_layers = {12, 12};
  halves = setup_of(halves.model, halves.plan, halves.precision);
  ReplicaSetup exchanging = mixture_setup(2, 4);
  exchanging.policy.exchange = ExpertExchange::kAllToAll;
  ReplicaSetup paired = exchanging;
  paired.two_batches = true;
  ReplicaSetup drafting = llama_setup(2, {30, 30, 20});
  drafting.drafts = 3;
  drafting.draft = drafting.model;
  drafting.draft.layers.resize(2);
  ReplicaSetup eager = mixture_setup(4, 1);
  eager.graph_tokens = 40;
  eager.eager_launch = 8e-6;
  for (const bool overlapped : {false, true}) {
    for (ReplicaSetup setup :
         {llama_setup(4, {80}), llama_setup(1, {80}), llama_setup(4, {40, 40}), llama_setup(2, {30, 30, 20}),
          mixture_setup(4, 1), mixture_setup(2, 4), halves, exchanging, paired}) {
      setup.host = {20e-3 * random.uniform(), 5e-6, overlapped};
      setup.overlap = overlapped ? random.uniform() : 0;
      const IterationCost cost = compile_cost(setup, 800, 64).cost;
      for (int i = 0; i < 40; ++i) {
        BreakdownBatch batch;
        batch.decode_sequences = static_cast<std::int32_t>(random.below(64));
        batch.kv_length = 1 + static_cast<std::int64_t>(random.below(20000));
        if (batch.decode_sequences == 0 || random.below(2) == 0) {
          batch.prefill_tokens = 1 + static_cast<std::int32_t>(random.below(500));
          batch.prefill_context = static_cast<std::int64_t>(random.below(20000));
        }
        const Breakdown out = breakdown(setup, batch);
        double sum = 0, shares = 0;
        for (const BreakdownRow& row : out.rows) {
          CHECK(row.time.value() >= 0);
          sum += row.time.value();
          shares += row.share;
        }
        double compiled = cost.line(shape_of(cost, batch)).first;
        if (setup.plan.data > 1) {
          // What is shared comes after a rank's own duration, so host work hides behind the latter alone.
          if (overlapped) continue;
          const std::int32_t own = batch.decode_sequences + batch.prefill_tokens;
          compiled += cost.shared(std::int64_t{own} * setup.plan.data, own);
        }
        CAPTURE(setup.model.name, setup.plan.tensor, setup.plan.data, setup.plan.stages(), batch.decode_sequences);
        CHECK(sum == Approx(compiled).epsilon(1e-3));
        CHECK(out.total.value() == Approx(compiled).epsilon(1e-3));
        CHECK(shares == Approx(1));
      }
    }
  }
}

TEST_CASE("a decode of one sequence is bound by memory in its GEMMs and by overhead in its norms") {
  const Breakdown out = breakdown(llama_setup(4, {80}), {1, 2000, 0, 0});
  REQUIRE(find(out, "mlp_gate_up") != nullptr);
  CHECK(find(out, "mlp_gate_up")->bound == Bound::kMemory);
  CHECK(find(out, "mlp_gate_up")->kernel_class == "gemm");
  CHECK(find(out, "mlp_gate_up")->bytes_rate.value() > 0.5 * 4.8e12);
  CHECK(find(out, "mlp_gate_up")->bytes_rate.value() < 4.8e12);
  CHECK(find(out, "norm")->bound == Bound::kOverhead);
  CHECK(find(out, "all_reduce")->bound == Bound::kOverhead);
  CHECK(find(out, "prefill_attention") == nullptr);
  CHECK(out.rows.back().kernel == "host");
  CHECK(out.rows.back().time.value() == Approx(1e-3 + 5e-6));
}

TEST_CASE("a long prompt is bound by compute in GEMMs and attention, by links in its all-reduces") {
  const Breakdown out = breakdown(llama_setup(4, {80}), {0, 0, 8192, 0});
  CHECK(find(out, "mlp_gate_up")->bound == Bound::kCompute);
  CHECK(find(out, "mlp_gate_up")->flops_rate.value() > 0.6 * 1979e12);
  CHECK(find(out, "prefill_attention")->bound == Bound::kCompute);
  CHECK(find(out, "all_reduce")->bound == Bound::kLink);
  CHECK(find(out, "decode_attention") == nullptr);
}

TEST_CASE("attention over a long KV cache is bound by memory, over a short one by overhead") {
  CHECK(find(breakdown(llama_setup(4, {80}), {64, 8000, 0, 0}), "decode_attention")->bound == Bound::kMemory);
  CHECK(find(breakdown(llama_setup(4, {80}), {1, 100, 0, 0}), "decode_attention")->bound == Bound::kOverhead);
}

TEST_CASE("host work that overlaps shows only what the chips wait for") {
  ReplicaSetup setup = llama_setup(4, {80});
  setup.host = {1e-3, 0, true};
  CHECK(breakdown(setup, {1, 100, 0, 0}).rows.back().time.value() == 0);
  setup.host = {1, 0, true};
  const Breakdown slow = breakdown(setup, {1, 100, 0, 0});
  CHECK(slow.total.value() == 1);
  CHECK(slow.rows.back().time.value() == Approx(1 - slow.device.value()));
}

}  // namespace silicast
