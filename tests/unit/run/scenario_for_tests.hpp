// Small scenarios as text, read against the repository's own catalogue.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "sim/run/scenario.hpp"

namespace silicast::testing {

inline const std::string kConfigs = SILICAST_SOURCE_DIR "/configs";

// Nothing that has a default is given.
inline const std::string kBare = R"(
name: bare
model: llama-3.1-8b
workload:
  arrivals: {process: fixed, rate: 1 /s, requests: 3}
  prompt: {distribution: fixed, tokens: 100}
  output: {distribution: fixed, tokens: 10}
cluster:
  pools:
    - {name: main, node: hgx-h100, layout: {tensor: 2}, engine: vllm}
)";

// Random arrivals and lengths on two replicas that are short of KV blocks, an impatient client: all that can
// differ.
inline const std::string kBusy = R"(
name: busy
seed: 3
model: llama-3.1-8b
max_context: 8192
workload:
  arrivals: {process: poisson, rate: 40 /s, requests: 300}
  prompt: {distribution: lognormal, mean: 500, cv: 1.0, max: 4000}
  output: {distribution: lognormal, mean: 60, cv: 1.0, max: 500}
  timeout: 4 s
cluster:
  pools:
    - name: main
      node: hgx-h100
      replicas: 2
      layout: {tensor: 1}
      engine: {base: vllm, max_batched_tokens: 512, max_sequences: 32}
      kv_blocks: 300
router: two_choices
)";

// 131 GiB of weights on a chip of 79.
inline const std::string kTooLarge = R"(
name: too-large
model: llama-3.1-70b
workload:
  arrivals: {process: fixed, rate: 1 /s, requests: 3}
  prompt: {distribution: fixed, tokens: 100}
  output: {distribution: fixed, tokens: 10}
cluster:
  pools:
    - {name: main, node: hgx-h100, layout: {tensor: 1}, engine: vllm}
)";

inline Scenario read(const std::string& text, const std::vector<std::string>& settings = {}, Fit fit = Fit::kRequired) {
  return read_scenario(parse_config(text, "s.yaml"), "s.yaml", {kConfigs, settings}, fit);
}

}  // namespace silicast::testing
