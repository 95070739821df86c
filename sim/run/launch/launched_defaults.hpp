// What a launch leaves open: which of a family's engines describes it, what is asked of it; and how that is said.
#pragma once

#include <string>

#include "sim/run/launch/family.hpp"

namespace silicast {

// The catalogue's engine of a family whose defaults hold on this chip.
std::string usual_engine(const LaunchedPool& pool, const ChipSpec& chip);

// Lengths that the context has room for, at a rate that any pool can serve: a key `workload`.
ConfigNode usual_workload(std::int64_t max_context, std::int64_t copies);

// The comments on top of a scenario that was read: what was put in, and `notes`, what is not modelled.
std::string heading(const LaunchedPool& said, const std::vector<std::string>& notes, const Scenario& scenario,
                    const std::string& source);

}  // namespace silicast
