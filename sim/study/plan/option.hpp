// One way to serve a service on a kind of node: layout, number formats, limits of the engine. As many nodes as it
// needs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/run/scenario.hpp"
#include "sim/study/plan/plan_spec.hpp"

namespace silicast {

struct PlanOption {
  const PlanService* service = nullptr;
  const PlanCandidate* candidate = nullptr;
  ConfigNode layout, precision;
  EngineLimitsChoice limits;
  std::int32_t chips = 1;  // of a replica
  std::int32_t node_chips = 1;
  std::int32_t nodes_per_step = 1;  // of a replica that spans nodes; else 1

  std::string name() const;  // "{tensor: 4} 8bit, 256 sequences, 2048 tokens"
};

// All that the plan asks for; layouts that the model forbids are among them, as their refusal is an answer.
std::vector<PlanOption> plan_options(const PlanSpec& plan, const std::string& configs_dir);

// The scenario of a pool of so many nodes for all of the service's load, at the value of the plan's traffic.
ConfigNode scenario_of(const PlanSpec& plan, const PlanOption& option, std::int64_t nodes);

// Its requests come `factor` times as fast, said of `origin`.
void scale_load(ConfigNode& scenario, double factor, const std::string& origin);

}  // namespace silicast
