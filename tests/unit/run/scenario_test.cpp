// What a scenario is read to: defaults, settings of the command line, keys without effect, memory that does
// not fit.
#include "sim/run/scenario.hpp"

#include "scenario_for_tests.hpp"
#include "sim/run/simulation.hpp"

namespace silicast::testing {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("what a scenario leaves out has its default") {
  const Scenario scenario = read(kBare);
  CHECK(scenario.seed == 1);
  CHECK(scenario.router->name == "least_loaded");
  REQUIRE(scenario.classes.size() == 1);
  CHECK(scenario.classes[0].name == "all");
  CHECK(scenario.max_context == scenario.model.max_context);
  CHECK_FALSE(scenario.until.has_value());
  CHECK_FALSE(scenario.prices.has_value());
  CHECK(scenario.output.file.empty());
  CHECK(scenario.window.mode == MeasureWindow::Mode::kMser);
  CHECK(scenario.without_effect.empty());
}

TEST_CASE("what a pool leaves out has its default: one node, filled with replicas, the engine's scheduler") {
  const Scenario scenario = read(kBare);
  const PoolScenario& pool = scenario.pools.at(0);
  CHECK(pool.nodes == 1);
  CHECK(pool.replicas == 8 / 2);  // chips of the node by chips of a replica
  CHECK(scenario.replicas() == 4);
  CHECK(pool.scheduler->name == "chunked");
  CHECK(pool.precision.weights == NumberFormat::kBf16);  // as the checkpoint is published
  CHECK_FALSE(pool.kv_blocks_given);
  CHECK((pool.memory.fits() && pool.kv_blocks == pool.memory.blocks && pool.kv_blocks > 0));
}

TEST_CASE("a setting overrides a key, whether nested, in a list or not there yet") {
  const Scenario scenario = read(kBare, {"seed=9", "cluster.pools.0.layout.tensor=4", "until=5 s",
                                         "cluster.pools.0.precision={weights: fp8, kv: fp8}"});
  CHECK(scenario.seed == 9);
  CHECK((scenario.pools[0].plan.tensor == 4 && scenario.pools[0].replicas == 2));
  CHECK(scenario.until == Seconds(5));
  CHECK((scenario.pools[0].precision.weights == NumberFormat::kFp8 &&
         scenario.pools[0].precision.kv == NumberFormat::kFp8));
}

TEST_CASE("of two settings of a key the last counts") {
  CHECK(read(kBare, {"seed=2", "seed=3"}).seed == 3);
}

TEST_CASE("a setting may replace a list by a longer one, whose items later settings reach") {
  const Scenario scenario =
      read(kBare, {"cluster.pools=[{name: a, node: hgx-h100, engine: vllm}, {name: b, node: hgx-h20-96, engine: vllm}]",
                   "cluster.pools.1.nodes=2"});
  REQUIRE(scenario.pools.size() == 2);
  CHECK((scenario.pools[0].nodes == 1 && scenario.pools[1].nodes == 2));
  CHECK(scenario.replicas() == 8 + 2 * 8);
}

TEST_CASE("a mistake in a setting is reported at the setting") {
  CHECK_THROWS_WITH(read(kBare, {"seed=x"}), Contains("--set seed=x") && Contains("is not a whole number"));
  CHECK_THROWS_WITH(read(kBare, {"cluster.pools.1.node=hgx-h100"}),
                    Contains("--set cluster.pools.1.node=hgx-h100") && Contains("no item of the list"));
  CHECK_THROWS_AS(read(kBare, {"seed"}), InputError);
}

TEST_CASE("the resolved YAML contains what was set") {
  const std::string resolved = read(kBare, {"seed=9", "cluster.pools.0.layout.tensor=4"}).resolved;
  CHECK_THAT(resolved, Contains("seed: 9"));
  CHECK_THAT(resolved, Contains("tensor: 4") && !Contains("tensor: 2"));
}

TEST_CASE("the resolved YAML is a scenario that gives the same run") {
  const Scenario scenario = read(kBusy, {"seed=11", "cluster.pools.0.kv_blocks=280"});
  const Scenario again = read(scenario.resolved);
  CHECK(again.resolved == scenario.resolved);
  CHECK(simulate(again, {}).fingerprint == simulate(scenario, {}).fingerprint);
}

// Settings of kBusy that leave exactly one thing without effect, and the key that is named for it.
struct Note {
  std::vector<std::string> settings;
  std::string key;
};

TEST_CASE("each key that is given and changes nothing is named, with the reason") {
  const std::string sheet = SILICAST_SOURCE_DIR "/tests/bad_input/base/prices.yaml";  // knows one chip, another
  for (const Note& note :
       std::vector<Note>{{{"cluster.pools.0.replicas=1"}, "router"},
                         {{"output={series: 1 s}"}, "output"},
                         {{"classes={chat: {}, batch: {}}"}, "classes"},
                         {{"prices={sheet: " + sheet + ", region: north}"}, "prices"},
                         {{"classes={chat: {targets: {ttft: 1 s}}}", "targets={ttft_p99: 2 s}"}, "targets"},
                         {{"cluster.fabric=clos2"}, "cluster.fabric"},
                         {{"targets={}"}, "targets"}}) {
    INFO(note.key);
    const Scenario scenario = read(kBusy, note.settings);
    REQUIRE(scenario.without_effect.size() == 1);
    CHECK_THAT(scenario.without_effect[0], Catch::Matchers::StartsWith(note.key + ": "));
    CHECK(scenario.without_effect[0].size() > note.key.size() + 2);
  }
}

TEST_CASE("keys that do have an effect are not named") {
  CHECK(read(kBusy).without_effect.empty());
  CHECK(read(kBusy, {"output={file: a.h5, series: 1 s}", "classes={chat: {targets: {ttft: 1 s}}, batch: {}}",
                     "workload.class=batch", "targets={ttft_p99: 2 s}", "prices=china-2026"})
            .without_effect.empty());
  CHECK(read(kBare,
             {"cluster.fabric=clos2", "cluster.pools.0.nodes=2", "cluster.pools.0.layout={tensor: 8, pipeline: 2}"})
            .without_effect.empty());
}

TEST_CASE("a run says which keys had no effect") {
  const RunResult result = simulate(read(kBusy, {"output={series: 1 s}"}), {});
  CHECK(std::any_of(result.summary.notes.begin(), result.summary.notes.end(),
                    [](const std::string& note) { return note.find("output: ") != std::string::npos; }));
}

TEST_CASE("a model that does not fit is an error where a fit is required, and a shortfall where it is reported") {
  CHECK_THROWS_WITH(read(kTooLarge), Contains("does not fit"));
  const Scenario scenario = read(kTooLarge, {}, Fit::kReported);
  CHECK_FALSE(scenario.pools[0].memory.fits());
  CHECK(scenario.pools[0].memory.shortfall.value() > 0);
}

TEST_CASE("a fit that is required changes nothing of a scenario that fits") {
  CHECK(read(kBare).pools[0].kv_blocks == read(kBare, {}, Fit::kReported).pools[0].kv_blocks);
}

}  // namespace
}  // namespace silicast::testing
