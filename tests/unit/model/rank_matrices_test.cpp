// The matrices of a layer: shapes by hand for every kind, sums over ranks, and the parameters that publishers state.
#include "sim/model/rank_matrices.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <tuple>

#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using namespace test;

using Shape = std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t, WeightStore>;
constexpr WeightStore kLayer = WeightStore::kLayer, kExpert = WeightStore::kExpert, kNative = WeightStore::kNative;

std::vector<Shape> shapes(const std::vector<RankMatrix>& matrices) {
  std::vector<Shape> result;
  for (const RankMatrix& matrix : matrices)
    result.emplace_back(matrix.name, matrix.n, matrix.k, matrix.copies, matrix.store);
  return result;
}

std::vector<Shape> attention_shapes(const ModelSpec& model, const std::string& layout) {
  return shapes(attention_matrices(model, model.attentions[0], plan_of(layout, model)));
}
std::vector<Shape> block_shapes(const ModelSpec& model, const std::string& layout) {
  return shapes(feed_forward_matrices(model, model.feed_forwards[0], plan_of(layout, model)));
}

double vectors(const ModelSpec& model) {
  return vector_numbers(model, model.layers[0], plan_of("{}", model));
}

TEST_CASE("parameters of a tiny model are those counted by hand") {
  const ModelSpec model = tiny_model();
  // q 8x12, k and v 8x6 each, o 12x8, gate, up and down 8x16 each, two norms.
  CHECK(layer_parameters(model, model.layers[0]) == 96 + 48 + 48 + 96 + 3 * 128 + 16);
  CHECK(parameters(model) == 2 * 688 + 800 + 800 + 8);
  CHECK(active_parameters(model) == 2 * 688 + 800 + 8);  // all but the input embedding
}

TEST_CASE("optional parts change the parameter count by their own size") {
  ModelSpec model = tiny_model();
  const double plain = parameters(model);
  SECTION("a plain MLP has no gate") {
    model.feed_forwards[0].gated = false;
    CHECK(parameters(model) == plain - 2 * 128);
  }
  SECTION("tied embeddings have no head") {
    model.tied_embeddings = true;
    CHECK(parameters(model) == plain - 800);
  }
  SECTION("biases of Q, K and V") {
    model.attentions[0].qkv_bias = true;
    CHECK(parameters(model) == plain + 2 * (12 + 6 + 6));
  }
  SECTION("a bias of the output projection") {
    model.output_bias = true;
    CHECK(parameters(model) == plain + 2 * 8);
  }
  SECTION("norms of Q and K") {
    model.attentions[0].qk_norm = true;
    CHECK(parameters(model) == plain + 2 * 2 * 3);
  }
  SECTION("norms over all heads of Q and K") {
    model.attentions[0].qk_norm = model.attentions[0].qk_norm_across_heads = true;
    CHECK(parameters(model) == plain + 2 * (12 + 6));
  }
  SECTION("a gate of the attention's output is as wide as the queries") {
    model.attentions[0].output_gate = true;
    CHECK(parameters(model) == plain + 2 * 8 * 12);
  }
}

TEST_CASE("grouped attention is cut by heads, and a KV head is copied where ranks outnumber them") {
  const ModelSpec model = tiny_model();
  CHECK(attention_shapes(model, "{}") ==
        std::vector<Shape>{{"qkv_proj", 12 + 6 + 6, 8, 1, kLayer}, {"o_proj", 8, 12, 1, kLayer}});
  CHECK(attention_shapes(model, "tensor: 2") ==
        std::vector<Shape>{{"qkv_proj", 6 + 3 + 3, 8, 1, kLayer}, {"o_proj", 8, 6, 1, kLayer}});
  CHECK(attention_shapes(model, "tensor: 4") ==
        std::vector<Shape>{{"qkv_proj", 3 + 3 + 3, 8, 1, kLayer}, {"o_proj", 8, 3, 1, kLayer}});
}

// 4 heads of 3 + 2 (rotary) and values of 4, over latents of 7 + 2; queries through a rank of 6.
ModelSpec latent_model() {
  ModelSpec model = tiny_model();
  AttentionSpec& attention = model.attentions[0];
  attention.kind = AttentionKind::kLatent;
  attention.kv_heads = 1;
  attention.head_size = 5;
  attention.value_size = 4;
  attention.query_rank = 6;
  attention.kv_rank = 7;
  attention.rope_size = 2;
  return model;
}

TEST_CASE("latent attention cuts what belongs to heads and keeps the latents whole on every rank") {
  ModelSpec model = latent_model();
  CHECK(attention_shapes(model, "{}") == std::vector<Shape>{{"qkv_a_proj", 6 + 7 + 2, 8, 1, kLayer},
                                                            {"q_b_proj", 4 * 5, 6, 1, kLayer},
                                                            {"kv_b_proj", 4 * (3 + 4), 7, 1, kLayer},
                                                            {"o_proj", 8, 4 * 4, 1, kLayer}});
  CHECK(attention_shapes(model, "tensor: 2") == std::vector<Shape>{{"qkv_a_proj", 15, 8, 1, kLayer},
                                                                   {"q_b_proj", 10, 6, 1, kLayer},
                                                                   {"kv_b_proj", 14, 7, 1, kLayer},
                                                                   {"o_proj", 8, 8, 1, kLayer}});
  CHECK(vectors(model) == 2 * 8 + 6 + 7);  // with a norm of each latent
  model.attentions[0].query_rank = 0;      // queries straight from the hidden state
  CHECK(attention_shapes(model, "{}") == std::vector<Shape>{{"qkv_a_proj", 7 + 2, 8, 1, kLayer},
                                                            {"q_b_proj", 20, 8, 1, kLayer},
                                                            {"kv_b_proj", 28, 7, 1, kLayer},
                                                            {"o_proj", 8, 16, 1, kLayer}});
}

TEST_CASE("an indexer is whole on every rank") {
  ModelSpec model = latent_model();
  model.attentions[0].top_tokens = 4;
  model.attentions[0].index_heads = 2;
  model.attentions[0].index_size = 3;
  const auto found = attention_shapes(model, "tensor: 4");
  REQUIRE(found.size() == 7);
  CHECK(found[3] == Shape{"indexer_q", 2 * 3, 6, 1, kLayer});
  CHECK(found[4] == Shape{"indexer_k", 3, 8, 1, kLayer});
  CHECK(found[5] == Shape{"indexer_weights", 2, 8, 1, kNative});
}

TEST_CASE("compressed attention projects each token twice where compression is 4:1, outputs by groups") {
  ModelSpec model = tiny_model();
  AttentionSpec& attention = model.attentions[0];
  attention.kind = AttentionKind::kCompressed;
  attention.kv_heads = 1;
  attention.head_size = attention.value_size = 6;
  attention.rope_size = 2;
  attention.window = 3;
  attention.query_rank = 5;
  attention.output_groups = 2;
  attention.output_rank = 7;
  const Shape qkv_a{"qkv_a_proj", 5 + 6, 8, 1, kLayer}, o_a{"o_a_proj", 7, 4 * 6 / 2, 2, kLayer};
  CHECK(attention_shapes(model, "{}") ==
        std::vector<Shape>{qkv_a, {"q_b_proj", 24, 5, 1, kLayer}, o_a, {"o_proj", 8, 2 * 7, 1, kLayer}});
  attention.compression = 128;
  CHECK(attention_shapes(model, "{}") == std::vector<Shape>{qkv_a,
                                                            {"q_b_proj", 24, 5, 1, kLayer},
                                                            {"compressor", 2 * 6, 8, 1, kLayer},
                                                            o_a,
                                                            {"o_proj", 8, 14, 1, kLayer}});
  attention.compression = 4;
  CHECK(attention_shapes(model, "{}")[2] == Shape{"compressor", 2 * 2 * 6, 8, 1, kLayer});
  // A rank has a group of its own, or shares one: then each holds its heads' part of the rank's inputs.
  CHECK(attention_shapes(model, "tensor: 2")[3] == Shape{"o_a_proj", 7, 12, 1, kLayer});
  CHECK(attention_shapes(model, "tensor: 4")[3] == Shape{"o_a_proj", 7, 6, 1, kLayer});
}

TEST_CASE("linear attention projects keys and queries by key heads, values and gates by value heads") {
  ModelSpec model = tiny_model();
  AttentionSpec& attention = model.attentions[0];
  attention.kind = AttentionKind::kLinear;  // 4 value heads of 5, 2 key heads of 3
  attention.value_size = 5;
  attention.convolution = 4;
  CHECK(attention_shapes(model, "{}") == std::vector<Shape>{{"qkvz_proj", 2 * 6 + 2 * 20, 8, 1, kLayer},
                                                            {"ba_proj", 2 * 4, 8, 1, kNative},
                                                            {"o_proj", 8, 20, 1, kLayer}});
  CHECK(attention_shapes(model, "tensor: 2") == std::vector<Shape>{{"qkvz_proj", 2 * 3 + 2 * 10, 8, 1, kLayer},
                                                                   {"ba_proj", 2 * 2, 8, 1, kNative},
                                                                   {"o_proj", 8, 10, 1, kLayer}});
  // The convolution over queries, keys and values; decay and step of each value head; a norm of a head's values.
  CHECK(vectors(model) == 2 * 8 + (6 + 6 + 20) * 4 + 2 * 4 + 5);
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

TEST_CASE("routed experts lie in shares over all ranks, the router is whole, shared experts are cut by tensor ranks") {
  const ModelSpec model = mixture_model();
  const auto expected = [](std::int64_t shared, std::int64_t width, std::int64_t experts) {
    return std::vector<Shape>{{"router", 4, 8, 1, kNative},
                              {"shared_gate_up", 2 * shared, 8, 1, kLayer},
                              {"shared_down", 8, shared, 1, kLayer},
                              {"experts_gate_up", 2 * width, 8, experts, kExpert},
                              {"experts_down", 8, width, experts, kExpert}};
  };
  CHECK(block_shapes(model, "{}") == expected(12, 6, 4));
  CHECK(block_shapes(model, "tensor: 2") == expected(6, 3, 4));
  CHECK(block_shapes(model, "{tensor: 2, expert: 2}") == expected(6, 6, 2));
  CHECK(block_shapes(model, "{data: 4, expert: 4}") == expected(12, 6, 1));
  CHECK(block_shapes(model, "{tensor: 2, data: 2, expert: 2}") == expected(6, 3, 2));
  // 6 experts and copies in 4 shares: the fullest has 2.
  CHECK(block_shapes(model, "{data: 4, expert: 4, redundant_experts: 2}") == expected(12, 6, 2));
}

TEST_CASE("experts without a gate, without shared ones, with biases") {
  ModelSpec model = mixture_model();
  FeedForwardSpec& block = model.feed_forwards[0];
  block.gated = false;
  block.shared = 0;
  CHECK(block_shapes(model, "{}") == std::vector<Shape>{{"router", 4, 8, 1, kNative},
                                                        {"experts_up", 6, 8, 4, kExpert},
                                                        {"experts_down", 8, 6, 4, kExpert}});
  const double plain = vectors(mixture_model());
  model = mixture_model();
  model.feed_forwards[0].bias = true;
  CHECK(vectors(model) == plain + 4 + 4 * (2 * 6 + 8));  // the router's, then each expert's
}

TEST_CASE("a token is computed by its own experts, the router and all that is not routed") {
  const ModelSpec model = mixture_model();
  CHECK(parameters(model) - active_parameters(model) == 100 * 8 + 2 * (4 - 2) * 3 * 6 * 8);
}

TEST_CASE("experts over all ranks are the model's, however they are shared out") {
  for (const std::string name : {"deepseek-v3", "qwen3-235b-a22b", "mixtral-8x7b", "gpt-oss-120b"}) {
    const ModelSpec model = catalogue_model(name);
    const FeedForwardSpec& block = model.feed_forwards.back();
    const double whole = 3.0 * model.hidden * block.intermediate * block.experts;
    for (const std::string layout : {"tensor: 8", "{tensor: 8, expert: 8}", "{tensor: 2, data: 4, expert: 8}",
                                     "{tensor: 2, data: 4, expert: 2}"}) {
      INFO(name << " " << layout);
      const ParallelPlan plan = plan_of(layout, model);
      double sum = 0;
      for (const RankMatrix& matrix : feed_forward_matrices(model, block, plan))
        if (matrix.store == kExpert) sum += plan.ranks() * matrix.numbers();
      CHECK(sum == whole);
    }
  }
}

// Checkpoints of dense models on Hugging Face, to the parameter.
TEST_CASE("dense models have exactly the parameters of their checkpoints") {
  const std::vector<std::pair<std::string, double>> published = {
      {"yi-34b", 34388917248.0},        {"qwen2.5-7b", 7615616512.0},       {"qwen3-8b", 8190735360.0},
      {"qwen3-14b", 14768307200.0},     {"qwen3-32b", 32762123264.0},       {"codellama-34b", 33743970304.0},
      {"llama-2-7b", 6738415616.0},     {"llama-2-70b", 68976648192.0},     {"llama-3.1-8b", 8030261248.0},
      {"llama-3.1-70b", 70553706496.0}, {"llama-3.1-405b", 405853388800.0}, {"mistral-nemo-12b", 12247782400.0}};
  for (const auto& [name, count] : published) {
    INFO(name);
    CHECK(parameters(catalogue_model(name)) == count);
    CHECK(active_parameters(catalogue_model(name)) < count);
  }
}

// Totals and parameters per token in billions, as model cards and reports give them, with half of their last digit.
// Some count the input embedding among those per token, some do not.
struct Stated {
  std::string name;
  double total, total_margin, active, active_margin;
  bool with_embedding;
};

TEST_CASE("mixtures of experts have the totals and the active parameters that their publishers state") {
  const std::vector<Stated> all = {
      {"deepseek-v3", 671.0, 0.1, 37, 0.5, false},
      {"deepseek-r1", 671.0, 0.1, 37, 0.5, false},
      {"deepseek-v4-flash", 284, 0.5, 13, 0.5, false},
      {"deepseek-v4-pro", 1600, 50, 49, 0.5, false},
      {"kimi-k2", 1026, 0.5, 32, 0.5, false},
      {"gpt-oss-120b", 116.83, 0.005, 5.13, 0.005, false},
      {"gpt-oss-20b", 20.91, 0.006, 3.61, 0.005, false},
      {"qwen3-235b-a22b", 235, 0.5, 22, 0.5, true},
      {"qwen3-30b-a3b", 30.5, 0.05, 3.3, 0.06, true},
      {"qwen3.5-35b-a3b", 35, 0.5, 3, 0.5, true},
      {"qwen3-next-80b-a3b", 80, 0.5, 3, 0.9, true},
      {"mixtral-8x7b", 46.7, 0.05, 12.9, 0.05, true},
      {"mixtral-8x22b", 141, 0.5, 39, 0.5, true},
      {"minimax-m2.5", 230, 5, 10, 0.5, false},
      {"llama-4-scout", 109, 1.5, 17, 0.5, true},  // the total has the vision tower too
  };
  for (const Stated& stated : all) {
    INFO(stated.name);
    const ModelSpec model = catalogue_model(stated.name);
    const double embedding = stated.with_embedding ? static_cast<double>(model.vocabulary) * model.hidden : 0;
    CHECK(parameters(model) / 1e9 == Approx(stated.total).margin(stated.total_margin));
    CHECK((active_parameters(model) + embedding) / 1e9 == Approx(stated.active).margin(stated.active_margin));
  }
}

}  // namespace
}  // namespace silicast
