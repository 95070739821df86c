// Routed experts and what ranks exchange for them, counted by hand on a tiny mixture.
#include <algorithm>
#include <catch2/catch.hpp>

#include "sim/model/iteration_work.hpp"
#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using namespace test;

// Layer 0 with a dense MLP, layer 1 with 4 experts of width 6, of which a token takes 2, and shared ones of 12.
ModelSpec mixture_model() {
  ModelSpec model = tiny_model();
  FeedForwardSpec block;
  block.intermediate = 6;
  block.experts = 4;
  block.active = 2;
  block.shared = 12;
  model.feed_forwards.push_back(block);
  model.layers = {{0, 0}, {0, 1}};
  return model;
}

StageWork work(const ModelSpec& model, const std::string& layout, ExpertExchange exchange = ExpertExchange::kAllGather,
               const Precision& precision = {}) {
  return StageWork(model, plan_of(layout, model), precision, 0, {exchange, 0, 0});
}

std::int64_t count(const std::vector<Kernel>& kernels, std::string_view name) {
  return std::count_if(kernels.begin(), kernels.end(), [&](const Kernel& kernel) { return kernel.name == name; });
}

const Kernel& get(const std::vector<Kernel>& kernels, std::string_view name) {
  INFO(name);
  REQUIRE(count(kernels, name) == 1);
  return *std::find_if(kernels.begin(), kernels.end(), [&](const Kernel& kernel) { return kernel.name == name; });
}

TEST_CASE("a layer with experts has its router and its shared experts among the GEMMs, its routed ones apart") {
  const auto kernels = work(mixture_model(), "{}").token_kernels(5);
  for (const std::string_view name : {"mlp_gate_up", "mlp_down", "router", "shared_gate_up", "shared_down"})
    CHECK(get(kernels, name).times == 1);
  CHECK(count(kernels, "experts_gate_up") == 0);
  CHECK(get(kernels, "router").n == 4);
  CHECK(get(kernels, "shared_gate_up").n == 24);
  CHECK(count(kernels, "activation") == 2);  // of the dense MLP and of the shared experts
}

TEST_CASE("routed experts compute two rows a token and read those that the tokens meet") {
  const auto kernels = work(mixture_model(), "{}").expert_kernels(3);
  REQUIRE(kernels.size() == 1);
  const Kernel& experts = kernels[0];
  CHECK(experts.kernel_class == KernelClass::kExperts);
  CHECK(experts.times == 1);
  CHECK(experts.m == 3 * 2);
  const double distinct = 4 * (1 - 0.5 * 0.5 * 0.5);  // a token misses an expert half of the time
  CHECK(experts.experts == Approx(distinct));
  CHECK(experts.flops.value() == Approx(2.0 * 6 * 3 * 6 * 8));  // rows, three projections of 6 x 8
  const double passes = 5 * 6 * (8 + 6) * 2;                    // rows, widths on both sides, bytes
  CHECK(experts.output.value() == Approx(passes));
  CHECK(experts.bytes.value() == Approx(distinct * 3 * 6 * 8 * 2 + passes));
}

TEST_CASE("experts have formats of their own") {
  Precision precision;
  precision.experts = NumberFormat::kMxFp4;
  precision.expert_activations = NumberFormat::kBf16;
  const Kernel experts = work(mixture_model(), "{}", ExpertExchange::kAllGather, precision).expert_kernels(100)[0];
  CHECK(experts.weights == NumberFormat::kMxFp4);
  CHECK(experts.format == NumberFormat::kBf16);
  CHECK((experts.bytes - experts.output).value() == Approx(4 * 3 * 6 * 8 * (0.5 + 1.0 / 32)));
}

TEST_CASE("an engine that pads its experts computes and reads all of a rank, chosen by tokens or not") {
  const ModelSpec model = mixture_model();
  const Kernel experts =
      StageWork(model, plan_of("{}", model), {}, 0, {ExpertExchange::kAllGather, 0, 128}).expert_kernels(3)[0];
  CHECK(experts.experts == 4);
  // Each expert's rows are filled up to tiles of 128, by 127 at the most.
  CHECK(experts.m == 6 + 4 * 127);
  CHECK(experts.flops.value() == Approx(2.0 * (6 + 4 * 127) * 3 * 6 * 8));
  CHECK((experts.bytes - experts.output).value() == Approx(4.0 * 3 * 6 * 8 * 2));
  // Rows of tokens as ever; rows that only pad have 8-bit inputs, 16-bit outputs, gate, up and product in between.
  CHECK(experts.output.value() == Approx(5 * 6 * (8 + 6) * 2 + 4 * 127 * (3 * 8 + 9 * 6)));
}

TEST_CASE("tensor ranks without expert shares hold a slice of every expert and sum up in the usual all-reduce") {
  const StageWork two = work(mixture_model(), "tensor: 2");
  const Kernel experts = get(two.expert_kernels(3), "experts");
  CHECK(experts.m == 6);
  CHECK(experts.flops.value() == Approx(2.0 * 6 * 3 * 3 * 8));
  CHECK(two.expert_kernels(3).size() == 1);
  CHECK(get(two.token_kernels(3), "all_reduce").times == 2 * 2 + 1);
}

TEST_CASE("data-parallel ranks gather all tokens for the experts and scatter the sums") {
  const StageWork two = work(mixture_model(), "{tensor: 2, data: 2, expert: 4}");
  const auto kernels = two.expert_kernels(10);  // of both groups
  CHECK(kernels.size() == 3);
  for (const auto& [name, kind] :
       {std::pair{"dispatch", KernelClass::kAllGather}, std::pair{"combine", KernelClass::kReduceScatter}}) {
    const Kernel& message = get(kernels, name);
    CHECK(message.kernel_class == kind);
    CHECK(message.group == RankGroup::kStage);
    CHECK(message.times == 1);
    CHECK(message.message.value() == 10 * 8 * 2);
  }
  CHECK(two.exchange_kernels(10).empty());
  // After both attentions, the dense MLP, the shared experts and the embedding; within a tensor group.
  CHECK(get(two.token_kernels(5), "all_reduce").times == 5);
  CHECK(get(two.token_kernels(5), "all_reduce").group == RankGroup::kTensor);
  ModelSpec alone = mixture_model();
  alone.feed_forwards[1].shared = 0;
  CHECK(get(work(alone, "{tensor: 2, data: 2, expert: 4}").token_kernels(5), "all_reduce").times == 4);
}

TEST_CASE("an exchange from all to all sends a copy for each expert while tokens are few, else one for each rank") {
  const StageWork four = work(mixture_model(), "{data: 4, expert: 4}", ExpertExchange::kAllToAll);
  CHECK(four.expert_kernels(12).size() == 1);
  const auto few = four.exchange_kernels(256);
  CHECK(few.size() == 2);
  // 2 copies of every token, of which a quarter stay at home.
  CHECK(get(few, "dispatch").message.value() == Approx(256 * 2 * 0.75 * 8 * 2));
  CHECK(get(few, "dispatch").kernel_class == KernelClass::kAllToAll);
  CHECK(get(few, "dispatch").group == RankGroup::kStage);
  CHECK(get(few, "combine").message.value() == get(few, "dispatch").message.value());
  // Two experts lie on 4 (1 - (3/4)^2) = 1.75 different ranks.
  CHECK(get(four.exchange_kernels(257), "dispatch").message.value() == Approx(257 * 1.75 * 0.75 * 8 * 2));
}

TEST_CASE("tensor ranks share the sending, and narrow inputs are sent narrow, sums native") {
  Precision fp8;
  fp8.experts = fp8.expert_activations = NumberFormat::kFp8;
  const StageWork four = work(mixture_model(), "{tensor: 2, data: 2, expert: 4}", ExpertExchange::kAllToAll, fp8);
  CHECK(get(four.exchange_kernels(10), "dispatch").message.value() == Approx(10 / 2.0 * 2 * 0.75 * 8 * 1));
  CHECK(get(four.exchange_kernels(10), "combine").message.value() == Approx(10 / 2.0 * 2 * 0.75 * 8 * 2));
}

TEST_CASE("dense models and ranks by themselves exchange nothing") {
  CHECK(work(tiny_model(), "tensor: 2").expert_kernels(5).empty());
  for (const ExpertExchange exchange : {ExpertExchange::kAllGather, ExpertExchange::kAllToAll}) {
    CHECK(work(mixture_model(), "tensor: 2", exchange).expert_kernels(5).size() == 1);
    CHECK(work(mixture_model(), "tensor: 2", exchange).exchange_kernels(5).empty());
  }
}

TEST_CASE("FP8 experts with BF16 layers quantise nothing but the experts' own inputs") {
  Precision precision;
  precision.experts = precision.expert_activations = NumberFormat::kFp8;
  const auto kernels = work(mixture_model(), "{}", ExpertExchange::kAllGather, precision).token_kernels(5);
  CHECK(count(kernels, "quantise_hidden") == 0);
  CHECK(count(kernels, "quantise_mlp") == 0);
}

TEST_CASE("hyper-connections mix all copies of the hidden state before and after each block") {
  ModelSpec model = mixture_model();
  CHECK(count(work(model, "{}").token_kernels(5), "residual_mix") == 0);
  model.residual_streams = 4;
  const Kernel mix = get(work(model, "{}").token_kernels(5), "residual_mix");
  CHECK(mix.times == 4);
  CHECK(mix.bytes.value() == 2 * 4 * 5 * 8 * 2);
}

}  // namespace
}  // namespace silicast
