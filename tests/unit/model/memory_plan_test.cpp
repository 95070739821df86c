// Memory of a rank: by hand, by sums that hold for every layout, and against what vLLM measured of itself at
// start.
#include "sim/model/memory_plan.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "sim/model/attention_work.hpp"
#include "sim/model/rank_matrices.hpp"
#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using namespace test;

constexpr double kGiB = 1073741824.0;

EngineSpec engine_of(const std::string& text) {
  return read_engine(ConfigValue::from_text(text, "s.yaml"), configs_dir());
}

// An engine whose plan can be counted by hand: 4 tokens or 2 sequences an iteration, blocks of 2 tokens.
EngineSpec tiny_engine(KvBudget budget) {
  EngineSpec engine;
  engine.max_sequences.value = 2;
  engine.max_batched_tokens.value = 4;
  engine.block_size.value = 2;
  engine.memory.budget = budget;
  engine.memory.utilisation.value = 0.5;
  engine.memory.runtime.value = 100;
  engine.memory.runtime_tensor.value = 300;
  engine.memory.runtime_pipeline.value = 200;
  engine.memory.graphs.value = 50;
  engine.memory.workspace.value = 10;
  engine.memory.hidden_buffers.value = 2;
  engine.memory.logit_bytes.value = 14;
  return engine;
}

TEST_CASE("weights of a tiny model on one rank are its parameters, padded, and the rotary table") {
  const ModelSpec model = tiny_model();
  const double padding = 2 * 28 * 8, rotary = 10 * 3;
  CHECK(weights_on_rank(model, plan_of("{}", model), {}, 0).value() == 2 * (parameters(model) + padding + rotary));
}

TEST_CASE("FP8 shrinks the layers' matrices alone") {
  const ModelSpec model = tiny_model();
  const ParallelPlan plan = plan_of("{}", model);
  const Precision fp8{NumberFormat::kFp8, NumberFormat::kFp8, NumberFormat::kBf16};
  CHECK((weights_on_rank(model, plan, {}, 0) - weights_on_rank(model, plan, fp8, 0)).value() ==
        2 * (layer_parameters(model, model.layers[0]) - 2 * 8));  // all but the norms
}

TEST_CASE("experts, routers and the rest each take their own format") {
  ModelSpec model = tiny_model();
  FeedForwardSpec& block = model.feed_forwards[0];
  block.intermediate = 6;
  block.experts = 4;
  block.active = 2;
  const ParallelPlan plan = plan_of("{}", model);
  Precision precision;
  const double plain = weights_on_rank(model, plan, precision, 0).value();
  const double experts = 2 * 4 * 3 * 6 * 8, attention = 2 * (8 * 24 + 12 * 8);
  precision.experts = NumberFormat::kMxFp4;
  CHECK(weights_on_rank(model, plan, precision, 0).value() == Approx(plain - experts * (2 - 0.5 - 1.0 / 32)));
  precision = {};
  precision.weights = NumberFormat::kFp8;
  CHECK(weights_on_rank(model, plan, precision, 0).value() == Approx(plain - attention));
}

TEST_CASE("a rank of data-parallel groups has whole attention and its share of the experts") {
  ModelSpec model = tiny_model();
  FeedForwardSpec& block = model.feed_forwards[0];
  block.intermediate = 6;
  block.experts = 4;
  block.active = 2;
  const double whole = weights_on_rank(model, plan_of("{}", model), {}, 0).value();
  const double expert = 2 * 3 * 6 * 8 * 2;  // layers, matrices, size, bytes
  CHECK(weights_on_rank(model, plan_of("{data: 4, expert: 4}", model), {}, 0).value() == Approx(whole - 3 * expert));
  CHECK(weights_on_rank(model, plan_of("{data: 4, expert: 4, redundant_experts: 4}", model), {}, 0).value() ==
        Approx(whole - 2 * expert));
}

TEST_CASE("tied embeddings are stored once on one rank and twice over two stages") {
  ModelSpec model = tiny_model();
  model.tied_embeddings = true;
  const ModelSpec untied = tiny_model();
  const ParallelPlan one = plan_of("{}", model), two = plan_of("pipeline: 2", model);
  CHECK((weights_on_rank(untied, one, {}, 0) - weights_on_rank(model, one, {}, 0)).value() == 2 * 128 * 8);
  CHECK(weights_on_rank(untied, two, {}, 1) == weights_on_rank(model, two, {}, 1));
}

TEST_CASE("weights over all ranks and stages are the model's parameters within padding and copies") {
  for (const std::string name : {"llama-3.1-8b", "llama-3.1-70b", "qwen2.5-7b", "mistral-nemo-12b"}) {
    const ModelSpec model = catalogue_model(name);
    for (const std::string layout : {"{}", "tensor: 4", "pipeline: 4", "{tensor: 2, pipeline: 3}"}) {
      INFO(name << " " << layout);
      const ParallelPlan plan = plan_of(layout, model);
      const double rotary = static_cast<double>(model.max_context) * model.attentions[0].head_size * plan.chips();
      double sum = 0;
      for (std::int32_t stage = 0; stage < plan.stages(); ++stage)
        sum += plan.tensor * weights_on_rank(model, plan, {}, stage).value();
      CHECK(sum / 2 - rotary == Approx(parameters(model)).epsilon(1e-3));
    }
  }
}

TEST_CASE("the activation peak of a tiny model is the larger of MLP and logits") {
  const ModelSpec model = tiny_model();
  const EngineSpec engine = tiny_engine(KvBudget::kTotalLessPeak);
  const double mlp = 4 * (3 * 16 * 2 + 2 * 8 * 2), head = 2 * (128 * 14 + 8 * 2) + 4 * 8 * 2;
  CHECK(activation_on_rank(model, plan_of("{}", model), engine, 0).value() == 10 + std::max(mlp, head));
  const ParallelPlan two = plan_of("pipeline: 2", model);
  CHECK(activation_on_rank(model, two, engine, 0).value() == 10 + mlp + 2 * 4 * 8 * 2);
  CHECK(activation_on_rank(model, two, engine, 1).value() == 10 + head + 2 * 4 * 8 * 2);
}

TEST_CASE("routed experts need room for the rows of all of a token's experts while they run") {
  ModelSpec model = tiny_model();
  FeedForwardSpec& block = model.feed_forwards[0];
  block.intermediate = 6;
  block.experts = 4;
  block.active = 2;
  EngineSpec engine = tiny_engine(KvBudget::kTotalLessPeak);
  engine.memory.logit_bytes.value = 0;
  // 4 tokens of 2 experts each: gate and up (12, wider than the hidden 8) and their product (6), 2 B each; 2 hidden.
  CHECK(activation_on_rank(model, plan_of("{}", model), engine, 0).value() == 10 + 4 * (2 * (12 + 6) * 2 + 2 * 8 * 2));
  block.intermediate = 2;  // the hidden state is wider than gate and up
  CHECK(activation_on_rank(model, plan_of("{}", model), engine, 0).value() == 10 + 4 * (2 * (8 + 2) * 2 + 2 * 8 * 2));
}

TEST_CASE("what a sequence keeps whatever its length counts as blocks of its own") {
  ModelSpec model = tiny_model();
  model.attentions.push_back(model.attentions[0]);
  model.attentions[1].window = 5;
  model.layers = {{0, 0}, {1, 0}};
  const MemoryPlan plan =
      plan_memory(model, plan_of("{}", model), {}, tiny_engine(KvBudget::kTotalLessPeak), Bytes(100000));
  const double token = 2 * 6 * 2;  // K and V, 2 heads of 3, 2 B
  CHECK(plan.stages[0].kv_block.value() == 2 * token);
  CHECK(plan.stages[0].kv_sequence.value() == 5 * token);
  CHECK(plan.sequence_blocks == 3);  // 2.5 of them
  CHECK(plan_memory(tiny_model(), plan_of("{}", tiny_model()), {}, tiny_engine(KvBudget::kTotalLessPeak), Bytes(100000))
            .sequence_blocks == 0);
}

TEST_CASE("each engine's rule turns its fraction into KV cache as documented") {
  const ModelSpec model = tiny_model();
  const ParallelPlan plan = plan_of("{}", model);
  const double capacity = 100000, weights = weights_on_rank(model, plan, {}, 0).value();
  const auto kv_of = [&](KvBudget budget) {
    return plan_memory(model, plan, {}, tiny_engine(budget), Bytes(capacity)).stages[0].kv.value();
  };
  const double activation = activation_on_rank(model, plan, tiny_engine(KvBudget::kTotalLessPeak), 0).value();
  CHECK(kv_of(KvBudget::kTotalLessPeak) == Approx(0.5 * capacity - weights - activation - 100));
  CHECK(kv_of(KvBudget::kStaticShare) == Approx(0.5 * (capacity - 100) - weights));
  CHECK(kv_of(KvBudget::kShareOfFree) == Approx(0.5 * (capacity - weights - activation - 100 - 50)));
}

TEST_CASE("blocks fill the KV cache and every byte of the chip is accounted for") {
  for (const KvBudget budget : {KvBudget::kTotalLessPeak, KvBudget::kStaticShare, KvBudget::kShareOfFree}) {
    const ModelSpec model = tiny_model();
    const MemoryPlan plan = plan_memory(model, plan_of("{}", model), {}, tiny_engine(budget), Bytes(100000));
    const StageMemory& stage = plan.stages[0];
    CHECK(stage.kv_block.value() == 2 * 2 * 2 * 6 * 2);  // tokens, K and V, layers, numbers, bytes
    CHECK(static_cast<double>(stage.blocks) == std::floor(stage.kv.value() / stage.kv_block.value()));
    CHECK(plan.kv_tokens == 2 * plan.blocks);
    CHECK((stage.weights + stage.activation + stage.runtime + stage.graphs + stage.kv + stage.spare).value() ==
          Approx(100000));
    CHECK(plan.fits());
    CHECK(plan.headroom == stage.spare);
  }
}

TEST_CASE("the poorest stage sets the replica's blocks") {
  const ModelSpec model = catalogue_model("llama-3.1-70b");
  const MemoryPlan plan = plan_memory(model, plan_of("{tensor: 4, stage_layers: [30, 50]}", model), {},
                                      engine_of("vllm"), Bytes(80 * kGiB));
  REQUIRE(plan.stages.size() == 2);
  CHECK(plan.stages[1].blocks < plan.stages[0].blocks);
  CHECK(plan.blocks == plan.stages[1].blocks);
}

TEST_CASE("more memory of exactly the shortfall makes a model fit, a byte less does not") {
  const ModelSpec model = tiny_model();
  const ParallelPlan layout = plan_of("{}", model);
  EngineSpec engine = tiny_engine(KvBudget::kTotalLessPeak);
  engine.memory.utilisation.value = 1;
  engine.memory.graphs.value = 0;
  const MemoryPlan poor = plan_memory(model, layout, {}, engine, Bytes(1000));
  CHECK_FALSE(poor.fits());
  CHECK(poor.blocks == 0);
  CHECK(poor.stages[0].kv < Bytes(0));
  const MemoryPlan enough = plan_memory(model, layout, {}, engine, Bytes(1000) + poor.shortfall);
  CHECK(enough.fits());
  CHECK(enough.blocks == 1);
  CHECK_FALSE(plan_memory(model, layout, {}, engine, Bytes(999) + poor.shortfall).fits());
}

TEST_CASE("graphs beyond what the fraction leaves free do not fit") {
  const ModelSpec model = tiny_model();
  EngineSpec engine = tiny_engine(KvBudget::kTotalLessPeak);
  engine.memory.graphs.value = 50010;
  const MemoryPlan plan = plan_memory(model, plan_of("{}", model), {}, engine, Bytes(100000));
  CHECK(plan.blocks > 0);
  CHECK_FALSE(plan.fits());
  CHECK(plan.shortfall.value() == Approx(10));
}

TEST_CASE("runtime memory goes by the layout") {
  const ModelSpec model = tiny_model();
  const EngineSpec engine = tiny_engine(KvBudget::kTotalLessPeak);
  const auto runtime = [&](const std::string& layout) {
    return plan_memory(model, plan_of(layout, model), {}, engine, Bytes(100000)).stages[0].runtime.value();
  };
  CHECK(runtime("{}") == 100);
  CHECK(runtime("tensor: 2") == 300);
  CHECK(runtime("pipeline: 2") == 200);
  CHECK(runtime("{tensor: 2, pipeline: 2}") == 300);
}

TEST_CASE("figures of the first stage replace ours and other stages keep their difference") {
  const ModelSpec model = tiny_model();
  const ParallelPlan layout = plan_of("pipeline: 2", model);
  const EngineSpec engine = tiny_engine(KvBudget::kTotalLessPeak);
  const MemoryPlan own = plan_memory(model, layout, {}, engine, Bytes(100000));
  const MemoryPlan given =
      plan_memory(model, layout, {}, engine, Bytes(100000), {Bytes(9000), Bytes(7000), Bytes(500)});
  CHECK(given.stages[0].weights.value() == 9000);
  CHECK(given.stages[0].activation.value() == 7000);
  CHECK(given.stages[1].runtime.value() == 500);
  CHECK((given.stages[1].weights - given.stages[0].weights) == (own.stages[1].weights - own.stages[0].weights));
  CHECK((given.stages[1].activation - given.stages[0].activation) ==
        (own.stages[1].activation - own.stages[0].activation));
}

// One start of vLLM 0.19 on H100-80GB as llm-d-planner recorded it.
struct Startup {
  std::string label;
  ModelSpec model;
  ParallelPlan plan;
  Precision precision;
  double weights = 0, activation = 0, runtime = 0, kv = 0;  // GiB
  double tokens = 0;
};

// Every row whose model has a catalogue entry (Llama 3.3 has 3.1's shape).
std::vector<Startup> startups(const std::string& data) {
  const std::map<std::string, std::pair<std::string, NumberFormat>> known = {
      {"RedHatAI/Llama-3.3-70B-Instruct-fp8-dynamic", {"llama-3.1-70b", NumberFormat::kFp8}},
      {"RedHatAI/Qwen2.5-7B-Instruct-fp8-dynamic", {"qwen2.5-7b", NumberFormat::kFp8}},
      {"RedHatAI/Qwen2.5-7B-Instruct-quantized.w8a8", {"qwen2.5-7b", NumberFormat::kInt8}},
      {"Qwen/Qwen2.5-7B-Instruct", {"qwen2.5-7b", NumberFormat::kBf16}},
      {"Qwen/Qwen3-8B", {"qwen3-8b", NumberFormat::kBf16}},
      {"meta-llama/Llama-3.1-8B-Instruct", {"llama-3.1-8b", NumberFormat::kBf16}},
      {"RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16", {"llama-3.1-8b", NumberFormat::kInt4}},
      {"openai/gpt-oss-20b", {"gpt-oss-20b", NumberFormat::kBf16}},
      {"Qwen/Qwen2.5-72B-Instruct", {"qwen2.5-72b", NumberFormat::kBf16}},
      {"moonshotai/Kimi-Dev-72B", {"qwen2.5-72b", NumberFormat::kBf16}},
  };
  std::ifstream file(data + "/serving/vllm0.19_h100_memory_startups.csv");
  std::vector<Startup> result;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::vector<std::string> cells;
    std::stringstream stream(line);
    for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
    const auto found = known.find(cells.at(0));
    if (found == known.end()) continue;
    Startup startup;
    startup.label = line;
    startup.model = catalogue_model(found->second.first);
    startup.plan = plan_of(fmt::format("{{tensor: {}, pipeline: {}}}", cells.at(1), cells.at(2)), startup.model);
    startup.precision = default_precision(startup.model);
    startup.precision.weights = found->second.second;
    startup.weights = std::stod(cells.at(7));
    startup.activation = std::stod(cells.at(8));
    startup.runtime = std::stod(cells.at(9));
    startup.kv = std::stod(cells.at(11));
    startup.tokens = std::stod(cells.at(12));
    result.push_back(startup);
  }
  return result;
}

// H100-80GB as CUDA shows it: 75.23 GiB are 95% of it.
MemoryPlan planned(const Startup& startup, const MemoryOverrides& overrides) {
  static const EngineSpec engine = engine_of("{base: vllm, memory: {utilisation: 0.95}}");
  return plan_memory(startup.model, startup.plan, startup.precision, engine, Bytes(75.23 / 0.95 * kGiB), overrides);
}

// Tokens of the plan as vLLM counts them: as if layers with a window kept all.
double counted_tokens(const Startup& row, const MemoryPlan& plan) {
  double whole = 0;
  for (std::int32_t i = 0; i < row.model.layer_count(); ++i) whole += row.model.attention_of(i).window == 0;
  return static_cast<double>(plan.kv_tokens) * whole / row.model.layer_count();
}

// Two 72B models leave 3 GiB of 79; their weights are 0.1 GiB more than ours (0.15%).
void check_kv(const Startup& row, const MemoryPlan& plan, double tolerance) {
  const double margin = row.kv < 5 ? 0.12 : 0;
  CHECK(plan.stages[0].kv.value() / kGiB == Approx(row.kv).epsilon(tolerance).margin(margin));
  CHECK(counted_tokens(row, plan) == Approx(row.tokens).epsilon(tolerance).margin(margin / row.kv * row.tokens));
}

TEST_CASE("KV cache of vLLM's measured starts is within 1% given their activation and runtime memory") {
  const auto data = data_dir();
  if (!data) {
    WARN("SKIPPED: no data folder; set SILICAST_DATA");
    return;
  }
  const std::vector<Startup> rows = startups(*data);
  CHECK(rows.size() == 17);
  for (const Startup& row : rows) {
    INFO(row.label);
    const MemoryPlan plan = planned(row, {std::nullopt, Bytes(row.activation * kGiB), Bytes(row.runtime * kGiB)});
    // The kernels for MXFP4 experts pad their shapes (2880 to 3072 and 2944), which we do not: 0.8 GiB of gpt-oss-20b.
    check_kv(row, plan, row.model.mixture() ? 0.015 : 0.01);
  }
}

TEST_CASE("KV cache of vLLM's measured starts is within 1% with our own activation and runtime memory") {
  const auto data = data_dir();
  if (!data) {
    WARN("SKIPPED: no data folder; set SILICAST_DATA");
    return;
  }
  for (const Startup& row : startups(*data)) {
    INFO(row.label);
    const MemoryPlan plan = planned(row, {});
    check_kv(row, plan, row.model.mixture() ? 0.015 : 0.01);
    // The parts too, so that errors do not cancel.
    CHECK(plan.stages[0].activation.value() / kGiB == Approx(row.activation).margin(0.1));
    CHECK(plan.stages[0].runtime.value() / kGiB == Approx(row.runtime).margin(0.05));
    // The row of a pipeline states the weights of a middle stage.
    const double margin = row.model.mixture() ? 0.85 : 0.1;
    if (row.plan.stages() == 1) CHECK(plan.stages[0].weights.value() / kGiB == Approx(row.weights).margin(margin));
  }
}

}  // namespace
}  // namespace silicast
