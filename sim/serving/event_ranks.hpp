// Who goes first at one instant, and why.
#pragma once

#include "sim/engine/event_queue.hpp"

namespace silicast {

inline constexpr EventRank kArrivalRank = 0;       // input enters the system first
inline constexpr EventRank kTransferRank = 1;      // what has moved is there when an iteration is planned
inline constexpr EventRank kIterationEndRank = 2;  // results free memory; completion wins over the client's timeout
inline constexpr EventRank kHandOnRank = 3;        // what was computed goes on, whoever's iteration ended first
inline constexpr EventRank kDeadlineRank = 4;      // who has gone is not planned
inline constexpr EventRank kScheduleRank = 5;      // plans see the settled state
inline constexpr EventRank kAnnounceRank = 6;      // what has begun, once everybody has planned
inline constexpr EventRank kRatesRank = 7;         // of transfers, once all have come and gone
inline constexpr EventRank kObserveRank = 8;       // samples see the settled instant

}  // namespace silicast
