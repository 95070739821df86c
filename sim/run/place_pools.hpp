// Where the replicas of all pools stand on the fabric, and what links that gives them.
#pragma once

#include "sim/run/scenario.hpp"

namespace silicast {

// Fills in the chips of the replicas and the link groups of every pool. Nodes are numbered pool by pool. All replicas
// of a pool are priced alike, by the slowest links that any of them has: pods and leaves may cut one replica and not
// another. Errors (InputError): as of Fabric::build.
void place_pools(std::vector<PoolScenario>& pools, const ClusterFabric& cluster);

// The nodes of all pools, in the order in which the fabric numbers them.
std::vector<const NodeSpec*> nodes_of(const std::vector<PoolScenario>& pools);

// Whether a replica of the pool has chips on several nodes.
bool spans_nodes(const PoolScenario& pool);
// Or talks to other pools.
bool leaves_nodes(const PoolScenario& pool);

}  // namespace silicast
