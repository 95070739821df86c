// Engines as data: the shipped files, overrides on top of them, and what is refused.
#include "sim/model/engine_spec.hpp"

#include <catch2/catch.hpp>

#include "sim/io/config_catalogue.hpp"
#include "tests/unit/model/model_test_support.hpp"

namespace silicast {
namespace {

using namespace test;

EngineSpec engine_of(const std::string& text) {
  return read_engine(ConfigValue::from_text(text, "s.yaml"), configs_dir());
}

std::string message(const std::string& text) {
  return message_of([&] { engine_of(text); });
}

TEST_CASE("an engine's family is its own, not its base's") {
  const auto family = [](const std::string& name) { return engine_of(name).family; };
  CHECK(family("vllm-ep") == "vllm");
  CHECK(family("vllm-ascend") == "vllm");
  CHECK(family("sglang-drafting") == "sglang");
  CHECK(family("mindie") == "mindie");
  CHECK(family("{base: vllm, max_sequences: 5}") == "vllm");
  for (const char* name : {"trtllm", "pytorch-loop", "cann-recipes", "cloudmatrix", "deepseek-ep", "vllm-ascend-0.8"})
    CHECK(family(name) == "");
}

TEST_CASE("every engine of the catalogue loads, is named like its file, and has a source for each number") {
  const std::vector<std::string> names = config_names(configs_dir() + "/engines");
  CHECK(names == std::vector<std::string>{"cann-forward",
                                          "cann-recipes",
                                          "cloudmatrix",
                                          "deepseek-ep",
                                          "mindie",
                                          "pytorch-loop",
                                          "sglang",
                                          "sglang-drafting",
                                          "sglang-ep",
                                          "trtllm",
                                          "trtllm-0.17",
                                          "trtllm-1.0",
                                          "trtllm-blackwell",
                                          "vllm",
                                          "vllm-0.11",
                                          "vllm-0.12",
                                          "vllm-0.18",
                                          "vllm-0.19",
                                          "vllm-ascend",
                                          "vllm-ascend-0.8",
                                          "vllm-ascend-piecewise",
                                          "vllm-ep",
                                          "vllm-small"});
  for (const std::string& name : names) {
    INFO(name);
    const EngineSpec engine = engine_of(name);
    CHECK(engine.name == name);
    CHECK((engine.scheduler == "chunked" || engine.scheduler == "prefill_first"));
    for (const Evidence& number :
         {engine.max_sequences, engine.max_batched_tokens, engine.block_size, engine.memory.utilisation,
          engine.memory.runtime, engine.memory.runtime_tensor, engine.memory.runtime_pipeline, engine.memory.graphs,
          engine.memory.workspace, engine.memory.hidden_buffers, engine.memory.logit_bytes, engine.host.per_iteration,
          engine.host.per_sequence, engine.host.per_request, engine.host.graph_tokens, engine.host.eager_launch,
          engine.parallel.overlap, engine.parallel.expert_skew, engine.parallel.padded_rows})
      CHECK((!number.source.empty() && number.source.rfind("set in", 0) != 0));
  }
}

TEST_CASE("an override replaces what it names and keeps the rest") {
  const EngineSpec base = engine_of("vllm");
  const EngineSpec engine = engine_of(
      "{base: vllm, max_sequences: 128, max_batched_tokens: 2048, max_chunk: 512, reserve_prompt: true, "
      "memory: {utilisation: 0.8}, host: {per_iteration: 1 ms}, parallel: {overlap: 0.3}}");
  const EngineLimits limits = engine.limits();
  CHECK(limits.max_sequences == 128);
  CHECK(limits.max_batched_tokens == 2048);
  CHECK(limits.max_chunk == 512);
  CHECK(limits.max_waiting == 0);
  CHECK(limits.reserve_prompt);
  CHECK(limits.block_size == base.limits().block_size);
  CHECK(engine.memory.utilisation.value == 0.8);
  CHECK(engine.memory.utilisation.source == "set in s.yaml");
  CHECK(engine.memory.runtime.value == base.memory.runtime.value);
  CHECK(engine.host.per_iteration.value == 1e-3);
  CHECK(engine.host.per_sequence.value == base.host.per_sequence.value);
  CHECK(engine.parallel.overlap.value == 0.3);
  CHECK(engine.parallel.padded_rows.value == base.parallel.padded_rows.value);
  CHECK(engine.parallel.expert_skew.value == base.parallel.expert_skew.value);
  CHECK(engine.parallel.exchange == base.parallel.exchange);
  CHECK(engine.scheduler == base.scheduler);
}

TEST_CASE("vLLM gathers all tokens for the experts, SGLang and MindIE send them where they go") {
  CHECK(engine_of("vllm").parallel.exchange == ExpertExchange::kAllGather);
  CHECK(engine_of("vllm-ascend").parallel.exchange == ExpertExchange::kAllToAll);
  CHECK(engine_of("sglang").parallel.exchange == ExpertExchange::kAllToAll);
  CHECK(engine_of("mindie").parallel.exchange == ExpertExchange::kAllToAll);
  CHECK(engine_of("{base: vllm, parallel: {exchange: all_to_all}}").parallel.exchange == ExpertExchange::kAllToAll);
  CHECK_FALSE(engine_of("vllm").native_kv);
  CHECK_FALSE(engine_of("vllm").tuned_experts);
  CHECK_FALSE(engine_of("vllm").parallel.two_batches);
  const EngineSpec tuned =
      engine_of("{base: vllm, native_kv: true, tuned_experts: true, parallel: {two_batches: true}}");
  CHECK(tuned.native_kv);
  CHECK(tuned.tuned_experts);
  CHECK(tuned.parallel.two_batches);
}

TEST_CASE("a chunked engine's iteration must hold a full decode batch") {
  CHECK(message("{base: vllm, max_batched_tokens: 100}") ==
        "s.yaml:1:1: max_batched_tokens 100 is under max_sequences 1024: a full decode batch of a chunked "
        "engine would "
        "not fit into an iteration");
  CHECK(message("{base: mindie, max_batched_tokens: 100}") == "");
}

TEST_CASE("broken engines are refused with place and key") {
  CHECK(message("vlm") ==
        "s.yaml:1:1: unknown engine 'vlm'; did you mean 'vllm'? (known: cann-forward, cann-recipes, cloudmatrix, "
        "deepseek-ep, mindie, pytorch-loop, sglang, sglang-drafting, sglang-ep, trtllm, trtllm-0.17, trtllm-1.0, "
        "trtllm-blackwell, "
        "vllm, vllm-0.11, vllm-0.12, vllm-0.18, vllm-0.19, "
        "vllm-ascend, vllm-ascend-0.8, vllm-ascend-piecewise, vllm-ep, vllm-small)");
  CHECK(message("{max_sequences: 4}") == "s.yaml:1:1: missing key 'base'");
  CHECK(message("{base: vllm, max_sequences: 0}") ==
        "s.yaml:1:29: max_sequences: '0' must be at least 1 and at most 65536");
  CHECK(message("{base: vllm, max_sequences: 1.5}") == "s.yaml:1:29: max_sequences: 1.5 is not a whole number");
  CHECK(message("{base: vllm, max_sequences: .nan}") == "s.yaml:1:29: max_sequences: '.nan' is not a number");
  CHECK(message("{base: vllm, memory: {utilisation: 1.2}}") ==
        "s.yaml:1:36: memory.utilisation: '1.2' must be over 0 and at most 1");
  CHECK(message("{base: vllm, memory: {graphs: 2}}") ==
        "s.yaml:1:31: memory.graphs: '2' needs a unit (one of: B, KB, MB, GB, TB, KiB, MiB, GiB, TiB)");
  CHECK(message("{base: vllm, memory: {budget: all}}") ==
        "s.yaml:1:31: memory.budget: unknown memory budget 'all' (known: total_less_peak, static_share, "
        "share_of_free)");
  CHECK(message("{base: vllm, host: {overlapped: yes}}") ==
        "s.yaml:1:33: host.overlapped: 'yes' must be true or false");
  CHECK(message("{base: vllm, host: {per_iteration: -1 ms}}") ==
        "s.yaml:1:36: host.per_iteration: '-1 ms' must be at least 0.00 s and at most 10.0 s");
  CHECK(message("{base: vllm, parallel: {exchange: all}}") ==
        "s.yaml:1:35: parallel.exchange: unknown exchange 'all' (known: all_gather, all_to_all)");
  CHECK(message("{base: vllm, parallel: {overlap: 1.5}}") ==
        "s.yaml:1:34: parallel.overlap: '1.5' must be at least 0 and at most 1");
  CHECK(message("{base: vllm, parallel: {expert_skew: -1}}") ==
        "s.yaml:1:38: parallel.expert_skew: '-1' must be at least 0 and at most 10");
  CHECK(message("{base: vllm, parallel: {padded_rows: 0.5}}") ==
        "s.yaml:1:38: parallel.padded_rows: 0.5 is not a whole number");
  CHECK(message("{base: vllm, host: {graph_tokens: -1}}") ==
        "s.yaml:1:35: host.graph_tokens: '-1' must be at least 0 and at most 1e+12");
  CHECK(message("{base: vllm, max_seqs: 4}") ==
        "s.yaml:1:14: max_seqs: unknown key (known: base, block_size, fused, host, max_batched_tokens, max_chunk, "
        "max_sequences, max_waiting, memory, native_kv, parallel, prefix_cache, reserve_prompt, scheduler, "
        "transfer, tuned_experts)");
}

TEST_CASE("an engine file must state every limit") {
  CHECK(message_of([] {
          read_engine_spec(ConfigValue::from_text("{name: e, description: d, scheduler: s}", "e.yaml"), configs_dir());
        }) == "e.yaml:1:1: missing key 'max_sequences'");
}

TEST_CASE("memory budgets and exchanges have the names of the file format") {
  CHECK(name_of(KvBudget::kTotalLessPeak) == "total_less_peak");
  CHECK(name_of(KvBudget::kStaticShare) == "static_share");
  CHECK(name_of(KvBudget::kShareOfFree) == "share_of_free");
  CHECK(name_of(ExpertExchange::kAllGather) == "all_gather");
  CHECK(name_of(ExpertExchange::kAllToAll) == "all_to_all");
}

}  // namespace
}  // namespace silicast
