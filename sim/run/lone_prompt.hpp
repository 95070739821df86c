// How long a prompt takes that nobody else is in the batch with.
#pragma once

#include <cstdint>

#include "sim/run/scenario.hpp"

namespace silicast {

// In chunks as large as the pool's engine takes, every iteration's host work included.
Seconds lone_prompt(const PoolScenario& pool, std::int64_t tokens);

}  // namespace silicast
