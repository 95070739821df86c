// The catalogue of models against their publishers' config.json.
#include <algorithm>
#include <catch2/catch.hpp>

#include "sim/io/config_catalogue.hpp"
#include "sim/model/huggingface_config.hpp"
#include "sim/model/model_spec.hpp"
#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using namespace test;

struct Published {
  std::string name;  // in the catalogue
  std::string file;  // among the publishers' configs; "" where the file is not there
};
const std::vector<Published> kPublished = {
    {"codellama-34b", "codellama__CodeLlama-34b-Instruct-hf"},
    {"deepseek-r1", "deepseek-ai__DeepSeek-R1"},
    {"deepseek-v3", "deepseek-ai__DeepSeek-V3"},
    {"deepseek-v3.2", "deepseek-ai__DeepSeek-V3.2"},
    {"deepseek-v4-flash", "deepseek-ai__DeepSeek-V4-Flash"},
    {"deepseek-v4-pro", "deepseek-ai__DeepSeek-V4-Pro"},
    {"glm-4.5", ""},
    {"glm-4.5-air", ""},
    {"glm-4.7", ""},
    {"glm-5", "zai-org__GLM-5"},
    {"gpt-oss-120b", "openai__gpt-oss-120b"},
    {"gpt-oss-20b", ""},
    {"kimi-k2", "moonshotai__Kimi-K2-Instruct"},
    {"kimi-k2.5", "moonshotai__Kimi-K2.5"},
    {"llama-2-70b", "meta-llama__Llama-2-70b-hf"},
    {"llama-2-7b", "meta-llama__Llama-2-7b-hf"},
    {"llama-3.1-405b", "meta-llama__Meta-Llama-3.1-405B"},
    {"llama-3.1-70b", "meta-llama__Meta-Llama-3.1-70B"},
    {"llama-3.1-70b-fp8", "nvidia__Llama-3.1-70B-Instruct-FP8"},
    {"llama-3.1-8b", "meta-llama__Meta-Llama-3.1-8B"},
    {"llama-4-scout", "meta-llama__Llama-4-Scout-17B-16E-Instruct"},
    {"minimax-m2.5", "MiniMaxAI__MiniMax-M2.5"},
    {"mistral-nemo-12b", "mistralai__Mistral-Nemo-Instruct-2407"},
    {"mixtral-8x22b", "mistralai__Mixtral-8x22B-v0.1"},
    {"mixtral-8x7b", "mistralai__Mixtral-8x7B-v0.1"},
    {"qwen2.5-72b", ""},
    {"qwen2.5-7b", "Qwen__Qwen2.5-7B-Instruct"},
    {"qwen3-14b", "Qwen__Qwen3-14B"},
    {"qwen3-235b-a22b", "Qwen__Qwen3-235B-A22B"},
    {"qwen3-235b-a22b-fp8", "Qwen__Qwen3-235B-A22B-FP8"},
    {"qwen3-30b-a3b", "Qwen__Qwen3-30B-A3B"},
    {"qwen3-30b-a3b-2507", "Qwen__Qwen3-30B-A3B-Instruct-2507"},
    {"qwen3-32b", "Qwen__Qwen3-32B"},
    {"qwen3-32b-fp8", "Qwen__Qwen3-32B-FP8"},
    {"qwen3-8b", "Qwen__Qwen3-8B"},
    {"qwen3-next-80b-a3b", ""},
    {"qwen3.5-27b", "Qwen__Qwen3.5-27B"},
    {"qwen3.5-35b-a3b", "Qwen__Qwen3.5-35B-A3B"},
    {"qwen3.5-397b-a17b", "Qwen__Qwen3.5-397B-A17B"},
    {"yi-34b", "01-ai__Yi-34B"},
};

TEST_CASE("every file of the model catalogue loads, is named like its file and says whether it was checked") {
  const std::vector<std::string> names = config_names(configs_dir() + "/models");
  REQUIRE(names.size() == kPublished.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    INFO(names[i]);
    CHECK(kPublished[i].name == names[i]);
    const ModelSpec model = catalogue_model(names[i]);
    CHECK(model.name == names[i]);
    const auto known = known_architectures();
    CHECK(std::find(known.begin(), known.end(), model.architecture) != known.end());
    CHECK_THAT(model.source, kPublished[i].file.empty() ? Catch::StartsWith("remembered from config.json of ") &&
                                                              Catch::EndsWith(", not checked against it")
                                                        : Catch::StartsWith("config.json ") && Catch::Contains(" of "));
  }
}

TEST_CASE("every model names its repository first, and no repository is two models'") {
  std::vector<std::string> all;
  for (const Published& one : kPublished) {
    INFO(one.name);
    const ModelSpec model = catalogue_model(one.name);
    REQUIRE_FALSE(model.huggingface_ids.empty());
    CHECK_THAT(model.source, Catch::Contains("huggingface.co/" + model.huggingface_ids.front()));
    all.insert(all.end(), model.huggingface_ids.begin(), model.huggingface_ids.end());
  }
  std::sort(all.begin(), all.end());
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
}

TEST_CASE("catalogue models equal their publishers' config.json") {
  const auto data = data_dir();
  if (!data) {
    WARN("SKIPPED: no data folder; set SILICAST_DATA");
    return;
  }
  for (const Published& published : kPublished) {
    if (published.file.empty()) continue;
    INFO(published.name);
    const ModelSpec ours = catalogue_model(published.name);
    ModelSpec theirs = read_huggingface_config(
        ConfigValue::from_file(*data + "/specs/models/" + published.file + ".json"), published.name);
    // Its weights' format stands in a file of its own, hf_quant_config.json.
    if (published.name == "llama-3.1-70b-fp8") theirs.weight_format = theirs.expert_format = NumberFormat::kFp8;
    CHECK(ours.architecture == theirs.architecture);
    CHECK(ours.hidden == theirs.hidden);
    CHECK(ours.vocabulary == theirs.vocabulary);
    CHECK(ours.max_context == theirs.max_context);
    CHECK(ours.residual_streams == theirs.residual_streams);
    CHECK(ours.mtp_layers == theirs.mtp_layers);
    CHECK(ours.attentions == theirs.attentions);
    CHECK(ours.feed_forwards == theirs.feed_forwards);
    CHECK(ours.layers == theirs.layers);
    CHECK(ours.tied_embeddings == theirs.tied_embeddings);
    CHECK(ours.output_bias == theirs.output_bias);
    CHECK(ours.native_format == theirs.native_format);
    CHECK(ours.weight_format == theirs.weight_format);
    CHECK(ours.expert_format == theirs.expert_format);
  }
}

TEST_CASE("every published config is in the catalogue") {
  const auto data = data_dir();
  if (!data) {
    WARN("SKIPPED: no data folder; set SILICAST_DATA");
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(*data + "/specs/models")) {
    const std::string file = entry.path().stem().string();
    INFO(file);
    CHECK(std::count_if(kPublished.begin(), kPublished.end(), [&](const auto& p) { return p.file == file; }) == 1);
  }
}

}  // namespace
}  // namespace silicast
