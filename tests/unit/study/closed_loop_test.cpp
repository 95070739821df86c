// Closed-loop rows and sweeps: what becomes of a row, which cannot be asked and why, what is said of bad ones.
#include <fmt/format.h>

#include "sim/run/scenario.hpp"
#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

const std::string kHeader =
    "id,model_path,system,backend,backend_version,gemm_quant_mode,mode,isl,osl,concurrency,tp_size,attention_dp_size,"
    "moe_ep_size,silicon_ttft_ms,silicon_tpot_ms\n";
const std::string kRow = "a,meta-llama/Llama-3.1-70B,h200_sxm,vllm,0.12.0,fp8,agg,1000,500,8,2,1,1,120.5,13.25\n";

std::vector<ValidationCase> rows(const std::string& text) {
  return cases_of(read_closed_loop, "rows.csv", kHeader + text);
}

Scenario scenario_of(const ValidationCase& one) {
  return read_scenario(one.scenario, one.scenario_path, {kConfigs, {}});
}

std::string replaced(std::string text, const std::string& old, const std::string& with) {
  REQUIRE(text.find(old) != std::string::npos);
  return text.replace(text.find(old), old.size(), with);
}

TEST_CASE("a row is a scenario of one replica and two measured values") {
  const std::vector<ValidationCase> cases = rows(kRow);
  REQUIRE(cases.size() == 1);
  const ValidationCase& one = cases[0];
  CHECK(one.part == "closed_loop");
  CHECK(one.id == "rows.csv:2");
  CHECK(one.unsupported.empty());
  CHECK(one.group == "h200 llama-3.1-70b vllm-0.12 fp8/fp8/fp8");
  CHECK(measured(one, "ttft_mean") == Approx(0.1205));
  CHECK(measured(one, "tpot_mean") == Approx(0.01325));
  const Scenario scenario = scenario_of(one);
  CHECK(scenario.model.name == "llama-3.1-70b");
  CHECK(scenario.pools[0].node.name == "hgx-h200");
  CHECK(scenario.pools[0].plan.tensor == 2);
  CHECK(scenario.pools[0].replicas == 1);
  CHECK(scenario.pools[0].engine.name == "vllm-0.12");
  CHECK(scenario.workload_info.requests == 80);  // ten for each of 8 clients
  // Uniform from 800 to 1000 and from 400 to 500.
  CHECK(*scenario.workload_info.mean_prompt == Approx(900));
  CHECK(*scenario.workload_info.mean_output == Approx(450));
}

TEST_CASE("formats follow the most specific name: model and engine, engine, format alone") {
  CHECK(rows(kRow)[0].labels.precision == "fp8/fp8/fp8");
  CHECK(rows(replaced(kRow, "vllm,0.12.0", "trtllm,1.0"))[0].labels.precision == "fp8/fp8/fp8");
  CHECK(rows(replaced(kRow, "vllm,0.12.0", "sglang,0.5"))[0].labels.precision == "fp8/fp8/bf16");
  CHECK(rows(replaced(kRow, "fp8,agg", ",agg"))[0].labels.precision == "bf16/bf16/bf16");
}

TEST_CASE("attention in data parallel and experts become a layout") {
  const ConfigNode tree = rows(replaced(kRow, "8,2,1,1,", "8,2,4,8,"))[0].scenario;
  const ConfigNode& layout = tree.find("cluster")->value.find("pools")->value.items[0].find("layout")->value;
  CHECK(to_yaml(layout) == "tensor: 2\ndata: 4\nexpert: 8\n");
}

TEST_CASE("a disaggregated row is a scenario of two pools") {
  std::string header = kHeader, row = replaced(kRow, "agg,1000", "disagg,1000");
  header.insert(header.size() - 1,
                ",prefill_num_workers,prefill_tp_size,prefill_attention_dp_size,prefill_moe_tp_size,prefill_moe_ep_size,"
                "decode_num_workers,decode_tp_size,decode_attention_dp_size,decode_moe_tp_size,decode_moe_ep_size");
  row.insert(row.size() - 1, ",2,8,1,1,8,5,1,8,1,8");
  const ValidationCase one = cases_of(read_closed_loop, "rows.csv", header + row)[0];
  INFO(one.unsupported);
  REQUIRE(one.unsupported.empty());
  CHECK(one.group == "h200 llama-3.1-70b vllm-0.12 fp8/fp8/fp8 disaggregated");
  const ConfigNode& pools = one.scenario.find("cluster")->value.find("pools")->value;
  REQUIRE(pools.items.size() == 2);
  const auto pool = [&](std::size_t i, const char* key) { return to_yaml(pools.items[i].find(key)->value); };
  CHECK(pool(0, "role") == "prefill\n");
  CHECK(pool(0, "replicas") == "2\n");
  CHECK(pool(0, "nodes") == "2\n");
  CHECK(pool(0, "layout") == "tensor: 8\nexpert: 8\n");
  CHECK(pool(1, "role") == "decode\n");
  CHECK(pool(1, "replicas") == "5\n");
  CHECK(pool(1, "nodes") == "5\n");
  CHECK(pool(1, "layout") == "tensor: 1\ndata: 8\nexpert: 8\n");
}

TEST_CASE("a row that cannot be asked says why") {
  const auto reason = [&](const std::string& old, const std::string& with) {
    return rows(replaced(kRow, old, with))[0].unsupported;
  };
  CHECK(reason("agg,1000,500,8,2,1,1", "disagg,1000,500,8,,,") ==
        "how many replicas prefill and decode is not stated");
  CHECK(reason("h200_sxm", "x100") == "hardware 'x100' is not in configs/validation/names.yaml");
  CHECK(reason("meta-llama/", "mistral/") == "model 'mistral/Llama-3.1-70B' is not in configs/validation/names.yaml");
  CHECK(reason("vllm", "lmdeploy") == "engine 'lmdeploy' is not in configs/validation/names.yaml");
  CHECK(reason("fp8", "fp5") == "precision 'fp5' is not in configs/validation/names.yaml");
}

TEST_CASE("a bad closed-loop table is named to the cell") {
  const auto says = [&](const std::string& text) { return message_of(read_closed_loop, "rows.csv", text); };
  CHECK(says(replaced(kHeader, "isl", "input")) ==
        "rows.csv:1: no column 'isl' in the header; did you mean 'osl'? (known: id, model_path, system, backend, "
        "backend_version, "
        "gemm_quant_mode, mode, input, osl, concurrency, tp_size, attention_dp_size, moe_ep_size, silicon_ttft_ms, "
        "silicon_tpot_ms)");
  CHECK(says(kHeader + replaced(kRow, "agg", "both")) == "rows.csv:2:53: mode: 'both' is neither agg nor disagg");
  CHECK(says(kHeader + replaced(kRow, "1000", "0")) ==
        "rows.csv:2:57: isl: '0' is not a whole number from 1 to 10000000");
  CHECK(says(kHeader + replaced(kRow, ",8,2,", ",8,,")) == "rows.csv:2:68: tp_size: is empty");
  CHECK(says(kHeader + replaced(kRow, "13.25", "fast")) == "rows.csv:2:80: silicon_tpot_ms: 'fast' is not a number");
}

const std::string kSweepHeader =
    "model,hardware,engine,parallelism,spec_decode,isl,osl,concurrency,num_prompts,completed,request_throughput_rps,"
    "input_throughput_tps,output_throughput_tps,ttft_median_ms,ttft_p99_ms,tpot_median_ms,tpot_p99_ms,e2e_median_ms,"
    "e2e_p99_ms,date\n";
const std::string kSweepRow =
    "meta-llama/Llama-3.1-70B,h200_sxm,vllm,TP4,,1024,128,4,40,40,1.5,1536,192,700,900,15,17,2600,2900,20260214\n";

TEST_CASE("a sweep's row has medians, tails and rates; its lengths are as uneven as its token rates say") {
  const ValidationCase fixed = cases_of(read_sweep, "s.csv", kSweepHeader + kSweepRow)[0];
  CHECK(fixed.unsupported.empty());
  CHECK(measured(fixed, "tpot_median") == Approx(0.015));
  CHECK(measured(fixed, "e2e_p99") == Approx(2.9));
  CHECK(measured(fixed, "output_throughput") == 192);
  CHECK(*scenario_of(fixed).workload_info.mean_prompt == Approx(1024));  // 1536 / 1.5
  const ValidationCase uneven = cases_of(read_sweep, "s.csv", kSweepHeader + replaced(kSweepRow, "1536", "1382"))[0];
  CHECK(*scenario_of(uneven).workload_info.mean_prompt == Approx(0.9 * 1024).epsilon(0.001));
}

TEST_CASE("a sweep's row that cannot be asked says why") {
  const auto reason = [&](const std::string& old, const std::string& with) {
    return cases_of(read_sweep, "s.csv", kSweepHeader + replaced(kSweepRow, old, with))[0].unsupported;
  };
  CHECK(reason("40,40", "40,39") == "not all requests completed");
  CHECK(reason("TP4,,", "TP4,mtp:1,") == "speculation whose acceptance is not stated");
  CHECK(reason("TP4", "TP4 PCP2") == "layout 'TP4 PCP2': 'PCP2' is not modelled");
}

}  // namespace
}  // namespace silicast::testing
