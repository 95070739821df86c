// Which layouts are legal, how layers spread over stages, and which number formats go together.
#include "sim/model/parallel_plan.hpp"

#include <catch2/catch.hpp>
#include <numeric>

#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using namespace test;

std::string layout_message(const std::string& layout, const ModelSpec& model) {
  return message_of([&] { plan_of(layout, model); });
}

Precision precision_of(const std::string& text, const ModelSpec& model = tiny_model()) {
  return read_precision(ConfigValue::from_text(text, "p.yaml"), model);
}

TEST_CASE("an empty layout is one chip with all layers") {
  const ParallelPlan plan = plan_of("{}", tiny_model());
  CHECK(plan.tensor == 1);
  CHECK(plan.stage_layers == std::vector<std::int32_t>{2});
  CHECK(plan.chips() == 1);
}

TEST_CASE("KV heads are divided over ranks and copied when ranks outnumber them") {
  const ModelSpec model = catalogue_model("qwen2.5-7b");  // 28 query heads, 4 KV heads
  CHECK(plan_of("tensor: 2", model).kv_heads_per_rank(model.attentions[0]) == 2);
  CHECK(plan_of("tensor: 4", model).kv_heads_per_rank(model.attentions[0]) == 1);
  const ModelSpec large = catalogue_model("llama-3.1-70b");
  CHECK(plan_of("tensor: 16", large).kv_heads_per_rank(large.attentions[0]) == 1);
}

TEST_CASE("layers left over go to the last stages but one") {
  const ModelSpec model = catalogue_model("llama-3.1-405b");  // 126 layers
  CHECK(plan_of("pipeline: 4", model).stage_layers == std::vector<std::int32_t>{31, 32, 32, 31});
  CHECK(plan_of("pipeline: 2", model).stage_layers == std::vector<std::int32_t>{63, 63});
  CHECK(plan_of("{tensor: 8, pipeline: 4}", model).chips() == 32);
}

TEST_CASE("every spread has all layers, at least one per stage, and differs by one at most") {
  const ModelSpec model = catalogue_model("llama-3.1-8b");
  for (int stages = 1; stages <= model.layer_count(); ++stages) {
    const auto layers = plan_of("pipeline: " + std::to_string(stages), model).stage_layers;
    INFO(stages);
    CHECK(std::accumulate(layers.begin(), layers.end(), 0) == model.layer_count());
    const auto [low, high] = std::minmax_element(layers.begin(), layers.end());
    CHECK(*low >= 1);
    CHECK(*high - *low <= 1);
  }
}

TEST_CASE("stages may be given unequal") {
  const ParallelPlan plan = plan_of("{tensor: 4, stage_layers: [41, 39]}", catalogue_model("llama-3.1-70b"));
  CHECK(plan.stage_layers == std::vector<std::int32_t>{41, 39});
  CHECK(plan.chips() == 8);
}

TEST_CASE("a tensor degree that divides nothing is refused with the possible ones") {
  CHECK(layout_message("{tensor: 3}", catalogue_model("llama-3.1-70b")) ==
        "layout.yaml:1:10: tensor: tensor 3 does not divide the 64 query heads of llama-3.1-70b (possible: "
        "1, 2, 4, "
        "8, 16, 32, 64)");
  ModelSpec model = tiny_model();
  model.attentions[0].heads = 12;
  model.attentions[0].kv_heads = 4;
  model.feed_forwards[0].intermediate = 24;
  CHECK(layout_message("{tensor: 6}", model) ==
        "layout.yaml:1:10: tensor: tensor 6 neither divides nor is a multiple of the 4 KV heads of tiny "
        "(possible: 1, "
        "2, 4)");
  model.attentions[0].kv_heads = 6;
  CHECK(layout_message("{tensor: 6}", model) ==
        "layout.yaml:1:10: tensor: tensor 6 does not divide the vocabulary 100 (padded to 128) of tiny "
        "(possible: 1, "
        "2)");
  model.feed_forwards[0].intermediate = 25;
  CHECK(layout_message("{tensor: 2}", model) ==
        "layout.yaml:1:10: tensor: tensor 2 does not divide the MLP width 25 of tiny (possible: 1)");
}

TEST_CASE("senseless layouts are refused") {
  const ModelSpec model = catalogue_model("llama-3.1-70b");
  CHECK(layout_message("{tensor: 0}", model) == "layout.yaml:1:10: tensor: '0' must be a whole number from 1 to 4096");
  CHECK(layout_message("{tensor: 4.5}", model) == "layout.yaml:1:10: tensor: '4.5' is not a whole number");
  CHECK(layout_message("{pipeline: 81}", model) ==
        "layout.yaml:1:12: pipeline: 81 stages are more than the 80 layers of llama-3.1-70b");
  CHECK(layout_message("{stage_layers: [41, 38]}", model) ==
        "layout.yaml:1:16: stage_layers: the stages have 79 layers in all, llama-3.1-70b has 80");
  CHECK(layout_message("{stage_layers: []}", model) ==
        "layout.yaml:1:16: stage_layers: the stages have 0 layers in all, llama-3.1-70b has 80");
  CHECK(layout_message("{stage_layers: [80, 0]}", model) ==
        "layout.yaml:1:21: stage_layers[1]: '0' must be a whole number from 1 to 80");
  CHECK(layout_message("{pipeline: 3, stage_layers: [41, 39]}", model) ==
        "layout.yaml:1:29: stage_layers: 2 stages where pipeline says 3");
  CHECK(layout_message("{tensors: 4}", model) ==
        "layout.yaml:1:2: tensors: unknown key; did you mean 'tensor'? (known: context, data, expert, pipeline, "
        "redundant_experts, stage_layers, tensor)");
  CHECK(layout_message("4", model) == "layout.yaml:1:1: a plain value where a mapping is due");
}

// 4 experts of width 6, 2 for each token, beside shared ones of 12.
ModelSpec mixture_model() {
  ModelSpec model = tiny_model();
  FeedForwardSpec& block = model.feed_forwards[0];
  block.intermediate = 6;
  block.experts = 4;
  block.active = 2;
  block.shared = 12;
  return model;
}

TEST_CASE("data-parallel ranks hold attention each, expert shares lie over all ranks of the stage") {
  const ModelSpec model = catalogue_model("deepseek-v3");  // 256 experts
  const ParallelPlan plan = plan_of("{tensor: 4, data: 8, expert: 32, redundant_experts: 32}", model);
  CHECK(plan.ranks() == 32);
  CHECK(plan.chips() == 32);
  CHECK(plan.stages() == 1);
  CHECK(plan.expert_tensor() == 1);
  CHECK(plan.experts_per_rank(model.feed_forwards[1]) == (256 + 32) / 32);
  CHECK(plan.heads_per_rank(model.attentions[0]) == 128 / 4);
  const ParallelPlan cut = plan_of("{tensor: 4, data: 2, expert: 2}", model);
  CHECK(cut.expert_tensor() == 4);
  CHECK(cut.experts_per_rank(model.feed_forwards[1]) == 128);
  // The fullest of 3 shares.
  CHECK(plan_of("{data: 3, expert: 3}", model).experts_per_rank(model.feed_forwards[1]) == 86);
}

TEST_CASE("experts may lie over the tensor ranks of every stage of a pipeline") {
  const ParallelPlan plan = plan_of("{tensor: 8, expert: 8, pipeline: 2}", catalogue_model("deepseek-v3"));
  CHECK(plan.chips() == 16);
  CHECK(plan.stage_layers == std::vector<std::int32_t>{31, 30});
}

TEST_CASE("dense models take neither data nor expert ranks") {
  const ModelSpec model = tiny_model();
  CHECK(layout_message("{data: 2}", model) ==
        "layout.yaml:1:8: data: tiny has no routed experts; more replicas serve more requests of a dense model");
  CHECK(layout_message("{expert: 2}", model) == "layout.yaml:1:10: expert: tiny has no routed experts");
  CHECK(layout_message("{redundant_experts: 1}", model) ==
        "layout.yaml:1:21: redundant_experts: tiny has no routed experts");
  CHECK(layout_message("{data: 1, expert: 1, redundant_experts: 0}", model) == "");
}

TEST_CASE("expert shares divide the ranks and are no more than the experts") {
  const ModelSpec model = mixture_model();
  CHECK(layout_message("{tensor: 2, data: 2, expert: 3}", model) ==
        "layout.yaml:1:30: expert: expert 3 does not divide the 4 ranks (tensor x context x data)");
  CHECK(layout_message("{data: 8, expert: 8}", model) ==
        "layout.yaml:1:19: expert: 8 shares are more than the 4 experts of tiny");
  CHECK(layout_message("{data: 8, expert: 8, redundant_experts: 4}", model) == "");
  CHECK(layout_message("{data: 8, expert: 8, redundant_experts: 3}", model) ==
        "layout.yaml:1:19: expert: 8 shares are more than the 7 experts of tiny");
}

TEST_CASE("ranks that share an expert divide its width") {
  const ModelSpec model = mixture_model();
  CHECK(layout_message("{tensor: 4}", model) ==
        "layout.yaml:1:1: 4 ranks share each expert and do not divide its width of 6; raise expert");
  CHECK(layout_message("{tensor: 4, expert: 1}", model) ==
        "layout.yaml:1:21: expert: 4 ranks share each expert and do not divide its width of 6; raise expert");
  CHECK(layout_message("{tensor: 4, expert: 2}", model) == "");
  CHECK(layout_message("{tensor: 4, expert: 4}", model) == "");
}

TEST_CASE("tensor ranks divide the shared experts, and output groups one way or the other") {
  ModelSpec model = mixture_model();
  model.feed_forwards[0].shared = 13;
  CHECK(layout_message("{tensor: 2}", model) ==
        "layout.yaml:1:10: tensor: tensor 2 does not divide the shared experts' width 13 of tiny (possible: 1)");
  model = tiny_model();
  AttentionSpec& attention = model.attentions[0];
  attention.kind = AttentionKind::kCompressed;
  attention.heads = 12;
  attention.kv_heads = 1;
  attention.output_groups = 3;
  CHECK(layout_message("{tensor: 2}", model) ==
        "layout.yaml:1:10: tensor: tensor 2 neither divides nor is a multiple of the 3 output groups of tiny "
        "(possible: 1)");
}

TEST_CASE("latents do not limit the tensor ranks as KV heads do") {
  CHECK(layout_message("{tensor: 16}", catalogue_model("deepseek-v3")) == "");
}

TEST_CASE("groups that share out contexts multiply the ranks, whatever the model") {
  const ParallelPlan plan = plan_of("{tensor: 2, context: 4}", tiny_model());
  CHECK(plan.ranks() == 8);
  CHECK(plan.chips() == 8);
  CHECK(plan_of("{tensor: 2, context: 2, data: 2, expert: 4}", mixture_model()).expert_tensor() == 2);
  CHECK(layout_message("{context: 2, pipeline: 2}", tiny_model()) ==
        "layout.yaml:1:1: context 2 with 2 stages is not modelled");
  CHECK(layout_message("{context: 0}", tiny_model()) ==
        "layout.yaml:1:11: context: '0' must be a whole number from 1 to 4096");
}

TEST_CASE("data-parallel ranks in a pipeline are refused") {
  CHECK(layout_message("{data: 2, pipeline: 2}", mixture_model()) ==
        "layout.yaml:1:1: data 2 with 2 stages is not modelled");
}

TEST_CASE("8-bit weights bring 8-bit activations, others native ones") {
  CHECK(precision_of("weights: fp8").activations == NumberFormat::kFp8);
  CHECK(precision_of("weights: int8").activations == NumberFormat::kInt8);
  CHECK(precision_of("weights: mxfp8").activations == NumberFormat::kMxFp8);
  CHECK(precision_of("weights: hif8").activations == NumberFormat::kHiF8);
  for (const std::string format : {"int4", "mxfp4", "nvfp4"})
    CHECK(precision_of("weights: " + format).activations == NumberFormat::kBf16);
  CHECK(precision_of("{weights: fp8, activations: bf16}").activations == NumberFormat::kBf16);
  CHECK(precision_of("weights: fp8").kv == NumberFormat::kBf16);
  CHECK(precision_of("kv: fp8").weights == NumberFormat::kBf16);
}

TEST_CASE("an FP8 checkpoint is served in FP8 unless told otherwise") {
  ModelSpec model = tiny_model();
  model.weight_format = NumberFormat::kFp8;
  CHECK(default_precision(model).weights == NumberFormat::kFp8);
  CHECK(default_precision(model).activations == NumberFormat::kFp8);
  CHECK(default_precision(model).kv == NumberFormat::kBf16);
}

TEST_CASE("experts have the weights' format unless told otherwise, and inputs by their own") {
  const ModelSpec model = mixture_model();
  const Precision both = precision_of("weights: fp8", model);
  CHECK(both.experts == NumberFormat::kFp8);
  CHECK(both.expert_activations == NumberFormat::kFp8);
  const Precision apart = precision_of("{weights: fp8, experts: mxfp4}", model);
  CHECK(apart.weights == NumberFormat::kFp8);
  CHECK(apart.activations == NumberFormat::kFp8);
  CHECK(apart.experts == NumberFormat::kMxFp4);
  CHECK(apart.expert_activations == NumberFormat::kBf16);
  const Precision alone = precision_of("experts: mxfp4", model);
  CHECK(alone.weights == NumberFormat::kBf16);
  CHECK(alone.experts == NumberFormat::kMxFp4);
  // Inputs as wide as the experts' weights, but narrower than the layers', are the experts' alone.
  const Precision narrow = precision_of("{experts: mxfp4, activations: fp8}", model);
  CHECK(narrow.activations == NumberFormat::kBf16);
  CHECK(narrow.expert_activations == NumberFormat::kFp8);
}

TEST_CASE("a checkpoint's experts keep the format that it has them in") {
  const Precision oss = default_precision(catalogue_model("gpt-oss-120b"));
  CHECK(oss.weights == NumberFormat::kBf16);
  CHECK(oss.activations == NumberFormat::kBf16);
  CHECK(oss.experts == NumberFormat::kMxFp4);
  CHECK(oss.expert_activations == NumberFormat::kBf16);
  const Precision deepseek = default_precision(catalogue_model("deepseek-v3"));
  CHECK(deepseek.experts == NumberFormat::kFp8);
  CHECK(deepseek.expert_activations == NumberFormat::kFp8);
  CHECK(deepseek.kv == NumberFormat::kBf16);
}

TEST_CASE("formats that do not go together are refused") {
  CHECK(message_of([] { precision_of("{weights: bf16, activations: fp8}"); }) ==
        "p.yaml:1:30: activations: fp8 activations are narrower than the bf16 weights");
  for (const std::string format : {"int4", "mxfp4", "nvfp4", "fp32"})
    CHECK(message_of([&] { precision_of("{kv: " + format + "}"); }) ==
          "p.yaml:1:6: kv: no engine keeps its KV cache in " + format +
              " (possible: bf16, fp16, fp8, int8, mxfp8, hif8)");
  CHECK(message_of([] { precision_of("{weights: fp9}"); }) ==
        "p.yaml:1:11: weights: unknown number format 'fp9'; did you mean 'fp8'? (known: fp32, bf16, fp16, "
        "fp8, int8, mxfp8, hif8, int4, mxfp4, nvfp4)");
  CHECK(message_of([] { precision_of("{experts: mxfp4}"); }) == "p.yaml:1:11: experts: tiny has no routed experts");
}

}  // namespace
}  // namespace silicast
