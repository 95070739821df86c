// The largest numbers a workload may hold. They keep every sum of times and tokens far inside its integer
// type.
#pragma once

#include <cstdint>

#include "sim/base/sim_time.hpp"

namespace silicast {

// Tokens of one prompt or one output; ten times the longest context on the market (10 million).
inline constexpr std::int64_t kMaxTokens = 100'000'000;

// Arrivals end by then (about 63 years).
inline constexpr SimTime kLastArrival{2'000'000'000'000'000'000};
inline constexpr double kLastArrivalSeconds = 2e9;

// Requests that one source may be asked for.
inline constexpr std::int64_t kMaxRequests = 1'000'000'000'000;

// Clients of one closed loop, and of all of them together after merging.
inline constexpr std::int64_t kMaxConcurrency = 1'000'000;

}  // namespace silicast
