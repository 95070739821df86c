// Sweeps of a small scenario, read from text.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "sim/study/sweep/sweep_points.hpp"
#include "study_for_tests.hpp"

namespace silicast::testing {

inline const std::string kSmallScenario = R"(name: small
model: llama-3.1-8b
workload:
  arrivals: {process: poisson, rate: 12 /s, requests: 20}
  prompt: {distribution: fixed, tokens: 100}
  output: {distribution: fixed, tokens: 10}
cluster:
  pools:
    - {name: main, node: hgx-h20-96, replicas: 2, engine: vllm}
router: least_loaded
)";

// "name: s\nscenario: small.yaml\n" and `keys`, beside small.yaml.
inline SweepSpec sweep_of(const TempFolder& folder, const std::string& keys,
                          const std::string& scenario = kSmallScenario) {
  write(folder, "small.yaml", scenario);
  return read_sweep(write(folder, "s.yaml", "name: s\nscenario: small.yaml\n" + keys), kConfigs);
}

inline SweepSpec sweep_of(const std::string& keys, const std::string& scenario = kSmallScenario) {
  const TempFolder folder;
  return sweep_of(folder, keys, scenario);
}

// What is said of a sweep with these keys (they begin on line 3), or of its points; without the folder's name.
inline std::string said_of(const std::string& keys) {
  const TempFolder folder;
  try {
    sweep_points(sweep_of(folder, keys));
  } catch (const InputError& error) {
    std::string message = error.what();
    const std::string root = folder / "";
    for (std::size_t at = message.find(root); at != std::string::npos; at = message.find(root))
      message.erase(at, root.size());
    return message;
  }
  return "no error";
}

inline std::vector<std::string> labels_of(const Axis& axis) {
  std::vector<std::string> labels;
  for (const AxisValue& value : axis.grid()) labels.push_back(value.label);
  return labels;
}

// "a=1 b=2", by point and replication.
inline std::vector<std::string> lines_of(const SweepSpec& spec) {
  std::vector<std::string> lines;
  for (const SweepPoint& point : sweep_points(spec)) {
    std::string line;
    for (std::size_t i = 0; i < spec.axes.size(); ++i)
      line += (line.empty() ? "" : " ") + spec.axes[i].name() + "=" + point.values[i].label;
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace silicast::testing
