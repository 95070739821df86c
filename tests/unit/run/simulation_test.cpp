// A simulation is a function of its scenario and seed: how it is driven and what runs beside it do not
// matter.
#include "sim/run/simulation.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <numeric>

#include "scenario_for_tests.hpp"

namespace silicast::testing {
namespace {

std::uint64_t fingerprint_of(const Scenario& scenario, bool leap = true) {
  return simulate(scenario, {leap, ""}).fingerprint;
}

TEST_CASE("the busy scenario reaches preemption and timeouts, so that its fingerprint means something") {
  const GroupSummary total = simulate(read(kBusy), {}).summary.total;
  CHECK(total.preemptions > 20);
  CHECK(total.states[static_cast<std::size_t>(EndState::kTimedOut)] > 5);
  CHECK(total.states[static_cast<std::size_t>(EndState::kCompleted)] > 100);
}

TEST_CASE("two simulations interleaved in one process do not notice each other") {
  const Scenario first = read(kBusy), second = read(kBusy, {"seed=4", "router=random"});
  Simulation a(first, {}), b(second, {});
  for (bool more = true; more;) {
    const bool more_of_a = a.advance(7), more_of_b = b.advance(11);
    more = more_of_a || more_of_b;
  }
  CHECK(a.finish().fingerprint == fingerprint_of(first));
  CHECK(b.finish().fingerprint == fingerprint_of(second));
}

TEST_CASE("the same seed gives the same run, another seed another") {
  CHECK(fingerprint_of(read(kBusy)) == fingerprint_of(read(kBusy)));
  CHECK(fingerprint_of(read(kBusy)) != fingerprint_of(read(kBusy, {"seed=4"})));
}

TEST_CASE("the seed of a scenario draws its arrivals and lengths, and its router's choices") {
  // Round robin draws nothing; with lengths and arrivals fixed only the router draws.
  const std::vector<std::string> no_router = {"router=round_robin"};
  CHECK(fingerprint_of(read(kBusy, {"seed=4", "router=round_robin"})) != fingerprint_of(read(kBusy, no_router)));
  CHECK(fingerprint_of(read(kBare, {"seed=4", "router=random"})) != fingerprint_of(read(kBare, {"router=random"})));
  CHECK(fingerprint_of(read(kBare, {"seed=4"})) == fingerprint_of(read(kBare)));
}

TEST_CASE("one scenario value can be simulated any number of times") {
  const Scenario scenario = read(kBusy);
  const RunResult first = simulate(scenario, {}), second = simulate(scenario, {});
  CHECK(second.fingerprint == first.fingerprint);
  CHECK(second.summary.total.requests == 300);
}

TEST_CASE("leap and step mode give the same run, the leap with fewer events") {
  const Scenario scenario = read(kBusy);
  const RunResult leap = simulate(scenario, {true, ""}), step = simulate(scenario, {false, ""});
  CHECK(leap.fingerprint == step.fingerprint);
  CHECK(leap.iterations == step.iterations);
  CHECK(leap.output_tokens == step.output_tokens);
  CHECK(leap.events < step.events);
}

TEST_CASE("a run in single events is the run in one go") {
  const Scenario scenario = read(kBusy);
  Simulation simulation(scenario, {});
  std::uint64_t events = 0;
  double now = 0;
  bool forward = true;
  while (simulation.advance(1)) {
    ++events;
    forward = forward && simulation.now_seconds() >= now;
    now = simulation.now_seconds();
  }
  CHECK(forward);
  CHECK(simulation.arrived() == 300);
  CHECK(simulation.in_system() == 0);
  const RunResult steps = simulation.finish(), whole = simulate(scenario, {});
  CHECK(steps.fingerprint == whole.fingerprint);
  CHECK(steps.events == whole.events);
  CHECK(events >= whole.events - 1);
}

TEST_CASE("iterations and tokens of a run are those of its requests") {
  // Three requests 1 s apart, alone each: a prefill and 9 decodes give 10 tokens.
  const RunResult result = simulate(read(kBare), {});
  CHECK(result.iterations == 3 * 10);
  CHECK(result.output_tokens == 3 * 10);
  CHECK(result.summary.total.states[static_cast<std::size_t>(EndState::kCompleted)] == 3);
}

TEST_CASE("`until` cuts the run and leaves requests unfinished, and all that arrived are counted") {
  Simulation simulation(read(kBusy, {"until=2 s"}), {});
  while (simulation.advance(100)) {
  }
  CHECK(simulation.now_seconds() == 2);
  const std::int64_t arrived = simulation.arrived();
  CHECK(arrived < 300);
  const GroupSummary total = simulation.finish().summary.total;
  const std::int64_t unfinished = total.states[static_cast<std::size_t>(EndState::kUnfinished)];
  CHECK(unfinished > 0);
  CHECK(unfinished == total.reasons[static_cast<std::size_t>(EndReason::kEndOfRun)]);
  CHECK(std::accumulate(total.states.begin(), total.states.end(), std::int64_t{0}) == arrived);
}

TEST_CASE("`until` beyond the end of a run changes nothing") {
  CHECK(fingerprint_of(read(kBusy, {"until=1 h"})) == fingerprint_of(read(kBusy)));
}

TEST_CASE("a pool's replicas have the limits of its engine and the KV blocks of the scenario") {
  const Scenario scenario = read(kBusy, {"cluster.pools.0.engine={base: vllm, max_batched_tokens: 512, max_sequences: "
                                         "32, max_chunk: 128, max_waiting: 77, block_size: 8}"});
  WorkRates work;
  const PoolSetup setup = pool_setup(scenario, scenario.pools[0], work);
  CHECK(setup.replicas == 2);
  CHECK(setup.limits.max_batched_tokens == 512);
  CHECK(setup.limits.max_sequences == 32);
  CHECK(setup.limits.max_chunk == 128);
  CHECK(setup.limits.max_waiting == 77);
  CHECK(setup.limits.block_size == 8);
  CHECK(setup.limits.blocks == 300);
  CHECK(setup.cost.max_tokens() >= 512);
  CHECK(setup.cost.max_sequences() >= 32);
}

TEST_CASE(
    "replicas over several nodes know what their iterations take beside transfers, others have no links to share") {
  const auto tier = [](const char* prefill, const char* decode) {
    const Scenario scenario = read(
        kBusy,
        {fmt::format("cluster.pools=[{{name: a, role: prefill, node: hgx-h100, nodes: 4, layout: {}, engine: vllm}},"
                     "{{name: b, role: decode, node: hgx-h100, nodes: 4, layout: {}, engine: vllm}}]",
                     prefill, decode)});
    std::vector<std::optional<Tier>> tiers;
    for (const PoolScenario& pool : scenario.pools) {
      WorkRates work;
      const PoolSetup setup = pool_setup(scenario, pool, work);
      tiers.push_back(setup.crowded ? std::optional(setup.crowded->tier) : std::nullopt);
    }
    return tiers;
  };
  CHECK(tier("{tensor: 4}", "{tensor: 16}") == std::vector<std::optional<Tier>>{std::nullopt, Tier::kScaleOut});
  CHECK(tier("{tensor: 8, pipeline: 2}", "{tensor: 8}") ==
        std::vector<std::optional<Tier>>{Tier::kScaleOut, std::nullopt});
}

TEST_CASE("a simulation outlives the scenario value that it was made from") {
  auto scenario = std::make_unique<Scenario>(read(kBusy));
  Simulation simulation(*scenario, {});
  scenario.reset();
  while (simulation.advance(1000)) {
  }
  CHECK(simulation.finish().fingerprint == fingerprint_of(read(kBusy)));
}

TEST_CASE("how often a run is sampled changes nothing that it reports") {
  const std::string file = (std::filesystem::temp_directory_path() / "silicast_sampling_test.h5").string();
  std::vector<RunResult> results;
  for (const std::string series : {"none", "1 s", "600 s"})
    results.push_back(simulate(read(kBusy, {"output.series=" + series}), {true, file}));
  results.push_back(simulate(read(kBusy), {}));
  std::filesystem::remove(file);
  for (const RunResult& result : results) {
    CHECK(result.fingerprint == results[0].fingerprint);
    CHECK(result.summary.run_seconds == results[0].summary.run_seconds);
    CHECK(result.summary.total.throughput.output_tokens == results[0].summary.total.throughput.output_tokens);
    CHECK(result.summary.energy.whole_run_joules.value == results[0].summary.energy.whole_run_joules.value);
  }
}

}  // namespace
}  // namespace silicast::testing
