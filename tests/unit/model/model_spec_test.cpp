// The catalogue of models: parameter counts by hand and against the publishers, and the catalogue's file
// format.
#include "sim/model/model_spec.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "sim/io/config_catalogue.hpp"
#include "sim/model/huggingface_config.hpp"
#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using namespace test;

const char* kFile =
    "name: m\narchitecture: LlamaForCausalLM\nlayers: 2\nhidden: 8\nheads: 4\nkv_heads: 2\nhead_size: 3\n"
    "intermediate: 16\nvocabulary: 100\nmax_context: 10\nformat: bf16\nsource: s\n";

// kFile with the first `from` replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = kFile;
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string read_message(const std::string& text) {
  return message_of([&] { read_model_spec(ConfigValue::from_text(text, "m.yaml")); });
}

struct Published {
  std::string name;   // in the catalogue
  std::string file;   // among the publishers' configs
  double parameters;  // of the checkpoint on Hugging Face
};
const std::vector<Published> kPublished = {
    {"yi-34b", "01-ai__Yi-34B", 34388917248.0},
    {"qwen2.5-7b", "Qwen__Qwen2.5-7B-Instruct", 7615616512.0},
    {"qwen3-8b", "Qwen__Qwen3-8B", 8190735360.0},
    {"qwen3-14b", "Qwen__Qwen3-14B", 14768307200.0},
    {"qwen3-32b", "Qwen__Qwen3-32B", 32762123264.0},
    {"codellama-34b", "codellama__CodeLlama-34b-Instruct-hf", 33743970304.0},
    {"llama-2-7b", "meta-llama__Llama-2-7b-hf", 6738415616.0},
    {"llama-2-70b", "meta-llama__Llama-2-70b-hf", 68976648192.0},
    {"llama-3.1-8b", "meta-llama__Meta-Llama-3.1-8B", 8030261248.0},
    {"llama-3.1-70b", "meta-llama__Meta-Llama-3.1-70B", 70553706496.0},
    {"llama-3.1-405b", "meta-llama__Meta-Llama-3.1-405B", 405853388800.0},
    {"mistral-nemo-12b", "mistralai__Mistral-Nemo-Instruct-2407", 12247782400.0},
};

TEST_CASE("parameters of a tiny model are those counted by hand") {
  ModelSpec model = tiny_model();
  // q 8x12, k and v 8x6 each, o 12x8, gate, up and down 8x16 each.
  CHECK(model.layer_matrix_parameters() == 96 + 48 + 48 + 96 + 3 * 128);
  CHECK(model.layer_parameters() == 672 + 16);
  CHECK(model.embedding_parameters() == 800);
  CHECK(model.parameters() == 2 * 688 + 800 + 800 + 8);
  CHECK(model.kv_numbers_per_token() == 2 * 2 * 2 * 3);
  CHECK(model.padded_vocabulary() == 128);
}

TEST_CASE("optional parts change the parameter count by their own size") {
  ModelSpec model = tiny_model();
  const double plain = model.parameters();
  SECTION("a plain MLP has no gate") {
    model.gated_mlp = false;
    CHECK(model.parameters() == plain - 2 * 128);
  }
  SECTION("tied embeddings have no head") {
    model.tied_embeddings = true;
    CHECK(model.parameters() == plain - 800);
  }
  SECTION("biases of Q, K and V") {
    model.qkv_bias = true;
    CHECK(model.parameters() == plain + 2 * (12 + 6 + 6));
  }
  SECTION("norms of Q and K") {
    model.qk_norm = true;
    CHECK(model.parameters() == plain + 2 * 2 * 3);
  }
}

TEST_CASE("a vocabulary that is a multiple of 64 is not padded") {
  ModelSpec model = tiny_model();
  model.vocabulary = 128;
  CHECK(model.padded_vocabulary() == 128);
}

TEST_CASE("catalogue models have the parameters that their publishers state") {
  for (const Published& published : kPublished) {
    INFO(published.name);
    CHECK(catalogue_model(published.name).parameters() == Approx(published.parameters).epsilon(1e-6));
  }
}

TEST_CASE("every file of the model catalogue loads, is named like its file and is checked against its publisher") {
  for (const std::string& name : config_names(configs_dir() + "/models")) {
    INFO(name);
    CHECK(catalogue_model(name).name == name);
    CHECK(std::count_if(kPublished.begin(), kPublished.end(), [&](const auto& p) { return p.name == name; }) == 1);
  }
}

TEST_CASE("catalogue models equal their publishers' config.json") {
  const auto data = data_dir();
  if (!data) {
    WARN("SKIPPED: no data folder; set SILICAST_DATA");
    return;
  }
  for (const Published& published : kPublished) {
    INFO(published.name);
    const ModelSpec ours = catalogue_model(published.name);
    const ModelSpec theirs = read_huggingface_config(
        ConfigValue::from_file(*data + "/specs/models/" + published.file + ".json"), published.name);
    CHECK(ours.architecture == theirs.architecture);
    CHECK(ours.layers == theirs.layers);
    CHECK(ours.hidden == theirs.hidden);
    CHECK(ours.heads == theirs.heads);
    CHECK(ours.kv_heads == theirs.kv_heads);
    CHECK(ours.head_size == theirs.head_size);
    CHECK(ours.intermediate == theirs.intermediate);
    CHECK(ours.vocabulary == theirs.vocabulary);
    CHECK(ours.max_context == theirs.max_context);
    CHECK(ours.gated_mlp == theirs.gated_mlp);
    CHECK(ours.tied_embeddings == theirs.tied_embeddings);
    CHECK(ours.qkv_bias == theirs.qkv_bias);
    CHECK(ours.qk_norm == theirs.qk_norm);
    CHECK(ours.native_format == theirs.native_format);
    CHECK(ours.weight_format == theirs.weight_format);
  }
}

TEST_CASE("a token of Llama-3.1-70B takes 327,680 bytes of BF16 KV cache") {
  CHECK(catalogue_model("llama-3.1-70b").kv_numbers_per_token() * 2 == 327680);
}

TEST_CASE("an unknown model name lists the catalogue and the nearest") {
  const std::string message = message_of([] { catalogue_model("llama-3.1-7b"); });
  CHECK_THAT(message, Catch::StartsWith("scenario.yaml:1:1: unknown model 'llama-3.1-7b'; did you mean 'llama-"));
}

TEST_CASE("a scenario may state a model in place") {
  CHECK(read_model(ConfigValue::from_text(kFile, "s.yaml"), configs_dir()).parameters() == tiny_model().parameters());
}

TEST_CASE("a scenario's Hugging Face file is found beside the scenario") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / "silicast_model_spec_test";
  fs::create_directories(folder / "Tiny-1B");
  std::ofstream(folder / "Tiny-1B" / "config.json")
      << R"({"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 4,
            "intermediate_size": 16, "vocab_size": 100, "max_position_embeddings": 10})";
  const std::string scenario = (folder / "s.yaml").string();
  const auto read = [&](const std::string& text) {
    return read_model(ConfigValue::from_text(text, scenario), configs_dir());
  };
  CHECK(read("huggingface: Tiny-1B/config.json").name == "Tiny-1B");
  CHECK(message_of([&] { read("huggingface: Tiny-2B/config.json"); }) == scenario + ":1:14: huggingface: '" +
                                                                             (folder / "Tiny-2B/config.json").string() +
                                                                             "' cannot be read; does it exist?");
  fs::remove_all(folder);
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
        "m.yaml:13:1: qk_norms: unknown key; did you mean 'qk_norm'? (known: architecture, format, gated_mlp, "
        "head_size, heads, hidden, intermediate, kv_heads, layers, max_context, name, qk_norm, qkv_bias, "
        "source, "
        "tied_embeddings, vocabulary, weights)");
}

}  // namespace
}  // namespace silicast
