// The catalogue's file format: what it reads into, and its messages.
#include "sim/model/model_spec.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/temp_folder.hpp"
#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using namespace test;

const char* kFile =
    "name: m\narchitecture: LlamaForCausalLM\nlayers: 2\nhidden: 8\nheads: 4\nkv_heads: 2\nhead_size: 3\n"
    "intermediate: 16\nvocabulary: 100\nmax_context: 10\nformat: bf16\nsource: s\n";

// A file with `attention` and `feed_forward`, each a flow mapping on a line of its own (3 and 4).
std::string kinds(const std::string& attention, const std::string& feed_forward = "{dense: {intermediate: 16}}") {
  return "name: m\nlayers: 8\nattention: " + attention + "\nfeed_forward: " + feed_forward +
         "\narchitecture: X\nhidden: 8\nvocabulary: 100\nmax_context: 10\nformat: bf16\nsource: s\n";
}

// kFile with the first `from` replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = kFile;
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

ModelSpec read(const std::string& text) {
  return read_model_spec(ConfigValue::from_text(text, "m.yaml"));
}

std::string read_message(const std::string& text) {
  return message_of([&] { read(text); });
}

// The message of a file with one kind of attention, less its place and key.
std::string attention_message(const std::string& keys) {
  const std::string message = read_message(kinds("{a: {" + keys + "}}"));
  return message.substr(message.rfind(": attention.a") == std::string::npos ? 0 : message.rfind(": attention.a") + 2);
}

TEST_CASE("keys of the file itself give one kind of attention and one dense MLP in all layers") {
  const ModelSpec model = read(changed("source", "window: 7\nqk_norm: true\ngated_mlp: false\nsource"));
  const ModelSpec tiny = tiny_model();
  AttentionSpec attention = tiny.attentions[0];
  attention.window = 7;
  attention.qk_norm = true;
  FeedForwardSpec block = tiny.feed_forwards[0];
  block.gated = false;
  CHECK(model.attentions == std::vector{attention});
  CHECK(model.feed_forwards == std::vector{block});
  CHECK(model.layers == tiny.layers);
  CHECK(model.layer_count() == 2);
  CHECK_FALSE(model.mixture());
  CHECK(model.residual_streams == 1);
  CHECK(model.mtp_layers == 0);
  CHECK(model.weight_format == NumberFormat::kBf16);
  CHECK(model.expert_format == NumberFormat::kBf16);
}

TEST_CASE("kinds by name have the layers that their slices name") {
  const ModelSpec model = read(
      kinds(
          "{full: {kind: grouped, heads: 4, kv_heads: 2, head_size: 3, layers: '3::4'}, local: {heads: 4, kv_heads: 2, "
          "head_size: 3, window: 5, window_in_chunks: true, qkv_bias: true, output_gate: true}}",
          "{dense: {intermediate: 16, layers: 0}, experts: {intermediate: 4, experts: 6, active: 2, shared: 8, "
          "bias: true, gated: false}}") +
      "weights: fp8\nexpert_weights: mxfp4\nresidual_streams: 4\nmtp_layers: 1\noutput_bias: true\n");
  REQUIRE(model.layer_count() == 8);
  CHECK(model.mixture());
  for (std::int32_t i = 0; i < 8; ++i) {
    INFO(i);
    const bool full = i % 4 == 3;
    CHECK(model.attention_of(i).window == (full ? 0 : 5));
    CHECK(model.attention_of(i).window_in_chunks != full);
    CHECK(model.attention_of(i).qkv_bias != full);
    CHECK(model.attention_of(i).output_gate != full);
    CHECK(model.attention_of(i).value_size == 3);
    CHECK(model.feed_forward_of(i).mixture() == (i > 0));
  }
  FeedForwardSpec experts;
  experts.intermediate = 4;
  experts.gated = false;
  experts.experts = 6;
  experts.active = 2;
  experts.shared = 8;
  experts.bias = true;
  CHECK(model.feed_forward_of(1) == experts);
  CHECK(model.weight_format == NumberFormat::kFp8);
  CHECK(model.expert_format == NumberFormat::kMxFp4);
  CHECK(model.residual_streams == 4);
  CHECK(model.mtp_layers == 1);
  CHECK(model.output_bias);
}

TEST_CASE("the kinds of attention have their own keys") {
  const ModelSpec model = read(
      kinds("{a: {kind: latent, heads: 4, head_size: 12, value_size: 8, kv_rank: 16, rope_size: 4, query_rank: 6, "
            "top_tokens: 9, index_heads: 2, index_size: 5, layers: 0}, "
            "b: {kind: compressed, heads: 4, head_size: 32, window: 7, query_rank: 6, rope_size: 4, output_groups: 2, "
            "output_rank: 3, compression: 4, top_tokens: 9, index_heads: 2, index_size: 5, layers: 1}, "
            "c: {kind: linear, heads: 4, kv_heads: 2, head_size: 6, value_size: 5, convolution: 4}}"));
  AttentionSpec latent;
  latent.kind = AttentionKind::kLatent;
  latent.heads = 4;
  latent.kv_heads = 1;
  latent.head_size = 12;
  latent.value_size = 8;
  latent.kv_rank = 16;
  latent.rope_size = 4;
  latent.query_rank = 6;
  latent.top_tokens = 9;
  latent.index_heads = 2;
  latent.index_size = 5;
  AttentionSpec compressed = latent;
  compressed.kind = AttentionKind::kCompressed;
  compressed.head_size = compressed.value_size = 32;
  compressed.window = 7;
  compressed.kv_rank = 0;
  compressed.output_groups = 2;
  compressed.output_rank = 3;
  compressed.compression = 4;
  AttentionSpec linear;
  linear.kind = AttentionKind::kLinear;
  linear.heads = 4;
  linear.kv_heads = 2;
  linear.head_size = 6;
  linear.value_size = 5;
  linear.convolution = 4;
  CHECK(model.attentions == std::vector{latent, compressed, linear});
  CHECK(name_of(latent.kind) == "latent");
  CHECK(name_of(linear.kind) == "linear");
}

TEST_CASE("attention may be told by kinds and the MLP by keys of the file, and the other way round") {
  CHECK(read(changed("intermediate: 16", "feed_forward: {e: {intermediate: 4, experts: 6, active: 2}}")).mixture());
  CHECK(read(changed("heads: 4\nkv_heads: 2\nhead_size: 3", "attention: {a: {heads: 4, kv_heads: 2, head_size: 3}}"))
            .attentions == tiny_model().attentions);
}

TEST_CASE("experts have the format of the other weights unless the file says another") {
  const std::string text = changed("intermediate: 16", "feed_forward: {e: {intermediate: 4, experts: 6, active: 2}}");
  CHECK(read(text + "weights: fp8\n").expert_format == NumberFormat::kFp8);
  CHECK(read(text + "weights: fp8\nexpert_weights: bf16\n").expert_format == NumberFormat::kBf16);
  CHECK(
      read_message(text + "expert_weights: fp16\n") ==
      "m.yaml:13:17: expert_weights: unknown format 'fp16' (known: bf16, fp8, int8, mxfp8, hif8, int4, mxfp4, nvfp4)");
  CHECK(read_message(std::string(kFile) + "expert_weights: fp8\n") ==
        "m.yaml:13:17: expert_weights: no layer has experts; see 'feed_forward'");
}

TEST_CASE("a vocabulary is padded to a multiple of 64") {
  ModelSpec model = tiny_model();
  CHECK(model.padded_vocabulary() == 128);
  model.vocabulary = 128;
  CHECK(model.padded_vocabulary() == 128);
}

TEST_CASE("an unknown model name lists the catalogue and the nearest") {
  const std::string message = message_of([] { catalogue_model("llama-3.1-7b"); });
  CHECK_THAT(message, Catch::StartsWith("scenario.yaml:1:1: unknown model 'llama-3.1-7b'; did you mean 'llama-"));
}

TEST_CASE("a scenario may state a model in place") {
  CHECK(read_model(ConfigValue::from_text(kFile, "s.yaml"), configs_dir()).attentions == tiny_model().attentions);
}

TEST_CASE("a scenario's Hugging Face file is found beside the scenario") {
  const testing::TempFolder folder;
  std::filesystem::create_directories(folder / "Tiny-1B");
  std::ofstream(folder / "Tiny-1B/config.json")
      << R"({"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 4,
            "intermediate_size": 16, "vocab_size": 100, "max_position_embeddings": 10})";
  const std::string scenario = folder / "s.yaml";
  const auto read_text = [&](const std::string& text) {
    return read_model(ConfigValue::from_text(text, scenario), configs_dir());
  };
  CHECK(read_text("huggingface: Tiny-1B/config.json").name == "Tiny-1B");
  CHECK(message_of([&] { read_text("huggingface: Tiny-2B/config.json"); }) ==
        scenario + ":1:14: huggingface: '" + (folder / "Tiny-2B/config.json") + "' cannot be read; does it exist?");
}

TEST_CASE("broken model files are refused with place and key") {
  CHECK(read_message(changed("heads: 4\n", "")) == "m.yaml:1:1: missing key 'heads'");
  CHECK(read_message(changed("layers: 2", "layers: two")) == "m.yaml:3:9: layers: 'two' is not a whole number");
  CHECK(read_message(changed("layers: 2", "layers: 0")) ==
        "m.yaml:3:9: layers: '0' must be a whole number from 1 to 4096");
  CHECK(read_message(changed("hidden: 8", "hidden: -8")) ==
        "m.yaml:4:9: hidden: '-8' must be a whole number from 1 to 268435456");
  CHECK(read_message(changed("kv_heads: 2", "kv_heads: 3")) ==
        "m.yaml:6:11: kv_heads: 3 KV heads do not divide the 4 query heads");
  CHECK(read_message(changed("format: bf16", "format: fp8")) ==
        "m.yaml:11:9: format: unknown format 'fp8' (known: bf16, fp16, fp32)");
  CHECK(read_message(changed("source: s", "source: s\nqk_norms: true")) ==
        "m.yaml:13:1: qk_norms: unknown key; did you mean 'qk_norm'? (known: architecture, attention, expert_weights, "
        "feed_forward, format, gated_mlp, head_size, heads, hidden, huggingface_ids, intermediate, kv_heads, layers, "
        "max_context, mtp_layers, name, output_bias, qk_norm, qk_norm_across_heads, qkv_bias, residual_streams, source, "
        "tied_embeddings, vocabulary, weights, window)");
}

TEST_CASE("keys of the file beside kinds of the same side are refused") {
  CHECK(read_message(kinds("{a: {heads: 4, kv_heads: 2, head_size: 3}}") + "qk_norm: true\n") ==
        "m.yaml:11:10: qk_norm: is told kind by kind in 'attention'; leave it out here");
  CHECK(read_message(kinds("{a: {heads: 4, kv_heads: 2, head_size: 3}}") + "intermediate: 16\n") ==
        "m.yaml:11:15: intermediate: is told kind by kind in 'feed_forward'; leave it out here");
}

TEST_CASE("kinds of attention that make no sense are refused at their key") {
  CHECK(attention_message("kind: sparse") ==
        "attention.a.kind: unknown kind of attention 'sparse' (known: grouped, latent, compressed, linear)");
  CHECK(attention_message("heads: 4, kv_heads: 2") == "attention.a: missing key 'head_size'");
  CHECK(attention_message("heads: 4, kv_heads: 3, head_size: 3") ==
        "attention.a.kv_heads: 3 KV heads do not divide the 4 query heads");
  CHECK(attention_message("heads: 4, kv_heads: 2, head_size: 3, window_in_chunks: true") ==
        "attention.a.window_in_chunks: needs a 'window'");
  CHECK(attention_message("heads: 4, kv_heads: 2, head_size: 3, kv_rank: 3") ==
        "attention.a.kv_rank: unknown key (known: head_size, heads, kind, kv_heads, layers, output_gate, qk_norm, "
        "qk_norm_across_heads, qkv_bias, window, window_in_chunks)");
  const std::string latent = "kind: latent, heads: 4, head_size: 12, value_size: 8, kv_rank: 16, rope_size: ";
  CHECK(attention_message(latent + "12") == "attention.a.rope_size: a rotary part of 12 is no part of a head of 12");
  CHECK(attention_message(latent + "4, index_size: 3") ==
        "attention.a.index_size: is of an indexer, which needs 'top_tokens'");
  CHECK(attention_message(latent + "4, top_tokens: 3, index_size: 3") == "attention.a: missing key 'index_heads'");
  CHECK(attention_message("kind: latent, heads: 4, head_size: 12, value_size: 8, rope_size: 4") ==
        "attention.a: missing key 'kv_rank'");
  const std::string compressed = "kind: compressed, heads: 4, head_size: 32, window: 7, query_rank: 6, rope_size: 4, ";
  CHECK(attention_message(compressed + "top_tokens: 3, index_heads: 1, index_size: 3") ==
        "attention.a.top_tokens: needs 'compression': an indexer chooses among compressed entries");
  CHECK(attention_message(compressed + "output_groups: 3, output_rank: 3") ==
        "attention.a.output_groups: 3 groups do not divide the 4 heads");
  CHECK(attention_message("kind: linear, heads: 4, kv_heads: 3") ==
        "attention.a.kv_heads: 3 key heads do not divide the 4 value heads");
}

TEST_CASE("feed-forward blocks that make no sense are refused at their key") {
  const auto message = [](const std::string& keys) {
    return read_message(kinds("{a: {heads: 4, kv_heads: 2, head_size: 3}}", "{f: {" + keys + "}}"));
  };
  CHECK(message("intermediate: 4, experts: 6, active: 7") == "m.yaml:4:57: feed_forward.f.active: 7 of 6 experts");
  CHECK(message("intermediate: 4, experts: 6") == "m.yaml:4:19: feed_forward.f: missing key 'active'");
  CHECK(message("intermediate: 4, shared: 6") ==
        "m.yaml:4:45: feed_forward.f.shared: is of a mixture of experts, which needs 'experts'");
  CHECK(message("intermediate: 4, top_k: 6") ==
        "m.yaml:4:37: feed_forward.f.top_k: unknown key (known: active, bias, experts, gated, intermediate, layers, "
        "shared)");
}

}  // namespace
}  // namespace silicast
