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
  CHECK(plan_of("tensor: 2", model).kv_heads_per_rank(model) == 2);
  CHECK(plan_of("tensor: 4", model).kv_heads_per_rank(model) == 1);
  const ModelSpec large = catalogue_model("llama-3.1-70b");
  CHECK(plan_of("tensor: 16", large).kv_heads_per_rank(large) == 1);
}

TEST_CASE("layers left over go to the last stages but one") {
  const ModelSpec model = catalogue_model("llama-3.1-405b");  // 126 layers
  CHECK(plan_of("pipeline: 4", model).stage_layers == std::vector<std::int32_t>{31, 32, 32, 31});
  CHECK(plan_of("pipeline: 2", model).stage_layers == std::vector<std::int32_t>{63, 63});
  CHECK(plan_of("{tensor: 8, pipeline: 4}", model).chips() == 32);
}

TEST_CASE("every spread has all layers, at least one per stage, and differs by one at most") {
  const ModelSpec model = catalogue_model("llama-3.1-8b");
  for (int stages = 1; stages <= model.layers; ++stages) {
    const auto layers = plan_of("pipeline: " + std::to_string(stages), model).stage_layers;
    INFO(stages);
    CHECK(std::accumulate(layers.begin(), layers.end(), 0) == model.layers);
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
  model.heads = 12;
  model.kv_heads = 4;
  model.intermediate = 24;
  CHECK(layout_message("{tensor: 6}", model) ==
        "layout.yaml:1:10: tensor: tensor 6 neither divides nor is a multiple of the 4 KV heads of tiny "
        "(possible: 1, "
        "2, 4)");
  model.kv_heads = 6;
  CHECK(layout_message("{tensor: 6}", model) ==
        "layout.yaml:1:10: tensor: tensor 6 does not divide the vocabulary 100 (padded to 128) of tiny "
        "(possible: 1, "
        "2)");
  model.intermediate = 25;
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
        "layout.yaml:1:2: tensors: unknown key; did you mean 'tensor'? (known: pipeline, stage_layers, "
        "tensor)");
  CHECK(layout_message("4", model) == "layout.yaml:1:1: a plain value where a mapping is due");
}

TEST_CASE("8-bit weights bring 8-bit activations, others native ones") {
  CHECK(precision_of("weights: fp8").activations == NumberFormat::kFp8);
  CHECK(precision_of("weights: int8").activations == NumberFormat::kInt8);
  CHECK(precision_of("weights: fp4").activations == NumberFormat::kBf16);
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

TEST_CASE("formats that do not go together are refused") {
  CHECK(message_of([] { precision_of("{weights: bf16, activations: fp8}"); }) ==
        "p.yaml:1:30: activations: fp8 activations are narrower than the bf16 weights");
  CHECK(message_of([] { precision_of("{kv: fp4}"); }) ==
        "p.yaml:1:6: kv: no engine keeps its KV cache in fp4 (possible: bf16, fp16, fp8, int8)");
  CHECK(message_of([] { precision_of("{weights: fp9}"); }) ==
        "p.yaml:1:11: weights: unknown number format 'fp9'; did you mean 'fp8'? (known: fp32, bf16, fp16, "
        "fp8, int8, "
        "fp4)");
}

}  // namespace
}  // namespace silicast
