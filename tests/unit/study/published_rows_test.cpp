// Ascend rows, forward passes, memory starts, conversations: what becomes of a row, and why some are not asked.
#include <fmt/format.h>

#include "sim/run/scenario.hpp"
#include "sim/study/validation/scenario_draft.hpp"
#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

std::string replaced(std::string text, const std::string& old, const std::string& with) {
  REQUIRE(text.find(old) != std::string::npos);
  return text.replace(text.find(old), old.size(), with);
}

Scenario scenario_of(const ValidationCase& one) {
  INFO(one.unsupported);
  REQUIRE(one.unsupported.empty());
  return read_scenario(one.scenario, one.scenario_path, {kConfigs, {}}, Fit::kReported);
}

const std::string kAscend =
    "model,quantisation,hardware,npu_devices,parallelism,input_len,output_len,prefix_share,concurrency,request_rate,"
    "num_requests,spec_decode,max_num_seqs,max_batched_tokens,metric,value,unit,software_version,source_kind,status,"
    "source_path,notes\n"
    "Qwen3-32B,BF16,Atlas A2 (800T A2),4,TP4,100,50,0.0,8,,40,,,,tpot_mean,55.5,ms,v1,doc_table,current,docs,\n";

ValidationCase ascend(const std::string& old = "", const std::string& with = "") {
  return cases_of(read_ascend_rows, "a.csv", old.empty() ? kAscend : replaced(kAscend, old, with))[0];
}

TEST_CASE("an Ascend row states its clients or its rate") {
  const ValidationCase one = ascend();
  CHECK(one.group == "ascend ascend-910b qwen3-32b bf16/bf16/bf16 current");
  CHECK(measured(one, "tpot_mean") == Approx(0.0555));
  CHECK(scenario_of(one).workload_info.requests == 40);
  CHECK_FALSE(scenario_of(one).workload_info.open_loop);
  const Scenario poisson = scenario_of(ascend(",8,,40,", ",,2,40,"));
  CHECK(poisson.workload_info.open_loop);
  CHECK(*poisson.workload_info.mean_rate == Approx(2));
  CHECK(scenario_of(ascend(",8,,40,", ",,inf,40,")).workload_info.description.find("40 clients") != std::string::npos);
  const Scenario limited = scenario_of(ascend(",40,,,,", ",40,,16,4096,"));
  CHECK(limited.pools[0].engine.limits().max_sequences == 16);
  CHECK(limited.pools[0].engine.limits().max_batched_tokens == 4096);
}

TEST_CASE("devices of an A3 are dies") {
  CHECK(scenario_of(ascend("Atlas A2 (800T A2)", "Atlas A3 (910C)")).pools[0].plan.tensor == 4);
}

TEST_CASE("an Ascend row that cannot be asked says why") {
  CHECK(ascend(",40,,,,", ",40,mtp:1,,,").unsupported == "speculation, whose acceptance is not stated");
  CHECK(ascend("0.0", "0.9").unsupported == "a shared prefix, which is not modelled");
  CHECK(ascend("TP4", "").unsupported == "no layout is stated");
  CHECK(ascend("Atlas A2 (800T A2)", "not stated (4 NPUs)").unsupported == "the hardware is not stated");
  CHECK(ascend("100,50", "mt-bench,50").unsupported == "the lengths are not stated as numbers");
  CHECK(ascend(",8,,40,", ",8,,,").unsupported ==
        "the load is not stated (clients or rate, and the number of requests)");
  CHECK(ascend("tpot_mean", "itl_p99").unsupported == "metric 'itl_p99' in ms");
  CHECK(ascend("docs,", "docs,two image inputs").unsupported == "images are not modelled");
}

TEST_CASE("a bad Ascend table is named to the cell") {
  CHECK(message_of(read_ascend_rows, "a.csv", replaced(kAscend, "55.5", "fast")) ==
        "a.csv:2:71: value: 'fast' is not a number");
  CHECK(message_of(read_ascend_rows, "a.csv", replaced(kAscend, "spec_decode", "spec"))
            .starts_with("a.csv:1: no column 'spec_decode' in the header"));
}

const std::string kPass =
    "case,model,device,tp,dp,ep,quant_linear,quant_attention,num_queries,query_len,context_len,image,baseline_time_ms\n"
    "one,Qwen/Qwen3-8B,ATLAS_800_A2_376T_64G,2,,1,DISABLED,DISABLED,32,1,1536,,15.4\n";

TEST_CASE("a decode pass computes a token of each query, one that checks drafts more") {
  const ValidationCase decode = cases_of(read_forward_passes, "p.csv", kPass)[0];
  const auto& batch = std::get<IterationQuestion>(decode.question).batch;
  CHECK(batch.decode_sequences == 32);
  CHECK(batch.kv_length == 1537);
  CHECK(measured(decode, "iteration_time") == Approx(0.0154));
  CHECK(scenario_of(decode).pools[0].plan.tensor == 2);
  const ValidationCase drafts = cases_of(read_forward_passes, "p.csv", replaced(kPass, "32,1,1536", "32,4,1536"))[0];
  const auto& question = std::get<IterationQuestion>(drafts.question);
  CHECK(question.drafts == 3);
  CHECK(question.batch.decode_sequences == 32);
  CHECK(question.batch.kv_length == 1540);
  CHECK(!question.drafting);
  // Queries of all attention ranks: each has its share.
  const ValidationCase shared = cases_of(read_forward_passes, "p.csv", replaced(kPass, "2,,1,", "2,4,8,"))[0];
  CHECK(std::get<IterationQuestion>(shared.question).batch.decode_sequences == 8);
  CHECK(cases_of(read_forward_passes, "p.csv", replaced(kPass, ",,15.4", ",1080x1920,15.4"))[0].unsupported ==
        "images are not modelled");
}

const std::string kStart =
    "model,tp,pp,max_model_len,dtype,quantization,kv_cache_dtype,activation_gib,non_torch_forward_gib,kv_cache_gib,"
    "kv_cache_tokens\n"
    "Qwen/Qwen3-8B,1,1,8192,bfloat16,None,auto,2.2,0.25,57.5,418688\n";

TEST_CASE("a start's memory is planned with the activation peak that it printed") {
  const ValidationCase one = cases_of(read_memory_starts, "m.csv", kStart)[0];
  CHECK(measured(one, "kv_memory") == Approx(57.5 * 1073741824));
  const Scenario scenario = scenario_of(one);
  CHECK(scenario.max_context == 8192);
  CHECK(scenario.pools[0].memory.stages[0].activation.value() == Approx(2.2 * 1073741824));
  const std::string quantised =
      replaced(replaced(kStart, "None", "w8a8"), "Qwen/Qwen3-8B", "RedHatAI/Qwen2.5-7B-Instruct-quantized.w8a8");
  CHECK(cases_of(read_memory_starts, "m.csv", quantised)[0].labels.precision == "int8/int8/bf16");
}

const std::string kTurns =
    "folder,model,hardware,tp,max_num_seqs,max_num_batched_tokens,total_kv_blocks,system_prompt_len,question_len,"
    "output_len,stages,num_users_per_system_prompt,real_ttft_mean_ms,real_ttft_p90_ms,real_ttft_p99_ms,"
    "real_e2e_mean_ms,real_e2e_p90_ms,real_e2e_p99_ms,real_itl_mean_ms\n"
    "f,Qwen/Qwen2.5-7B-Instruct,H100,1,128,1024,65368,100,466,247,5.0x60s;10.0x30s,4,28,33,50,2080,2387,2562,10.5\n";

TEST_CASE("a conversation's prompts are what its prefix leaves to compute") {
  const ValidationCase one = cases_of(read_multi_turn, "t.csv", kTurns)[0];
  CHECK(measured(one, "e2e_p99") == Approx(2.562));
  const Scenario scenario = scenario_of(one);
  CHECK(*scenario.workload_info.mean_prompt == 470);  // 466 and what the last block of the prefix does not fill
  CHECK(*scenario.workload_info.requests == 600);
  CHECK(scenario.pools[0].kv_blocks == 65368);
  CHECK(message_of(read_multi_turn, "t.csv", replaced(kTurns, "5.0x60s;", "5.0 for 60s;")) ==
        "t.csv:2:62: stages: must be like 5.0x600s;10.0x600s");
}

TEST_CASE("stages of rates by hand") {
  CHECK(rate_stages("5.0x600s") == "{duration: 600 s, rate: 5 /s}");
  CHECK(rate_stages("1x2s;3x4s") == "{duration: 2 s, rate: 1 /s}, {duration: 4 s, rate: 3 /s}");
  for (const char* bad : {"", "5x", "5x600", "x600s", "5x600s;", "-1x600s"}) CHECK(rate_stages(bad).empty());
}

}  // namespace
}  // namespace silicast::testing
