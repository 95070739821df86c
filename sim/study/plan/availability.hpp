// Nodes to buy so that enough of them are up.
#pragma once

#include <cstdint>

#include "sim/study/plan/plan_spec.hpp"

namespace silicast {

// The share of time in which at least `needed` of `bought` nodes are up. Nodes fail and are repaired independently,
// each up for 1 / (1 + failures per day x days of repair) of the time; how long a failure lasts in which form does
// not matter (alternating renewal process).
double share_of_time_up(std::int64_t needed, std::int64_t bought, const PlanAvailability& availability);

// `needed` and the spares, or more where the share of time asks for it.
std::int64_t nodes_to_buy(std::int64_t needed, std::int64_t spare, const PlanAvailability& availability);

}  // namespace silicast
