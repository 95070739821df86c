// Kernel sizes against counts by hand on a tiny model, and sums that hold for every model and layout.
#include "sim/model/iteration_work.hpp"

#include <catch2/catch.hpp>

#include "sim/base/check.hpp"
#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using namespace test;

// The kernel of that name; nothing when there is none or several.
std::optional<Kernel> find(const std::vector<Kernel>& kernels, std::string_view name) {
  std::optional<Kernel> found;
  for (const Kernel& kernel : kernels) {
    if (kernel.name != name) continue;
    if (found) return std::nullopt;
    found = kernel;
  }
  return found;
}

Kernel get(const std::vector<Kernel>& kernels, std::string_view name) {
  const auto kernel = find(kernels, name);
  INFO(name);
  REQUIRE(kernel.has_value());
  return *kernel;
}

double gemm_flops(const std::vector<Kernel>& kernels) {
  double sum = 0;
  for (const Kernel& kernel : kernels)
    if (kernel.kernel_class == KernelClass::kGemm) sum += kernel.times * kernel.flops.value();
  return sum;
}

void check_gemm(const Kernel& kernel, std::int64_t m, std::int64_t n, std::int64_t k) {
  CHECK(kernel.kernel_class == KernelClass::kGemm);
  CHECK(kernel.m == m);
  CHECK(kernel.n == n);
  CHECK(kernel.k == k);
  CHECK(kernel.flops.value() == 2.0 * static_cast<double>(m * n * k));
}

TEST_CASE("projections of a tiny model on one rank are those counted by hand") {
  const ModelSpec model = tiny_model();
  const auto kernels = StageWork(model, plan_of("{}", model), {}, 0).token_kernels(5);
  check_gemm(get(kernels, "qkv_proj"), 5, 12 + 6 + 6, 8);
  check_gemm(get(kernels, "o_proj"), 5, 8, 12);
  check_gemm(get(kernels, "mlp_gate_up"), 5, 32, 8);
  check_gemm(get(kernels, "mlp_down"), 5, 8, 16);
  CHECK(get(kernels, "qkv_proj").bytes.value() == 2 * (24 * 8 + 5 * 8 + 5 * 24));
  CHECK(get(kernels, "qkv_proj").output.value() == 2 * 5 * 24);
  CHECK(get(kernels, "qkv_proj").times == 2);
}

TEST_CASE("two ranks halve the projections and keep the width of the model") {
  const ModelSpec model = tiny_model();
  const auto kernels = StageWork(model, plan_of("tensor: 2", model), {}, 0).token_kernels(5);
  check_gemm(get(kernels, "qkv_proj"), 5, 6 + 3 + 3, 8);
  check_gemm(get(kernels, "o_proj"), 5, 8, 6);
  check_gemm(get(kernels, "mlp_gate_up"), 5, 16, 8);
  check_gemm(get(kernels, "mlp_down"), 5, 8, 8);
}

TEST_CASE("a rank beyond the KV heads holds a copy of one") {
  const ModelSpec model = tiny_model();
  const auto kernels = StageWork(model, plan_of("tensor: 4", model), {}, 0).token_kernels(5);
  check_gemm(get(kernels, "qkv_proj"), 5, 3 + 3 + 3, 8);
}

TEST_CASE("a plain MLP has an up projection alone") {
  ModelSpec model = tiny_model();
  model.feed_forwards[0].gated = false;
  const auto kernels = StageWork(model, plan_of("{}", model), {}, 0).token_kernels(5);
  check_gemm(get(kernels, "mlp_up"), 5, 16, 8);
  CHECK_FALSE(find(kernels, "mlp_gate_up").has_value());
  CHECK(get(kernels, "activation").bytes.value() == 2 * 5 * 16 * 2);
}

TEST_CASE("element-wise kernels of a tiny model move the bytes counted by hand") {
  ModelSpec model = tiny_model();
  model.attentions[0].qk_norm = true;
  const auto kernels = StageWork(model, plan_of("{}", model), {}, 0).token_kernels(5);
  CHECK(get(kernels, "norm").bytes.value() == 4 * 5 * 8 * 2);
  CHECK(get(kernels, "norm").times == 5);  // two a layer and the final one
  CHECK(get(kernels, "rotary").bytes.value() == 2 * 5 * (12 + 6) * 2);
  CHECK(get(kernels, "qk_norm").bytes.value() == 2 * 5 * (12 + 6) * 2);
  CHECK(get(kernels, "kv_write").bytes.value() == 5 * (6 + 6) * (2 + 2));
  CHECK(get(kernels, "activation").bytes.value() == 5 * (32 + 16) * 2);
  CHECK(get(kernels, "embedding").bytes.value() == 5 * 8 * 2 * 2);
  CHECK(get(kernels, "embedding").times == 1);
}

TEST_CASE("FP8 shrinks layer weights and GEMM inputs, and quantises activations before each GEMM") {
  const ModelSpec model = tiny_model();
  const Precision fp8{NumberFormat::kFp8, NumberFormat::kFp8, NumberFormat::kFp8};
  const StageWork work(model, plan_of("{}", model), fp8, 0);
  const auto kernels = work.token_kernels(5);
  CHECK(get(kernels, "qkv_proj").bytes.value() == 24 * 8 + 5 * 8 + 5 * 24 * 2);
  CHECK(get(kernels, "qkv_proj").format == NumberFormat::kFp8);
  CHECK(get(kernels, "kv_write").bytes.value() == 5 * 12 * (2 + 1));
  CHECK(get(kernels, "quantise_hidden").bytes.value() == 5 * 8 * (2 + 1));
  CHECK(get(kernels, "quantise_hidden").times == 4);
  CHECK(get(kernels, "quantise_attention").bytes.value() == 5 * 12 * (2 + 1));
  CHECK(get(kernels, "quantise_mlp").bytes.value() == 5 * 16 * (2 + 1));
  const Kernel head = get(work.sequence_kernels(3), "lm_head");
  CHECK(head.format == NumberFormat::kBf16);
  CHECK(head.bytes.value() == 2 * (128 * 8 + 3 * 8 + 3 * 128));
}

TEST_CASE("kernels that fuse norms, quantisation and KV writes leave those out") {
  const ModelSpec model = tiny_model();
  constexpr NumberFormat kFp8 = NumberFormat::kFp8;
  KernelPolicy fused;
  fused.fused = true;
  const auto one = StageWork(model, plan_of("{}", model), {kFp8, kFp8, kFp8}, 0, fused).token_kernels(5);
  for (const std::string_view name : {"kv_write", "quantise_hidden", "quantise_attention", "quantise_mlp"})
    CHECK_FALSE(find(one, name).has_value());
  // Norms go with the all-reduce before them, where there is one.
  CHECK(find(one, "norm").has_value());
  CHECK_FALSE(find(StageWork(model, plan_of("tensor: 2", model), {}, 0, fused).token_kernels(5), "norm").has_value());
}

TEST_CASE("a norm over all heads of queries and keys needs the sums of all tensor ranks") {
  ModelSpec model = tiny_model();
  model.attentions[0].qk_norm = model.attentions[0].qk_norm_across_heads = true;
  const auto alone = StageWork(model, plan_of("{}", model), {}, 0).token_kernels(5);
  CHECK(get(alone, "qk_norm").times == 2);
  CHECK_FALSE(find(alone, "qk_norm_sum").has_value());
  const auto two = StageWork(model, plan_of("tensor: 2", model), {}, 0).token_kernels(5);
  CHECK(get(two, "qk_norm").times == 2 * 4);
  CHECK(get(two, "qk_norm_sum").times == 2);
  CHECK(get(two, "qk_norm_sum").kernel_class == KernelClass::kAllReduce);
  CHECK(get(two, "qk_norm_sum").message.value() == 5 * 2 * 4);  // two sums in FP32 a token
}

TEST_CASE("weights alone in FP8 leave inputs and matrix unit native") {
  const ModelSpec model = tiny_model();
  const Precision w8a16{NumberFormat::kFp8, NumberFormat::kBf16, NumberFormat::kBf16};
  const auto kernels = StageWork(model, plan_of("{}", model), w8a16, 0).token_kernels(5);
  CHECK(get(kernels, "qkv_proj").format == NumberFormat::kBf16);
  CHECK(get(kernels, "qkv_proj").bytes.value() == 24 * 8 + 2 * (5 * 8 + 5 * 24));
  CHECK_FALSE(find(kernels, "quantise_hidden").has_value());
}

TEST_CASE("messages: two all-reduces a layer and the embedding's, logits gathered, stages send two tensors") {
  const ModelSpec model = tiny_model();
  const StageWork alone(model, plan_of("tensor: 2", model), {}, 0);
  const Kernel reduce = get(alone.token_kernels(5), "all_reduce");
  CHECK(reduce.times == 2 * 2 + 1);
  CHECK(reduce.message.value() == 5 * 8 * 2);
  CHECK(get(alone.sequence_kernels(3), "all_gather").message.value() == 3 * 128 * 2);
  CHECK_FALSE(find(alone.token_kernels(5), "send").has_value());
  const ParallelPlan two = plan_of("pipeline: 2", model);
  const Kernel send = get(StageWork(model, two, {}, 0).token_kernels(5), "send");
  CHECK(send.times == 1);
  CHECK(send.message.value() == 2 * 5 * 8 * 2);
  CHECK_FALSE(find(StageWork(model, two, {}, 1).token_kernels(5), "send").has_value());
  CHECK_FALSE(find(StageWork(model, two, {}, 1).token_kernels(5), "gather_received").has_value());
}

TEST_CASE("tensor ranks send a share each to the next stage, which gathers the whole") {
  const ModelSpec model = tiny_model();
  const ParallelPlan plan = plan_of("{tensor: 2, pipeline: 2}", model);
  CHECK(get(StageWork(model, plan, {}, 0).token_kernels(5), "send").message.value() == 5 * 8 * 2);
  CHECK(get(StageWork(model, plan, {}, 1).token_kernels(5), "gather_received").message.value() == 2 * 5 * 8 * 2);
  CHECK_FALSE(find(StageWork(model, plan, {}, 0).token_kernels(5), "gather_received").has_value());
}

TEST_CASE("groups that share out contexts gather keys and values and combine their outputs") {
  const ModelSpec model = tiny_model();
  const auto kernels = StageWork(model, plan_of("{tensor: 2, context: 4}", model), {}, 0).token_kernels(5);
  const Kernel gather = get(kernels, "context_gather"), combine = get(kernels, "context_combine");
  CHECK(gather.kernel_class == KernelClass::kAllGather);
  CHECK(gather.group == RankGroup::kStage);
  CHECK(gather.times == 2);
  CHECK(gather.message.value() == 4 * 5 * 2 * 3 * 2);  // the tokens of four groups, K and V, a head of 3, 2 B
  CHECK(combine.kernel_class == KernelClass::kReduceScatter);
  CHECK(combine.message.value() == 5 * 2 * 3 * 2);  // two heads of 3
  CHECK_FALSE(find(StageWork(model, plan_of("tensor: 2", model), {}, 0).token_kernels(5), "context_gather"));
}

TEST_CASE("one rank sends nothing") {
  const ModelSpec model = tiny_model();
  const StageWork work(model, plan_of("{}", model), {}, 0);
  for (const auto& kernels : {work.token_kernels(5), work.sequence_kernels(5)})
    for (const Kernel& kernel : kernels) CHECK(kernel.message.value() == 0);
}

TEST_CASE("the embedding is in the first stage, LM head, sampling and final norm in the last") {
  const ModelSpec model = tiny_model();
  const ParallelPlan plan = plan_of("pipeline: 2", model);
  const StageWork first(model, plan, {}, 0), last(model, plan, {}, 1);
  CHECK(find(first.token_kernels(5), "embedding").has_value());
  CHECK_FALSE(find(last.token_kernels(5), "embedding").has_value());
  CHECK(first.sequence_kernels(3).empty());
  check_gemm(get(last.sequence_kernels(3), "lm_head"), 3, 128, 8);
  CHECK(get(last.sequence_kernels(3), "sampling").bytes.value() == 3 * 100 * 10);
  CHECK(get(first.token_kernels(5), "norm").times == 2);
  CHECK(get(last.token_kernels(5), "norm").times == 3);
}

TEST_CASE("a stage has the attention of its own layers") {
  ModelSpec model = tiny_model();
  model.attentions.push_back(model.attentions[0]);
  model.attentions[1].window = 7;
  model.layers = {{0, 0}, {1, 0}};
  const ParallelPlan plan = plan_of("pipeline: 2", model);
  const StageWork first(model, plan, {}, 0), last(model, plan, {}, 1);
  REQUIRE(first.attention().size() == 1);
  REQUIRE(last.attention().size() == 1);
  CHECK(first.attention()[0].reach == 0);
  CHECK(last.attention()[0].reach == 7);
}

TEST_CASE("nothing to compute is no work") {
  const ModelSpec model = tiny_model();
  const StageWork work(model, plan_of("tensor: 2", model), {}, 0);
  CHECK(work.token_kernels(0).empty());
  CHECK(work.sequence_kernels(0).empty());
  CHECK(work.expert_kernels(0).empty());
  CHECK(work.exchange_kernels(0).empty());
}

TEST_CASE("GEMM operations over all ranks and stages are two per matrix parameter and token") {
  for (const std::string name : {"llama-3.1-70b", "qwen2.5-7b", "qwen3-32b"}) {
    const ModelSpec model = catalogue_model(name);
    for (const std::string layout : {"{}", "tensor: 4", "{tensor: 2, pipeline: 3}"}) {
      INFO(name << " " << layout);
      const ParallelPlan plan = plan_of(layout, model);
      double sum = 0;
      for (std::int32_t stage = 0; stage < plan.stages(); ++stage)
        sum += plan.tensor * gemm_flops(StageWork(model, plan, {}, stage).token_kernels(7));
      double numbers = 0;  // of the model's matrices, less what is no matrix
      for (const LayerSpec& layer : model.layers)
        numbers += layer_parameters(model, layer) - vector_numbers(model, layer, plan_of("{}", model));
      CHECK(sum == Approx(2 * 7 * numbers).epsilon(1e-12));
    }
  }
}

TEST_CASE("a stage that the plan lacks is our own mistake") {
  const ModelSpec model = tiny_model();
  CHECK_THROWS_AS(StageWork(model, plan_of("{}", model), {}, 1), InternalError);
}

TEST_CASE("kernel classes have the names that reports show") {
  CHECK(name_of(KernelClass::kGemm) == "gemm");
  CHECK(name_of(KernelClass::kAttentionPrefill) == "attention_prefill");
  CHECK(name_of(KernelClass::kAttentionDecode) == "attention_decode");
  CHECK(name_of(KernelClass::kElementwise) == "elementwise");
  CHECK(name_of(KernelClass::kAllReduce) == "all_reduce");
  CHECK(name_of(KernelClass::kAllGather) == "all_gather");
  CHECK(name_of(KernelClass::kExperts) == "experts");
  CHECK(name_of(KernelClass::kReduceScatter) == "reduce_scatter");
  CHECK(name_of(KernelClass::kAllToAll) == "all_to_all");
  CHECK(name_of(KernelClass::kSend) == "send");
}

}  // namespace
}  // namespace silicast
