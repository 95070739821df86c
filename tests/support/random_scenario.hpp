// Random serving systems for properties that must hold in all of them: small, tight in memory, bursty.
#pragma once

#include <string>

#include "sim/base/random.hpp"
#include "tests/support/serving_fixture.hpp"

namespace silicast::testing {

struct RandomScenario {
  ClusterSetup setup;
  std::vector<RequestSpec> requests;
  std::string description;
};

// The same seed gives the same scenario. Durations are irregular doubles, with several cost pieces and at times several
// stages and overlapped host work; arrivals come in bursts and, now and then, at the same instant.
// `time_scale`, a power of two of 1 or more, stretches every duration and every gap exactly.
RandomScenario random_scenario(std::uint64_t seed, int time_scale = 1);

}  // namespace silicast::testing
