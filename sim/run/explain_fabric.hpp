// What a scenario's machine room is made of, what it can carry, and what its collectives use of it.
#pragma once

#include <string>

#include "sim/run/scenario.hpp"

namespace silicast {

// Links by kind with who says so, and what the halves of the cluster and of each pool's pod can send each other. Says
// why where the fabric cannot be built, which is no mistake as long as no replica reaches into it.
std::string fabric_section(const Scenario& scenario);

// Where the replicas of a pool stand, and the links of its tensor groups, stages and between stages: of the slowest
// placement among its replicas.
std::string links_section(const PoolScenario& pool, bool mixture);

// The fabric in DOT, collapsed where it is large. Errors: as of Fabric::build.
std::string fabric_dot(const Scenario& scenario);

}  // namespace silicast
