// Running cases and judging them: the same at any number of threads, refusals are counted, bounds by hand.
#include "sim/study/validation/validate.hpp"

#include <fmt/format.h>

#include <cmath>

#include "sim/study/validation/bounds.hpp"
#include "sim/study/validation/error_table.hpp"
#include "sim/study/validation/predict.hpp"
#include "sim/study/validation/report_writer.hpp"
#include "sim/study/validation/served_requests.hpp"
#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

using Catch::Matchers::Contains;

std::string case_text(const std::string& model, int clients, const std::string& measured) {
  return "name: c\nmodel: " + model + "\nworkload: {closed_loop: {concurrency: " + std::to_string(clients) +
         ", requests: 20}, prompt: {distribution: fixed, tokens: 200}, output: {distribution: fixed, tokens: 10}}\n" +
         "cluster: {pools: [{name: main, node: hgx-h100, replicas: 1, engine: {base: vllm, host: {per_request: 0 "
         "s}}}]}\nsource: us\nmeasured: " +
         measured + "\n";
}

ValidationOptions options_for(const TempFolder& folder) {
  return {kConfigs, {folder / ""}, {"a.yaml", "case-*.yaml", "good.yaml", "unknown.yaml"}, {}, 1};
}

TEST_CASE("figures of served requests by hand") {
  // Two requests: 0 to 3 s, first token at 1, 5 tokens; 1 to 4 s, first token at 3.5, 2 tokens.
  const ServedRequests served({{0, 1, 3, 100, 5, 0.25}, {1, 3.5, 4, 300, 2}}, {});
  CHECK(served.value_of("ttft_mean") == Approx(1.75));  // 1, 2.5
  CHECK(served.value_of("ttft_p90") == Approx(2.35));
  CHECK(served.value_of("tpot_mean") == Approx(0.5));  // 2 / 4, 0.5 / 1
  CHECK(served.value_of("itl_mean") == Approx(0.5));   // 2.5 s in 5 gaps
  CHECK(served.value_of("transfer_mean") == Approx(0.75));  // of the one that was handed on
  CHECK(served.value_of("e2e_median") == Approx(3));
  CHECK(served.value_of("makespan") == 4);
  CHECK(served.value_of("output_throughput") == Approx(7.0 / 4));
  CHECK(served.value_of("total_throughput") == Approx(407.0 / 4));
  CHECK(served.value_of("request_throughput") == Approx(0.5));
}

TEST_CASE("the first requests and those outside of a time do not count") {
  const TempFolder folder;
  // Answers of unlike lengths, so that only the first prompts come together.
  std::string text = case_text("llama-3.1-8b", 4, "{ttft_mean: 1 s}");
  text.replace(text.find("fixed, tokens: 10"), 17, "geometric, mean: 30");
  write(folder, "a.yaml", text);
  const ValidationReport report = validate(options_for(folder));
  const Scenario scenario = read_scenario(report.files.cases[0].scenario, "a.yaml", {kConfigs, {}});
  const ServedRequests all = serve_scenario(scenario, {});
  ServeQuestion late;
  late.skip = 4;  // those of the burst at the start
  CHECK(serve_scenario(scenario, late).value_of("ttft_mean") < all.value_of("ttft_mean"));
  CHECK(all.value_of("ttft_mean") == report.results[0].comparisons[0].predicted);
  late.from = 1e6;
  CHECK_THROWS_WITH(serve_scenario(scenario, late), "no request arrives in the measured time");
}

TEST_CASE("a report is the same at any number of threads") {
  const TempFolder folder;
  for (int i = 1; i <= 9; ++i)
    write(folder, fmt::format("case-{}.yaml", i), case_text("llama-3.1-8b", i, "{ttft_mean: 50 ms, tpot_mean: 8 ms}"));
  ValidationOptions options = options_for(folder);
  const std::string alone = report_json(validate(options), {});
  options.threads = 4;
  CHECK(report_json(validate(options), {}) == alone);
}

TEST_CASE("a scenario that is refused is counted with the reason, a bad setting is the user's mistake") {
  const TempFolder folder;
  write(folder, "good.yaml", case_text("llama-3.1-8b", 1, "{tpot_mean: 8 ms}"));
  write(folder, "unknown.yaml", case_text("llama-99", 1, "{tpot_mean: 8 ms}"));
  ValidationOptions options = options_for(folder);
  const ValidationReport report = validate(options);
  REQUIRE(report.results.size() == 2);
  CHECK(report.results[0].unsupported.empty());
  CHECK_THAT(report.results[1].unsupported, Contains("unknown model 'llama-99'"));
  const std::vector<UnsupportedReason> reasons = unsupported_reasons(report);
  REQUIRE(reasons.size() == 1);
  CHECK(reasons[0].cases == 1);
  options.settings = {"cluster.pools.0.engine.host.per_iteration=fast"};
  CHECK_THROWS_WITH(validate(options), Contains("--set cluster.pools.0.engine.host.per_iteration=fast"));
}

TEST_CASE("settings reach every scenario") {
  const TempFolder folder;
  write(folder, "a.yaml", case_text("llama-3.1-8b", 1, "{tpot_mean: 8 ms}"));
  ValidationOptions options = options_for(folder);
  const double before = validate(options).results[0].comparisons[0].predicted;
  options.settings = {"cluster.pools.0.engine.host.per_iteration=50ms"};
  CHECK(validate(options).results[0].comparisons[0].predicted > before + 0.03);
}

TEST_CASE("patterns choose by part, id, group and labels; commas ask for all of them") {
  ValidationCase one;
  one.part = "closed_loop", one.id = "rows.csv:7", one.group = "g";
  one.labels = {"llama-3.1-70b", "h200", "vllm", "fp8/fp8/fp8"};
  CHECK(is_chosen(one, {}));
  CHECK(is_chosen(one, {"h200"}));
  CHECK(is_chosen(one, {"closed_loop,h200,llama-*"}));
  CHECK_FALSE(is_chosen(one, {"closed_loop,h100"}));
  CHECK(is_chosen(one, {"closed_loop,h100", "rows.csv:*"}));
  CHECK_FALSE(is_chosen(one, {"h200,saturated"}));
  CHECK(is_chosen(one, {"h200,saturated"}, "saturated"));
}

TEST_CASE("bounds are judged over the cases and metrics that they name") {
  ValidationCase about;
  about.part = "closed_loop";
  const auto result = [&](const std::string& chip, double error) {
    CaseResult one;
    one.about = &about;
    one.labels.chip = chip;
    one.comparisons = {{"tpot_mean", 1, 1 + error, error}, {"ttft_mean", 1, 9, 8}};
    return one;
  };
  const ClaimedBounds claimed = ClaimedBounds::of(ConfigValue::from_text(R"(
calibrated: [closed_loop]
bounds:
  - {name: median, cases: [h200], metrics: [tpot_*], figure: median, at_most: 0.2}
  - {name: mean, cases: [h200], metrics: [tpot_mean], figure: mean, at_most: 0.2}
  - {name: nothing, cases: [a100], metrics: [tpot_mean], figure: mean, at_most: 0.2}
)",
                                                                         "bounds.yaml"));
  const std::vector<BoundResult> judged =
      claimed.judge({result("h200", 0.1), result("h200", -0.2), result("h200", 0.6), result("h100", 5)});
  REQUIRE(judged.size() == 3);
  CHECK(*judged[0].value == Approx(0.2));
  CHECK_FALSE(judged[0].broken());
  CHECK(*judged[1].value == Approx(0.3));
  CHECK(judged[1].broken());
  CHECK(judged[2].cases == 0);
  CHECK_FALSE(judged[2].broken());
  CHECK(claimed.calibrates(about));
}

TEST_CASE("bad bounds are named by file, line and key") {
  const auto says = [](const std::string& keys) {
    try {
      ClaimedBounds::of(
          ConfigValue::from_text("calibrated: []\nbounds:\n  - {name: a, cases: [], " + keys + "}\n", "b.yaml"));
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  CHECK_THAT(says("metrics: [tpot], figure: mean, at_most: 0.1"),
             Contains("b.yaml:3:36: bounds[0].metrics[0]: no metric is called 'tpot'"));
  CHECK_THAT(says("metrics: [tpot_mean], figure: mode, at_most: 0.1"),
             Contains("bounds[0].figure: unknown figure 'mode'"));
  CHECK_THAT(says("metrics: [tpot_mean], figure: mean, at_most: -1"), Contains("bounds[0].at_most: "));
}

TEST_CASE("groups count once in a view, however many cases they have") {
  ValidationReport report;
  report.files.cases.resize(4);
  const double errors[] = {0.5, 0.5, 0.5, -0.1};
  for (std::size_t i = 0; i < 4; ++i) {
    report.files.cases[i].group = i < 3 ? "many" : "few";
    CaseResult one;
    one.about = &report.files.cases[i];
    one.labels.chip = "h200";
    one.comparisons = {{"tpot_mean", 1, 1 + errors[i], errors[i]}, {"tpot_p99", 1, 9, 8}};
    report.results.push_back(one);
  }
  const std::vector<ErrorRow> rows = error_rows(report, ErrorView::kChip);
  REQUIRE(rows.size() == 2);  // tails stand apart
  CHECK(rows[0].of == "h200");
  CHECK(rows[0].metric_class == MetricClass::kTpot);
  CHECK(rows[0].errors.cases == 4);
  CHECK(rows[0].errors.groups == 2);
  CHECK(rows[0].errors.median == Approx(0.3));  // of 0.5 and 0.1
  CHECK(rows[1].metric_class == MetricClass::kTail);
}

TEST_CASE("the load of a run is told by its TTFT against a lone prefill") {
  const TempFolder folder;
  write(folder, "a.yaml", case_text("llama-3.1-8b", 1, "{ttft_mean: 1 s}"));
  const ValidationReport slow = validate(options_for(folder));
  CHECK(slow.results[0].load == "saturated");
  const double alone = slow.results[0].comparisons[0].predicted;  // one client never waits
  write(folder, "a.yaml", case_text("llama-3.1-8b", 1, fmt::format("{{ttft_mean: {} s}}", 2.5 * alone)));
  CHECK(validate(options_for(folder)).results[0].load == "unsaturated");
}

}  // namespace
}  // namespace silicast::testing
