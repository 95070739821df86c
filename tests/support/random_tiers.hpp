// Random tiers below the prompt caches of random systems.
#pragma once

#include "tests/support/random_scenario.hpp"

namespace silicast::testing {

// Gives every pool that keeps prompts one to three tiers, and less memory of its own so that they are used.
void add_tiers(RandomScenario& scenario, std::uint64_t seed, int time_scale);

}  // namespace silicast::testing
