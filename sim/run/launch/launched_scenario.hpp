// What a launch says of a pool becomes a scenario of the catalogue's parts.
#pragma once

#include <optional>
#include <string>

#include "sim/run/launch/family.hpp"
#include "sim/run/launch/launch.hpp"

namespace silicast {

// `unsaid`: what a comment adds that no flag says, keys {name, node, nodes, replicas, engine, precision, stage_layers,
// kv_blocks, speculation: {draft, accepted, spread}} of a pool. Errors: as read_launch.
std::string launched_scenario(const LaunchedPool& pool, const std::optional<ConfigValue>& unsaid,
                              const std::string& source, const LaunchReading& reading);

}  // namespace silicast
