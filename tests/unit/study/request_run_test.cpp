// The folder of a run: its statistics by hand, its settings, its workload replayed.
#include "sim/run/scenario.hpp"
#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

const std::string kMeta = R"({"model": "meta-llama/Llama-3.1-8B", "vllm_version": "0.19.0", "tick_seconds": 1.0,
 "engine_kwargs": {"tensor_parallel_size": 1, "data_parallel_size": 1, "enable_expert_parallel": false, "max_num_seqs": 128,
  "max_num_batched_tokens": 2048, "max_model_len": null, "dtype": "bfloat16", "kv_cache_dtype": "auto"}})";
const std::string kRequests =
    "request_id,queued_s,last_token_s,ttft_ms,tpot_ms,e2e_ms\n"
    "a,0.0,2.0,100,10,2000\nb,1.0,4.0,300,20,3000\nc,1.5,2.0,200,,500\n";
const std::string kWorkload =
    "{\"input_toks\":30,\"output_toks\":20,\"arrival_time_ns\":5000000,\"hash_ids\":[0,1]}\n"
    "{\"input_toks\":50,\"output_toks\":10,\"arrival_time_ns\":1005000000,\"hash_ids\":[]}\n";

// The folder's name says the machine.
ValidationCase run(const TempFolder& folder, const std::string& requests = kRequests, const std::string& meta = kMeta) {
  const std::string name = "RTXPRO6000_test/";
  write(folder, name + "requests.csv", requests);
  write(folder, name + "meta.json", meta);
  write(folder, name + "workload.jsonl", kWorkload);
  write(folder, name + "timeseries.csv", "t,running,waiting\n1.0,2,0\n2.0,1,1\n");
  CaseFiles files;
  read_cases(folder / "", context(), files);
  REQUIRE(files.cases.size() == 1);
  return files.cases[0];
}

TEST_CASE("statistics of a run's requests by hand") {
  const TempFolder folder;
  const ValidationCase one = run(folder);
  CHECK(one.part == "request_run");
  CHECK(one.id == "RTXPRO6000_test");
  CHECK(measured(one, "ttft_mean") == Approx(0.2));
  CHECK(measured(one, "ttft_median") == Approx(0.2));
  CHECK(measured(one, "ttft_p90") == Approx(0.28));    // 0.8 of the way from 200 to 300
  CHECK(measured(one, "tpot_mean") == Approx(0.015));  // the request of one token has none
  CHECK(measured(one, "e2e_median") == Approx(2));
  CHECK(measured(one, "makespan") == 4);
  const auto& question = std::get<ServeQuestion>(one.question);
  REQUIRE(question.measured_curve.size() == 2);
  CHECK(question.measured_curve[1].time == 2);
  CHECK(question.measured_curve[1].waiting == 1);
}

TEST_CASE("a run's workload is replayed with its engine's limits") {
  const TempFolder folder;
  const ValidationCase one = run(folder);
  const Scenario scenario = read_scenario(one.scenario, one.scenario_path, {kConfigs, {}});
  CHECK(scenario.pools[0].chip.name == "rtx-pro-6000");
  CHECK(scenario.pools[0].engine.limits().max_sequences == 128);
  CHECK(scenario.pools[0].engine.limits().max_batched_tokens == 2048);
  CHECK(scenario.workload_info.requests == 2);
  CHECK(*scenario.workload_info.mean_prompt == 40);
  CHECK(scenario.window.mode == MeasureWindow::Mode::kNone);
}

TEST_CASE("what is wrong with a run's files is named") {
  const auto says = [](const std::string& requests, const std::string& meta) {
    const TempFolder folder;
    try {
      run(folder, requests, meta);
    } catch (const InputError& error) {
      return std::string(error.what()).substr((folder / "RTXPRO6000_test/").size());
    }
    return std::string("no error");
  };
  CHECK(says("queued_s,ttft_ms\n", kMeta) ==
        "requests.csv:1: no column 'last_token_s' in the header (known: queued_s, ttft_ms)");
  CHECK(says("queued_s,last_token_s,ttft_ms,tpot_ms,e2e_ms\nx,1,1,1,1\n", kMeta) ==
        "requests.csv:2:1: queued_s: is not a number");
  CHECK(says("queued_s,last_token_s,ttft_ms,tpot_ms,e2e_ms\n", kMeta) ==
        "requests.csv:1: ttft_ms: no request has a value");
  CHECK(says(kRequests, R"({"model": "m", "engine_kwargs": {}})") == "meta.json:1:1: missing key 'vllm_version'");
}

}  // namespace
}  // namespace silicast::testing
