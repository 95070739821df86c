// Random systems where some pools prefill and others decode, over small fabrics of every wiring.
#pragma once

#include "tests/support/random_scenario.hpp"

namespace silicast::testing {

// Gives the pools of a scenario their roles (adding pools until there is one of each) and the fabric between them.
void split_roles(RandomScenario& scenario, std::uint64_t seed, int time_scale);

}  // namespace silicast::testing
