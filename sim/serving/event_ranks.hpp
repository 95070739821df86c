// Who goes first at one instant, and why.
#pragma once

#include "sim/engine/event_queue.hpp"

namespace silicast {

inline constexpr EventRank kArrivalRank = 0;       // input enters the system first
inline constexpr EventRank kIterationEndRank = 1;  // results free memory; completion wins over the client's timeout
inline constexpr EventRank kDeadlineRank = 2;      // who has gone is not planned
inline constexpr EventRank kScheduleRank = 3;      // plans see the settled state
inline constexpr EventRank kObserveRank = 4;       // samples see the settled instant

}  // namespace silicast
