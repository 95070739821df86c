// Which chips the replicas of a pool stand on.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/io/config_reader.hpp"

namespace silicast {

struct PoolScenario;

enum class PlacementKind { kPacked, kSpread, kGiven };
std::string_view name_of(PlacementKind kind);  // "packed", "spread", "given"

// Chips by replica, each in the order of its ranks: stage by stage, and tensor groups one after the other in it.
using ReplicaChips = std::vector<std::vector<std::int32_t>>;

struct PoolPlacement {
  PlacementKind kind = PlacementKind::kPacked;
  ReplicaChips given;  // numbered from 0 through the pool's nodes; kGiven only
};

// placement: packed | spread | [[0, 1, 2, 3], [8, 9, 10, 11]], a list of chips for each replica. Errors (InputError at
// the list or the chip): no replica, as many chips as the layout has not, a chip that the pool has not, a chip twice.
PoolPlacement read_placement(const ConfigValue& placement, const PoolScenario& pool);

// The chips of every replica, numbered from 0 through the pool's nodes.
//   packed  replicas fill nodes in order, so that tensor groups and stages stay together
//   spread  a replica stays together, but each next one goes to the next pod, and in it to the next node: a node that
//           fails takes few of them, and their NICs share the load. A replica of several nodes straddles pods only
//           where no pod has room left
//   given   as listed
// `pods` has the pod of each of the pool's nodes.
ReplicaChips place(const PoolScenario& pool, const std::vector<std::int32_t>& pods);

// Whether the pool asks for spread replicas, which stand where packed ones would.
bool spreads_nothing(const PoolScenario& pool);

}  // namespace silicast
