// Reads one pool of a scenario and resolves it against the catalogue.
#pragma once

#include "sim/run/scenario.hpp"

namespace silicast {

// pool: {name, node, nodes: 1, replicas, layout: {tensor: 4}, precision: 8bit | {weights, activations, kv}, engine,
//        scheduler, kv_blocks, memory: {weights, activation, runtime}, kv_tiers: see read_tiers.hpp,
//        perf: roofline | {measured: FOLDER | [FILE, ...]}}.
struct PoolFiles {
  std::string configs_dir;
  std::string folder;  // of the scenario: files that it names are looked for there
};
// model, role and overflow_after: see fleet.hpp and disaggregation.hpp.
PoolScenario read_pool(const ConfigValue& pool, const ModelSpec& default_model, const PoolFiles& files, Fit fit);

// Refuses what cannot name a pool or a class: they become groups of the result file.
void check_group_name(const std::string& name, const ConfigValue& at);

// "PPU SDK" is described in configs/stacks/ppu-sdk.yaml.
std::string stack_file(std::string software, const std::string& configs_dir);

}  // namespace silicast
