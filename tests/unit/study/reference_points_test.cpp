// Loads in the words of the reference points, and what becomes of a row.
#include <fmt/format.h>

#include <cmath>

#include "sim/run/scenario.hpp"
#include "sim/study/validation/reference_load.hpp"
#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

std::string load_of(const std::string& text) {
  const ReferenceLoad load = parse_reference_load(text);
  if (std::holds_alternative<OfflineLoad>(load)) return "offline";
  if (const auto* poisson = std::get_if<PoissonLoad>(&load))
    return fmt::format("poisson {} {}", poisson->rate, poisson->requests);
  if (const auto* staged = std::get_if<StagedLoad>(&load))
    return fmt::format("{} stages of {}, counted {}", staged->rates.size(), staged->seconds,
                       staged->counted ? fmt::format("{}", *staged->counted) : "all");
  if (const auto* batch = std::get_if<StaticBatch>(&load)) return fmt::format("batch {}", batch->requests);
  if (const auto* pass = std::get_if<PrefillPass>(&load)) return fmt::format("prefill {}{}", pass->tokens, pass->global ? " of all" : "");
  if (const auto* pass = std::get_if<DecodePass>(&load))
    return fmt::format("decode {}{} drafts {}", pass->sequences, pass->global ? " of all" : "", pass->drafts);
  return "unknown";
}

TEST_CASE("forms of loads") {
  CHECK(load_of("offline max throughput (all requests at t=0)") == "offline");
  CHECK(load_of("Poisson rate 4 req/s, 500 requests") == "poisson 4 500");
  CHECK(load_of("Poisson rate inf req/s, 500 requests") == "poisson inf 500");
  CHECK(load_of("Poisson rate 7, 1000 prompts") == "poisson 7 1000");
  CHECK(load_of("Poisson 2.5 (stage0), 6 (stage1) req/s -> this row: stage 1") == "2 stages of 600, counted 1");
  CHECK(load_of("Poisson 5 (stage0), 10 (stage1) req/s -> all stages pooled") == "2 stages of 600, counted all");
  CHECK(load_of("Poisson 1 req/s, 1200 s -> this row: stage 0") == "1 stages of 1200, counted all");
  CHECK(load_of("static batch 16") == "batch 16");
  CHECK(load_of("512 prompts") == "batch 512");
  CHECK(load_of("1 request at a time") == "batch 1");
  CHECK(load_of("64 x 4K") == "prefill 262144 of all");
  CHECK(load_of("2 req/rank; overlap scheduling, no MTP") == "decode 2 drafts 0");
  CHECK(load_of("16,384 tokens/NPU") == "prefill 16384");
  CHECK(load_of("16,384 tokens per GPU per batch") == "prefill 16384");
  CHECK(load_of("batch 96/NPU") == "decode 96 drafts 0");
  CHECK(load_of("256 req/EP rank") == "decode 256 drafts 0");
  CHECK(load_of("global batch 2880 (180/chip), MTP1") == "decode 2880 of all drafts 1");
  CHECK(load_of("global batch 8") == "decode 8 of all drafts 0");
  for (const char* text : {"", "saturated", "batch 16", "2 requests at a time", "Poisson rate fast, 500 requests"})
    CHECK(load_of(text) == "unknown");
}

TEST_CASE("the number of offline requests goes by their lengths") {
  const std::string notes = "requests: 30000 (128/128), 3000 (128/2048,1000/1000), 1500 (128/4096); fixed lengths";
  CHECK(offline_requests(notes, 128, 128) == 30000);
  CHECK(offline_requests(notes, 1000, 1000) == 3000);
  CHECK(offline_requests(notes, 128, 4096) == 1500);
  CHECK_FALSE(offline_requests(notes, 28, 128));
  CHECK_FALSE(offline_requests("", 128, 128));
}

const std::string kHeader =
    "id,source,hardware,chips,model,precision,parallelism,serving_mode,engine_version,input_len,output_len,load,metric,"
    "value,quote_or_location,group,notes\n";

ValidationCase point(const std::string& cells) {
  return cases_of(read_reference_points, "r.csv", kHeader + cells + "\n")[0];
}

TEST_CASE("a stage counts alone, a static batch has no other requests") {
  const ValidationCase staged = point(
      "blis-1,x,H100,1,Qwen2.5-7B-Instruct,FP16,TP1,aggregated,vLLM 0.15.1,\"566 (100-150 shared system)\",247 (mean),"
      "\"Poisson 5 (stage0), 10 (stage1) req/s -> this row: stage 1\",itl_mean_ms,7.5,q,g,\"max_num_batched_tokens "
      "2048, x\"");
  INFO(staged.unsupported);
  REQUIRE(staged.unsupported.empty());
  CHECK(std::get<ServeQuestion>(staged.question).from == 600);
  CHECK(std::get<ServeQuestion>(staged.question).until == 1200);
  const Scenario scenario = read_scenario(staged.scenario, "r.csv", {kConfigs, {}});
  CHECK(*scenario.workload_info.mean_prompt == 470);
  CHECK(scenario.pools[0].engine.limits().max_batched_tokens == 2048);
  const ValidationCase batch = point(
      "chitu-1,x,H20-96GB,1,Qwen3-32B,FP16,TP1,aggregated,Chitu 0.4-era,128,1024,static batch "
      "16,output_throughput_total,585,q,g,n");
  CHECK(read_scenario(batch.scenario, "r.csv", {kConfigs, {}}).workload_info.requests == 16);
}

TEST_CASE("one pass: rates of a chip become its time, accepted drafts included") {
  const ValidationCase prefill = point(
      "i-1,x,H20,1,Qwen3-8B,FP8,TP1,prefill only,SGLang,4096,1,\"16,384 "
      "tokens/batch\",prefill_throughput_per_gpu,15061,q,g,");
  CHECK(measured(prefill, "iteration_time") == Approx(16384.0 / 15061));
  CHECK(std::get<IterationQuestion>(prefill.question).prompts == 4);
  CHECK(std::get<IterationQuestion>(prefill.question).batch.prefill_tokens == 4096);
  const auto drafted = [](const std::string& metric, const std::string& value) {
    return point(
        "c-1,x,Ascend 950DT,16,Qwen3-8B,FP8,\"attention DP16 + MoE EP16, forced EPLB\",decode only "
        "(offline),SGLang,8192,-,\"global batch "
        "256 (16/chip), MTP3\"," +
        metric + "," + value + ",q,g,accepted drafts assumed 1.44 of 3 (MTP3) / 0.7 of 1 (MTP1)");
  };
  const ValidationCase gap = drafted("tpot_ms", "10"), rate = drafted("decode_throughput_per_chip", "1600");
  INFO(gap.unsupported);
  CHECK(measured(gap, "iteration_time") == Approx(0.0244));
  CHECK(measured(rate, "iteration_time") == Approx(0.0244));
  const auto& question = std::get<IterationQuestion>(gap.question);
  CHECK(question.batch.decode_sequences == 16);
  CHECK(question.drafts == 3);
  CHECK(question.batch.kv_length == 8192);
}

TEST_CASE("replicas that prefill and replicas that decode are two pools") {
  const auto one = [](const std::string& metric) {
    return point("m-1,x,H200,20,Qwen3-8B,FP8,1P TP4 + 2D TP8,P-D disaggregated,SGLang,8192,-,1 request at a time," +
                 metric + ",8.84,q,g,");
  };
  const ValidationCase transfer = one("kv_transfer_ms");
  INFO(transfer.unsupported);
  REQUIRE(transfer.unsupported.empty());
  CHECK(measured(transfer, "transfer_mean") == Approx(0.00884));
  const Scenario scenario = read_scenario(transfer.scenario, "r.csv", {kConfigs, {}});
  REQUIRE(scenario.pools.size() == 2);
  CHECK(scenario.pools[0].role == PoolRole::kPrefill);
  CHECK(scenario.pools[0].plan.tensor == 4);
  CHECK(scenario.pools[1].role == PoolRole::kDecode);
  CHECK(scenario.pools[1].replicas == 2);
  CHECK(measured(one("ttft_ms"), "ttft_mean") == Approx(0.00884));
  CHECK(one("tpot_mean_ms").unsupported == "the lengths are not stated");
}

TEST_CASE("prompts at once whose answers are one token have the rate of a node's prefill") {
  const ValidationCase one = point(
      "a-1,x,H100,16,Qwen3-8B,FP8,TP16,prefill only,SGLang,4096,1,512 prompts,prefill_throughput_per_node,16500,q,g,");
  INFO(one.unsupported);
  CHECK(measured(one, "input_throughput") == Approx(2 * 16500));
}

TEST_CASE("a point that cannot be asked says why") {
  const auto reason = [](const std::string& old, const std::string& with) {
    std::string cells =
        "t-1,x,H100,1,Llama-3.1-8B,FP16,TP1,aggregated,vLLM 0.15.1,128,128,static batch "
        "1,output_throughput_total,5,q,g,";
    if (!old.empty()) cells.replace(cells.find(old), old.size(), with);
    return point(cells).unsupported;
  };
  CHECK(reason("", "").empty());
  CHECK(reason("aggregated", "micro-benchmark") == "a kernel, no serving figure");
  CHECK(reason("H100,1", "H100,2") == "layout 'TP1' has 1 chips, the row 2");
  CHECK(reason("static batch 1", "saturated") == "load 'saturated'");
  CHECK(reason("output_throughput_total", "goodput") == "metric 'goodput'");
  CHECK(reason("128,128", "-,128") == "the lengths are not stated");
  CHECK(reason(",g,", ",g,EAGLE3 steps 3") == "speculation, whose acceptance is not stated");
  CHECK(reason("vLLM 0.15.1", "vLLM (2023)") == "engine 'vLLM (2023)' is not in configs/validation/names.yaml");
}

}  // namespace
}  // namespace silicast::testing
