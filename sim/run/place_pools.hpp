// Where the replicas of all pools stand on the fabric, and what links that gives them.
#pragma once

#include "sim/run/scenario.hpp"

namespace silicast {

// Fills in the link groups of every pool. Nodes are numbered pool by pool, replicas fill them in order. All replicas of
// a pool are priced alike, by the slowest links that any of them has: pods and leaves may cut one replica and not
// another. Errors (InputError): as of Fabric::build.
void place_pools(std::vector<PoolScenario>& pools, const ClusterFabric& cluster);

}  // namespace silicast
