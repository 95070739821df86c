// Feeds arbitrary bytes through the scenario reader, and runs what it accepts for a moment: InputError is fine,
// anything else a crash. A first byte '=' makes the rest settings ("key.path=value" lines, as --set takes them) of a
// good scenario, so that most inputs reach what lies behind the YAML.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "sim/base/errors.hpp"
#include "sim/run/explain.hpp"
#include "sim/run/simulation.hpp"

namespace {

using namespace silicast;

constexpr const char* kGood = R"(
name: fuzz
model: llama-3.1-8b
max_context: 4096
workload:
  arrivals: {process: poisson, rate: 20 /s, requests: 40}
  prompt: {distribution: lognormal, mean: 300, cv: 1.0, max: 2000}
  output: {distribution: lognormal, mean: 20, cv: 1.0, max: 100}
  timeout: 5 s
cluster:
  pools:
    - {name: a, node: hgx-h20-96, replicas: 2, layout: {tensor: 2}, precision: 8bit, engine: vllm, kv_blocks: 300}
    - {name: b, node: atlas-850-950pr, replicas: 1, engine: {base: vllm, max_sequences: 16}}
router: least_loaded
targets: {ttft_p99: 2 s, tpot_p99: 50 ms}
prices: china-2026
)";

void play(ConfigNode root, const ScenarioSource& source) {
  const Scenario scenario = read_scenario(std::move(root), "fuzz.yaml", source, Fit::kReported);
  explain(scenario, {});
  for (const PoolScenario& pool : scenario.pools)
    if (pool.kv_blocks == 0) return;     // does not fit
  if (scenario.replicas() > 64) return;  // right, but slow to build
  Simulation simulation(scenario, {});
  simulation.advance(2000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  ScenarioSource source{SILICAST_SOURCE_DIR "/configs", {}};
  try {
    if (text.starts_with('=')) {
      std::istringstream lines(text.substr(1));
      for (std::string line; std::getline(lines, line);) source.settings.push_back(line);
      text = kGood;
    }
    play(parse_config(text, "fuzz.yaml"), source);
  } catch (const InputError&) {
  }
  return 0;
}
