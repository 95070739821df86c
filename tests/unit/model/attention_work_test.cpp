// Parts of attention by hand for every kind, pairs by brute force, and what a sequence keeps in memory.
#include "sim/model/attention_work.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "sim/base/check.hpp"
#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using namespace test;

std::vector<AttentionPart> parts(const ModelSpec& model, const std::string& layout, const Precision& precision = {}) {
  return attention_parts(model, plan_of(layout, model), precision, 0, model.layer_count());
}

KvDemand demand(const ModelSpec& model, const std::string& layout, const Precision& precision = {}) {
  return kv_demand(model, plan_of(layout, model), precision, 0, model.layer_count());
}

TEST_CASE("reached pairs are those counted one by one") {
  for (const std::int64_t reach : {0, 1, 2, 5, 16, 100}) {
    for (std::int64_t context = 0; context < 30; ++context) {
      for (std::int64_t tokens = 0; tokens < 30; ++tokens) {
        double pairs = 0;
        for (std::int64_t query = 0; query < tokens; ++query) {
          const std::int64_t seen = context + query + 1;
          pairs += static_cast<double>(reach > 0 ? std::min(seen, reach) : seen);
        }
        CAPTURE(reach, context, tokens);
        CHECK(reached_pairs(tokens, context, reach) == pairs);
      }
    }
  }
}

TEST_CASE("a prompt in chunks reaches the pairs of the whole prompt") {
  for (const std::int64_t reach : {0, 128, 700, 5000}) {
    double chunks = 0;
    for (std::int64_t done = 0; done < 1000; done += 200) chunks += reached_pairs(200, done, reach);
    CHECK(chunks == reached_pairs(1000, 0, reach));
  }
}

TEST_CASE("grouped attention does four operations per query number and pair and reads keys and values once") {
  const ModelSpec model = tiny_model();  // 4 query heads and 2 KV heads of 3, 2 layers
  const auto one = parts(model, "{}");
  REQUIRE(one.size() == 1);
  CHECK(one[0].name == "attention");
  CHECK(one[0].reach == 0);
  CHECK(one[0].layers == 2);
  CHECK(one[0].launches);
  CHECK(one[0].heads == 4);
  CHECK(one[0].kv_heads == 2);
  CHECK(one[0].head_size == 3);
  CHECK(one[0].decode_flops == 4 * 12);
  CHECK(one[0].prefill_flops == 4 * 12);
  CHECK(one[0].decode_bytes == 2 * 6 * 2);  // K and V, 2 heads of 3, 2 B
  CHECK(one[0].prefill_bytes == 2 * 6 * 2);
  CHECK(one[0].query_bytes == (12 + 12) * 2);  // queries in, outputs out
  const Precision fp8_kv{NumberFormat::kBf16, NumberFormat::kBf16, NumberFormat::kFp8};
  const auto two = parts(model, "tensor: 2", fp8_kv);
  CHECK(two[0].decode_flops == 4 * 6);
  CHECK(two[0].decode_bytes == 2 * 3 * 1);
  CHECK(two[0].query_bytes == (6 + 6) * 2);
  // Ranks beyond the KV heads read a copy each.
  CHECK(parts(model, "tensor: 4")[0].decode_bytes == 2 * 3 * 2);
}

TEST_CASE("layers with a window and without are two parts with their own layers") {
  ModelSpec model = tiny_model();
  model.attentions.push_back(model.attentions[0]);
  model.attentions[0].window = 7;
  model.layers = {{0, 0}, {1, 0}, {0, 0}};
  const auto both = parts(model, "{}");
  REQUIRE(both.size() == 2);
  CHECK(both[0].name == "window_attention");
  CHECK(both[0].reach == 7);
  CHECK(both[0].layers == 2);
  CHECK(both[1].name == "attention");
  CHECK(both[1].reach == 0);
  CHECK(both[1].layers == 1);
  const auto second = attention_parts(model, plan_of("{}", model), {}, 1, 1);
  REQUIRE(second.size() == 1);
  CHECK(second[0].name == "attention");
}

// 4 heads of 3 + 2 (rotary) and values of 4, over latents of 7 + 2.
ModelSpec latent_model() {
  ModelSpec model = tiny_model();
  AttentionSpec& attention = model.attentions[0];
  attention.kind = AttentionKind::kLatent;
  attention.kv_heads = 1;
  attention.head_size = 5;
  attention.value_size = 4;
  attention.kv_rank = 7;
  attention.rope_size = 2;
  return model;
}

TEST_CASE("latent attention decodes in the latents' space and computes prompts on rebuilt keys and values") {
  const auto one = parts(latent_model(), "{}");
  REQUIRE(one.size() == 1);
  CHECK(one[0].kv_heads == 1);
  CHECK(one[0].decode_flops == 2 * 4 * (9 + 7));  // scores over latent and rotary part, values over the latent
  CHECK(one[0].decode_bytes == 9 * 2);            // the latent and the rotary key, for keys and values at once
  CHECK(one[0].query_bytes == 4 * (9 + 7) * 2);
  CHECK(one[0].prefill_flops == 2 * 4 * (5 + 4));
  CHECK(one[0].prefill_bytes == 4 * (5 + 4) * 2);
  CHECK(one[0].head_size == 4.5);
}

TEST_CASE("tensor ranks share the heads of latent attention, but each reads and keeps all latents") {
  const ModelSpec model = latent_model();
  const AttentionPart one = parts(model, "{}")[0], four = parts(model, "tensor: 4")[0];
  CHECK(four.decode_flops == one.decode_flops / 4);
  CHECK(four.prefill_flops == one.prefill_flops / 4);
  CHECK(four.decode_bytes == one.decode_bytes);
  CHECK(demand(model, "tensor: 4").per_token == demand(model, "{}").per_token);
  CHECK(demand(model, "{}").per_token.value() == 2 * 9 * 2);  // layers, numbers, bytes
}

TEST_CASE("an indexer scores every token with small heads in FP8, and attention reaches the best alone") {
  ModelSpec model = latent_model();
  model.attentions[0].top_tokens = 6;
  model.attentions[0].index_heads = 2;
  model.attentions[0].index_size = 3;
  const auto both = parts(model, "tensor: 2");
  REQUIRE(both.size() == 2);
  CHECK(both[0].name == "indexer");
  CHECK(both[0].reach == 0);
  CHECK(both[0].format == NumberFormat::kFp8);
  CHECK(both[0].decode_flops == 2 * 2 * 3);  // whole on every rank
  CHECK(both[0].decode_bytes == 3 + 4);      // FP8 and an FP32 scale
  CHECK(both[1].name == "top_attention");
  CHECK(both[1].reach == 6);
  CHECK(both[1].decode_bytes == 9 * 2);
  CHECK(demand(model, "{}").per_token.value() == 2 * (9 * 2 + 3 + 4));
}

// 4 heads of 6 over one entry of 6, kept for a window of 3.
ModelSpec compressed_model(std::int32_t compression, std::int32_t top_tokens) {
  ModelSpec model = tiny_model();
  AttentionSpec& attention = model.attentions[0];
  attention.kind = AttentionKind::kCompressed;
  attention.kv_heads = 1;
  attention.head_size = attention.value_size = 6;
  attention.window = 3;
  attention.output_groups = 2;
  attention.compression = compression;
  attention.top_tokens = top_tokens;
  attention.index_heads = top_tokens > 0 ? 2 : 0;
  attention.index_size = top_tokens > 0 ? 5 : 0;
  return model;
}

TEST_CASE("compressed attention reads an entry per so many tokens, and its window in the same launch") {
  const auto alone = parts(compressed_model(0, 0), "{}");
  REQUIRE(alone.size() == 1);
  CHECK(alone[0].name == "window_attention");
  CHECK(alone[0].reach == 3);
  CHECK(alone[0].launches);
  CHECK(alone[0].decode_flops == 4 * 4 * 6);
  CHECK(alone[0].decode_bytes == 6 * 2);  // key and value at once

  const auto far = parts(compressed_model(8, 0), "{}");
  REQUIRE(far.size() == 2);
  CHECK(far[0].name == "compressed_attention");
  CHECK(far[0].reach == 0);
  CHECK(far[0].decode_flops == 4.0 * 4 * 6 / 8);
  CHECK(far[0].decode_bytes == 6.0 * 2 / 8);
  CHECK(far[0].query_bytes == (24 + 24) * 2);
  CHECK_FALSE(far[1].launches);
  CHECK(far[1].query_bytes == 0);  // queries are in already

  const auto best = parts(compressed_model(8, 4), "{}");
  REQUIRE(best.size() == 3);
  CHECK(best[0].name == "indexer");
  CHECK(best[0].decode_flops == 2.0 * 2 * 5 / 8);
  CHECK(best[0].decode_bytes == (5.0 + 4) / 8);
  CHECK(best[1].name == "top_attention");
  CHECK(best[1].reach == 4 * 8);  // tokens that the best entries stand for
  CHECK(best[2].reach == 3);
}

TEST_CASE("compressed attention keeps its window whole and an entry per so many tokens") {
  CHECK(demand(compressed_model(0, 0), "{}").per_token.value() == 0);
  CHECK(demand(compressed_model(0, 0), "{}").per_sequence.value() == 2 * 3 * 6 * 2);
  CHECK(demand(compressed_model(8, 0), "{}").per_token.value() == 2 * 6.0 * 2 / 8);
  CHECK(demand(compressed_model(8, 4), "tensor: 2").per_token.value() == 2 * (6.0 * 2 + 5 + 4) / 8);
  CHECK(demand(compressed_model(8, 4), "tensor: 2").per_sequence.value() == 2 * 3 * 6 * 2);
}

// 4 value heads of 5, 2 key heads of 3, a convolution over 4 tokens.
ModelSpec linear_model() {
  ModelSpec model = tiny_model();
  AttentionSpec& attention = model.attentions[0];
  attention.kind = AttentionKind::kLinear;
  attention.value_size = 5;
  attention.convolution = 4;
  return model;
}

TEST_CASE("linear attention updates a state of fixed size, read and written once an iteration") {
  const auto one = parts(linear_model(), "{}");
  REQUIRE(one.size() == 1);
  CHECK(one[0].name == "linear_state");
  CHECK(one[0].reach == 1);
  CHECK(one[0].decode_flops == 2 * 3 * 4 * 3 * 5);    // three products of the state's size
  CHECK(one[0].decode_bytes == 2 * (4 * 3 * 5) * 4);  // FP32, in and out
  CHECK(one[0].prefill_bytes == 0);
  CHECK(one[0].prefill_flops == one[0].decode_flops);
  CHECK(parts(linear_model(), "tensor: 2")[0].decode_bytes == one[0].decode_bytes / 2);
  const KvDemand kept = demand(linear_model(), "{}");
  CHECK(kept.per_token.value() == 0);
  // Per layer the state in FP32 and the last 3 inputs of the convolution: queries, keys and values in BF16.
  CHECK(kept.per_sequence.value() == 2 * (4 * 3 * 5 * 4 + 3 * (6 + 6 + 20) * 2));
}

TEST_CASE("a token of Llama-3.1-70B takes 327,680 bytes of BF16 KV cache, one of DeepSeek-V3 70,272") {
  CHECK(demand(catalogue_model("llama-3.1-70b"), "{}").per_token.value() == 327680);
  CHECK(demand(catalogue_model("llama-3.1-70b"), "tensor: 8").per_token.value() == 327680 / 8.0);
  for (const std::string layout : {"{}", "tensor: 8", "tensor: 16"})
    CHECK(demand(catalogue_model("deepseek-v3"), layout).per_token.value() == 61 * (512 + 64) * 2);
}

TEST_CASE("windows of gpt-oss are kept whole per sequence, chunks of Llama 4 as if never released") {
  const KvDemand oss = demand(catalogue_model("gpt-oss-120b"), "{}");
  CHECK(oss.per_token.value() == 18 * 2 * 8 * 64 * 2);
  CHECK(oss.per_sequence.value() == 18 * 2 * 8 * 64 * 2 * 128);
  const KvDemand scout = demand(catalogue_model("llama-4-scout"), "{}");
  CHECK(scout.per_token.value() == 48 * 2 * 8 * 128 * 2);
  CHECK(scout.per_sequence.value() == 0);
}

TEST_CASE("groups that share out contexts read and keep a part of the KV cache each, states as a whole") {
  const ModelSpec model = tiny_model();
  const AttentionPart one = parts(model, "{}")[0], four = parts(model, "context: 4")[0];
  CHECK(four.decode_flops == one.decode_flops / 4);
  CHECK(four.decode_bytes == one.decode_bytes / 4);
  CHECK(four.prefill_flops == one.prefill_flops / 4);
  CHECK(four.query_bytes == one.query_bytes);  // every group has all queries of its decodes
  CHECK(demand(model, "context: 4").per_token == demand(model, "{}").per_token / 4);
  CHECK(parts(linear_model(), "context: 4")[0].decode_bytes == parts(linear_model(), "{}")[0].decode_bytes);
}

TEST_CASE("layers that the model lacks are our own mistake") {
  const ModelSpec model = tiny_model();
  CHECK_THROWS_AS(attention_parts(model, plan_of("{}", model), {}, 1, 2), InternalError);
}

}  // namespace
}  // namespace silicast
