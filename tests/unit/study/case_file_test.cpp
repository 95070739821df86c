// Case files: a scenario with what was measured, and every mistake in one.
#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

const std::string kScenario = R"(name: published
model: llama-3.1-8b
workload:
  closed_loop: {concurrency: 4, requests: 40}
  prompt: {distribution: fixed, tokens: 100}
  output: {distribution: fixed, tokens: 20}
cluster:
  pools:
    - {name: main, node: hgx-h100, replicas: 1, engine: vllm}
source: "somebody, table 3"
)";

TEST_CASE("measured values are quantities of their metric's dimension") {
  const ValidationCase one = cases_of(read_case_file, "case.yaml", kScenario + R"(group: ours
calibrates: true
measured: {ttft_mean: 120 ms, output_throughput: 512 token/s, request_throughput: 2 /s, makespan: 1 min}
bounds: {ttft_mean: 0.1}
)")[0];
  CHECK(one.id == "case.yaml");
  CHECK(one.group == "ours");
  CHECK(one.calibrates);
  CHECK(measured(one, "ttft_mean") == Approx(0.12));
  CHECK(measured(one, "output_throughput") == 512);
  CHECK(measured(one, "request_throughput") == 2);
  CHECK(measured(one, "makespan") == 60);
  REQUIRE(one.bounds.size() == 1);
  CHECK(one.bounds[0].metric == "ttft_mean");
  CHECK(one.scenario.find("measured") == nullptr);
  CHECK(one.scenario.find("workload") != nullptr);
}

TEST_CASE("one iteration can be measured instead of a run") {
  const ValidationCase decode =
      cases_of(read_case_file, "c.yaml",
               kScenario + "iteration: {sequences: 64, context: 4096}\nmeasured: {iteration_time: 9 ms}\n")[0];
  const auto& question = std::get<IterationQuestion>(decode.question);
  CHECK(question.batch.decode_sequences == 64);
  CHECK(question.batch.kv_length == 4096);
  const ValidationCase prefill =
      cases_of(read_case_file, "c.yaml",
               kScenario + "iteration: {prompt: 512, prompts: 4}\nmeasured: {iteration_time: 9 ms}\n")[0];
  CHECK(std::get<IterationQuestion>(prefill.question).prompts == 4);
}

TEST_CASE("a mistake in a case file is named by file, line, column and key") {
  const auto says = [](const std::string& text) { return message_of(read_case_file, "c.yaml", kScenario + text); };
  CHECK(says("measured: {}\n") == "c.yaml:11:11: measured: nothing is measured");
  CHECK(says("measured: {ttft: 1 s}\n").starts_with("c.yaml:11:18: measured.ttft: is no metric"));
  CHECK(says("measured: {ttft_mean: 120}\n") ==
        "c.yaml:11:23: measured.ttft_mean: '120' needs a unit (one of: ns, us, ms, s, min, h, d, month, year)");
  CHECK(says("measured: {output_throughput: 5 /s}\n") ==
        "c.yaml:11:31: measured.output_throughput: '5 /s' has an unknown unit '/s' (known: token/s, tokens/s, tok/s)");
  CHECK(says("measured: {ttft_mean: 1 s}\nbounds: {tpot_mean: 0.1}\n") ==
        "c.yaml:12:21: bounds.tpot_mean: is bounded but not measured");
  CHECK(says("measured: {iteration_time: 9 ms}\n") ==
        "c.yaml:11:11: measured: iteration_time is not measured of a run of requests");
  CHECK(says("iteration: {prompt: 8}\nmeasured: {ttft_mean: 9 ms}\n") ==
        "c.yaml:12:11: measured: ttft_mean is not measured of one iteration");
  CHECK(says("measured: {ttft_mean: 1 s}\ncalibrates: perhaps\n").starts_with("c.yaml:12:13: calibrates: "));
}

}  // namespace
}  // namespace silicast::testing
