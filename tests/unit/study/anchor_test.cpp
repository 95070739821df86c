// Anchors: runs of silicast's own with shifted scales are recovered; what a run does not tell stays; formats by hand.
#include <fmt/format.h>

#include "sim/study/anchors/fit_anchor.hpp"
#include "sim/study/anchors/least_squares.hpp"
#include "sim/study/validation/predict.hpp"
#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

using Catch::Matchers::Contains;

std::string scenario_text(const std::string& pool, int clients = 8, const std::string& keys = "") {
  return fmt::format(
      "name: s\nmodel: llama-3.1-8b\nworkload: {{closed_loop: {{concurrency: {}, requests: 64}}, prompt: "
      "{{distribution: "
      "fixed, tokens: 1500}}, output: {{distribution: fixed, tokens: 100}}}}\n{}"
      "cluster: {{pools: [{{name: main, node: atlas-800-a2, replicas: 1, {}}}]}}\n",
      clients, keys, pool);
}

// What the scenario gives, as a client of vLLM would write it.
std::string run_of(const std::string& scenario, const std::string& more = "") {
  ValidationCase one;
  one.question = ServeQuestion{};
  for (const char* metric : {"ttft_mean", "tpot_mean", "e2e_mean", "request_throughput", "output_throughput"})
    one.measured.push_back({metric, 1});
  const std::vector<double> values =
      predict(read_scenario(parse_config(scenario, "s.yaml"), "s.yaml", {kConfigs, {}}), one).values;
  return fmt::format(
      "{{\"date\": \"20261127-190000\", \"num_prompts\": 64, \"completed\": 64, \"request_rate\": \"inf\", "
      "\"mean_ttft_ms\": "
      "{}, \"mean_tpot_ms\": {}, \"mean_e2el_ms\": {}, \"request_throughput\": {}, \"output_throughput\": {}, "
      "\"total_input_tokens\": 96000, \"total_output_tokens\": 6400{}}}\n",
      1e3 * values[0], 1e3 * values[1], 1e3 * values[2], values[3], values[4], more);
}

Anchor anchor_of(const TempFolder& folder, const std::string& scenario, const std::string& run) {
  AnchorQuestion question;
  question.name = "own";
  question.run_file = write(folder, "run.json", run);
  question.scenario_path = write(folder, "s.yaml", scenario);
  question.source = {kConfigs, {}};
  question.run = read_measured_run(question.run_file);
  return fit_anchor(question);
}

double moved(const Anchor& anchor, AnchorScale scale) {
  for (const AnchorMove& move : anchor.moved)
    if (move.scale == scale) return move.to;
  FAIL(name_of(scale) << " stays");
  return 0;
}

bool stays(const Anchor& anchor, const std::string& scale) {
  for (const auto& [name, why] : anchor.not_moved)
    if (name == scale) return true;
  return false;
}

std::string refused(const std::string& scenario, const std::string& run) {
  const TempFolder folder;
  try {
    anchor_of(folder, scenario, run);
  } catch (const InputError& error) {
    const std::string message = error.what(), root = folder / "";
    return message.starts_with(root) ? message.substr(root.size()) : message;
  }
  return "no error";
}

TEST_CASE("a run with another maturity is recovered") {
  for (const double maturity : {0.15, 0.8}) {
    const TempFolder folder;
    const Anchor anchor = anchor_of(folder, scenario_text("engine: vllm"),
                                    run_of(scenario_text(fmt::format("engine: vllm, maturity: {}", maturity))));
    CHECK(moved(anchor, AnchorScale::kMaturity) == Approx(maturity).margin(0.02));
    CHECK(anchor.residuals[0].after == Approx(anchor.residuals[0].measured).epsilon(0.01));
    CHECK(anchor.residuals[0].before != Approx(anchor.residuals[0].measured).epsilon(0.05));
    for (const AnchorMove& other : anchor.moved)
      if (other.scale != AnchorScale::kMaturity) CHECK(other.to == Approx(other.from).epsilon(0.05));
  }
}

TEST_CASE("two figures tell two scales apart") {
  // Short prompts that come when they like, so that a request's way through the host is much of its TTFT.
  const auto text = [](const std::string& pool) {
    std::string all = scenario_text(pool);
    all.replace(all.find("tokens: 1500"), 12, "tokens: 60");
    all.replace(all.find("closed_loop: {concurrency: 8"), 28, "arrivals: {process: poisson, rate: 0.3 /s");
    return all;
  };
  std::string run = run_of(text("maturity: 0.3, engine: {base: vllm, host: {per_request: 12 ms}}"));
  run.replace(run.find("96000"), 5, "3840");
  const TempFolder folder;
  const Anchor anchor = anchor_of(folder, text("engine: vllm"), run);
  CHECK(moved(anchor, AnchorScale::kMaturity) == Approx(0.3).margin(0.03));
  CHECK(moved(anchor, AnchorScale::kPerRequest) == Approx(0.012).epsilon(0.03));
  CHECK(anchor.moved.size() == 2);
  CHECK(stays(anchor, "per_iteration"));
}

TEST_CASE("a run of the catalogue's own values moves nothing") {
  const TempFolder folder;
  const std::string scenario = scenario_text("engine: vllm");
  const Anchor anchor = anchor_of(folder, scenario, run_of(scenario));
  CHECK(moved(anchor, AnchorScale::kMaturity) == Approx(0.5).margin(1e-3));
  CHECK(anchor.measured.running.value() == Approx(8).epsilon(0.02));
  CHECK(anchor.running.low == Approx(2).epsilon(0.02));
  CHECK(anchor.prompt.high == Approx(6000));
  CHECK(anchor.date == "2026-11-27");
  CHECK(anchor.measured.family == "dense, grouped attention");
}

TEST_CASE("throughput alone moves one scale at most") {
  const TempFolder folder;
  std::string run = run_of(scenario_text("engine: vllm, maturity: 0.75"));
  for (const char* key : {"mean_ttft_ms", "mean_tpot_ms"}) run.replace(run.find(key), 4, "none");
  const Anchor anchor = anchor_of(folder, scenario_text("engine: vllm"), run);
  CHECK(anchor.moved.size() == 1);
  CHECK(moved(anchor, AnchorScale::kMaturity) == Approx(0.75).margin(0.03));
}

TEST_CASE("an anchor file reads as it was written, and moves the scenario to what was measured") {
  const TempFolder folder;
  const std::string scenario = scenario_text("engine: vllm");
  const Anchor anchor = anchor_of(folder, scenario, run_of(scenario_text("engine: vllm, maturity: 0.9")));
  write(folder, "anchors/own.yaml", write_anchor(anchor));
  const std::vector<Anchor> read = read_anchors(folder / "anchors");
  REQUIRE(read.size() == 1);
  CHECK(write_anchor(read[0]) == write_anchor(anchor));
  const auto at = [&](const std::string& pool, int clients) {
    return read_scenario(parse_config(scenario_text(pool, clients, "anchors: anchors\n"), folder / "s.yaml"),
                         folder / "s.yaml", {kConfigs, {}});
  };
  const Scenario same = at("engine: vllm", 8);
  CHECK(same.pools[0].badge.kind == BadgeKind::kMeasured);
  CHECK(same.pools[0].badge.reason == "by anchor own of 2026-11-27");
  CHECK(same.pools[0].maturity == moved(anchor, AnchorScale::kMaturity));
  CHECK(at("engine: vllm", 16).pools[0].badge.kind == BadgeKind::kAnchored);
  const Scenario far = at("engine: vllm", 200);
  CHECK(far.pools[0].badge.kind == BadgeKind::kEstimated);
  CHECK(far.pools[0].maturity == 0.5);
  CHECK_THAT(far.pools[0].badge.reason, Contains("anchor own: 200 requests at once on a replica, beyond its "));
  CHECK(at("engine: mindie", 8).pools[0].badge.reason == "anchor own: its engine is vllm, not mindie");
  CHECK(at("engine: vllm, maturity: tuned", 8).pools[0].badge.reason == "anchor own: the pool sets maturity itself");
}

TEST_CASE("a run of another scenario is refused") {
  const std::string scenario = scenario_text("engine: vllm"), run = run_of(scenario);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string other = run;
    other.replace(other.find(from), from.size(), to);
    return other;
  };
  CHECK(refused(scenario, with("96000", "64000")) ==
        "run.json: the run has 1000 prompt tokens a request, the scenario 1500; is it the scenario of this run?");
  CHECK(refused(scenario, with("\"inf\"", "\"inf\", \"max_concurrency\": 16")) ==
        "run.json: the run has 16 clients, the scenario 8; is it the scenario of this run?");
  CHECK(refused(scenario, with("\"completed\": 64", "\"completed\": 60")) ==
        "run.json: completed: 4 of 64 requests failed; an anchor needs a run that served all of them");
  CHECK_THAT(refused(scenario, with("\"mean_tpot_ms\": ", "\"mean_tpot_ms\": 1")),
             Contains("no stack within its evidence makes it less than"));
  CHECK(refused(scenario, "{\"mean\": 1}") ==
        "run.json: is no result of a benchmark that is known: vLLM's and SGLang's have 'mean_ttft_ms', GuideLLM's "
        "'benchmarks', AIPerf's 'time_to_first_token'");
}

MeasuredRun run_from(const std::string& name, const std::string& text, std::optional<std::int64_t> which = {}) {
  const TempFolder folder;
  return read_measured_run(write(folder, name, text), which);
}

TEST_CASE("SGLang writes a line for each run, with bare words that are no JSON") {
  const std::string line =
      "{\"backend\": \"sglang\", \"request_rate\": Infinity, \"max_concurrency\": 16, \"completed\": 100, "
      "\"total_input_tokens\": 51200, \"total_output_tokens\": 12800, \"mean_ttft_ms\": 80.5, \"mean_tpot_ms\": 9, "
      "\"mean_e2e_latency_ms\": 1200, \"output_throughput\": 1500, \"accept_length\": NaN, \"note\": \"a "
      "\\\"NaN\\\"\"}\n";
  const MeasuredRun run = run_from("r.jsonl", line);
  CHECK(run.format == "sglang");
  CHECK(run.figure("ttft_mean")->value == Approx(0.0805));
  CHECK(run.figure("e2e_mean")->value == Approx(1.2));
  CHECK(run.prompt == 512);
  CHECK(run.output == 128);
  CHECK(run.concurrency == 16);
  CHECK_FALSE(run.rate);
  CHECK_THROWS_WITH(run_from("r.jsonl", line + line), Contains("holds 2 runs; choose one by --run 1 to 2"));
  CHECK_THROWS_WITH(run_from("r.jsonl", line + line, 3), Contains("has no run 3: it holds 2"));
  CHECK(run_from("r.jsonl", line + line, 2).figure("tpot_mean")->value == Approx(0.009));
}

TEST_CASE("GuideLLM nests its figures, and its inter-token latency is a TPOT") {
  const MeasuredRun run = run_from(
      "benchmarks.json",
      R"({"benchmarks": [{"args": {"strategy": {"type_": "concurrent", "streams": 4}}, "start_time": 1795806000.5,
      "metrics": {"request_totals": {"successful": 50, "errored": 0}, "requests_per_second": {"successful": {"mean": 2.5}},
      "time_to_first_token_ms": {"successful": {"mean": 41, "median": 40, "percentiles": {"p99": 90}}},
      "inter_token_latency_ms": {"successful": {"mean": 11}}, "time_per_output_token_ms": {"successful": {"mean": 99}},
      "request_latency": {"successful": {"mean": 1.5}}, "output_tokens_per_second": {"successful": {"mean": 320}},
      "prompt_token_count": {"successful": {"mean": 256}}, "output_token_count": {"successful": {"mean": 128}}}}]})");
  CHECK(run.format == "guidellm");
  CHECK(run.date == "2026-11-27");
  CHECK(run.figure("ttft_p99")->value == Approx(0.09));
  CHECK(run.figure("tpot_mean")->value == Approx(0.011));
  CHECK(run.figure("e2e_mean")->value == Approx(1.5));
  CHECK(run.requests == 50);
  CHECK(run.concurrency == 4);
}

TEST_CASE("AIPerf's figures carry their units") {
  const std::string text =
      R"({"input_config": {"loadgen": {"concurrency": 8, "request_rate": null}}, "start_time": "2026-10-02T08:00:00",
      "request_count": {"unit": "requests", "avg": 80}, "time_to_first_token": {"unit": "ms", "avg": 55, "p50": 50},
      "inter_token_latency": {"unit": "ms", "avg": 12.5}, "output_token_throughput": {"unit": "tokens/sec", "avg": 640},
      "input_sequence_length": {"avg": 550}, "output_sequence_length": {"avg": 150}})";
  const MeasuredRun run = run_from("profile_export_aiperf.json", text);
  CHECK(run.format == "aiperf");
  CHECK(run.date == "2026-10-02");
  CHECK(run.figure("ttft_median")->value == Approx(0.05));
  CHECK(run.figure("tpot_mean")->value == Approx(0.0125));
  CHECK(run.prompt == 550);
  std::string seconds = text;
  seconds.replace(seconds.find("\"ms\""), 4, "\"s\"");
  CHECK_THROWS_WITH(run_from("p.json", seconds), Contains("time_to_first_token.unit: is 's', not ms"));
}

TEST_CASE("changes are told apart down to the least") {
  // The second is nearly along the first, the third too small, the fourth its own.
  const Independent found = independent({{1, 0}, {0.9, 0.1}, {0, 0.01}, {0.1, 0.5}}, 0.02, 0.25);
  CHECK(found.chosen == std::vector<std::size_t>{0, 3});
  CHECK(found.norms[3] == Approx(std::hypot(0.1, 0.5)));
}

TEST_CASE("a fit stays in the unit cube and finds what is inside it") {
  const auto line = [](double a, double b) {
    return [=](const std::vector<double>& x) { return std::vector<double>{x[0] - a, 2 * (x[0] + x[1]) - 2 * (a + b)}; };
  };
  const std::vector<double> inside = least_squares(line(0.3, 0.6), {0.5, 0.5});
  CHECK(inside[0] == Approx(0.3).margin(2e-3));
  CHECK(inside[1] == Approx(0.6).margin(2e-3));
  const std::vector<double> edge = least_squares(line(-0.5, 0.6), {0.5, 0.5});
  CHECK(edge[0] == Approx(0).margin(1e-6));
  CHECK(edge[1] == Approx(0.1).margin(2e-3));  // the second residual alone
}

}  // namespace
}  // namespace silicast::testing
