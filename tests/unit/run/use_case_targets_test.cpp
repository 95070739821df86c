// What a scenario in users takes from its use cases and says of them.
#include "sim/run/use_case_targets.hpp"

#include <algorithm>

#include "scenario_for_tests.hpp"
#include "sim/run/explain.hpp"
#include "sim/run/simulation.hpp"

namespace silicast::testing {
namespace {

using Catch::Matchers::Contains;

const std::string kUsers = R"(
name: users
model: llama-3.1-8b
max_context: 32768
workload: {users: 2000, use_case: chat, requests: 40}
cluster:
  pools:
    - {name: main, node: hgx-h100, layout: {tensor: 2}, engine: vllm}
)";

bool has_note(const std::vector<std::string>& notes, const std::string& start) {
  return std::any_of(notes.begin(), notes.end(), [&](const std::string& note) { return note.starts_with(start); });
}

TEST_CASE("a scenario that states no targets has those of its use case") {
  const Scenario scenario = read(kUsers);
  REQUIRE(scenario.classes.size() == 1);
  const Targets& targets = scenario.classes[0].targets;
  CHECK(targets.ttft == 2);
  CHECK(targets.tpot == Approx(0.05));
  REQUIRE(targets.percentiles.size() == 2);
  CHECK(targets.percentiles[0].name() == "ttft_p99");
  CHECK(has_note(scenario.notes, "targets are those of chat: ttft_p99 2.00 s (500 ms to 5.00 s), tpot_p99 50.0 ms ("));
  CHECK(has_note(scenario.notes, "2000 users of chat ask "));
}

TEST_CASE("targets of the scenario or of a class, given or given as none, stay") {
  CHECK(read(kUsers, {"targets={ttft_p50: 1 s}"}).classes[0].targets.percentiles.size() == 1);
  CHECK_FALSE(read(kUsers, {"targets={}"}).classes[0].targets.any_per_request());
  CHECK(read(kUsers, {"classes={a: {targets: {e2e: 9 s}}}"}).classes[0].targets.e2e == 9);
}

TEST_CASE("each class has the targets of its own use case") {
  const Scenario scenario = read(kUsers, {"classes={people: {}, jobs: {}}",
                                          "workload={merge: [{users: 2000, use_case: chat, requests: 4}, "
                                          "{users: 10, use_case: batch, requests: 4, class: jobs}]}"});
  CHECK(scenario.classes[0].targets.ttft == 2);
  CHECK(scenario.classes[1].targets.e2e == 3600);
  CHECK(has_note(scenario.notes, "targets of class jobs are those of batch: e2e_p99 "));
}

TEST_CASE("no targets are taken where other requests are among those of a use case") {
  const std::string other =
      "{arrivals: {process: fixed, rate: 1 /s, requests: 2}, prompt: {distribution: fixed, tokens: 9}, "
      "output: {distribution: fixed, tokens: 9}}";
  for (const std::string& merged : {other, std::string("{users: 5, use_case: rag, requests: 4}")}) {
    const Scenario scenario =
        read(kUsers, {"workload={merge: [{users: 2000, use_case: chat, requests: 4}, " + merged + "]}"});
    CHECK_FALSE(scenario.classes[0].targets.any_per_request());
    CHECK(has_note(scenario.notes, "targets of class all: none is taken from chat"));
  }
}

TEST_CASE("every assumption is explained with its range, grade and source") {
  const Scenario scenario = read(kUsers, {"workload.use_case={base: chat, active_share: 0.1}"});
  const std::string text = explain(scenario, {});
  for (const UseCaseFigure& figure : figures_of(scenario.workload_info.use_cases.at(0).use_case)) {
    INFO(figure.key);
    CHECK_THAT(text, Contains(figure.label) && Contains(figure.evidence.source));
  }
  CHECK_THAT(text, Contains("in place of 0.005 (0.002 to 0.05)"));
  CHECK(assumptions_of(read(kBare).workload_info).empty());
}

TEST_CASE("a run in users is judged by the use case's targets and says what was assumed") {
  const Summary summary = simulate(read(kUsers), {}).summary;
  CHECK(summary.total.goodput.targets.size() == 2);
  CHECK(has_note(summary.notes, "2000 users of chat ask "));
}

TEST_CASE("a target that there is not is refused where it stands") {
  CHECK_THROWS_WITH(read(kUsers, {"workload.use_case={base: chat, targets: {ttft_p98: 1 s}}"}),
                    Contains("targets.ttft_p98: unknown key; did you mean 'ttft_p90'?"));
}

}  // namespace
}  // namespace silicast::testing
