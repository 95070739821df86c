// What a scenario takes from the use cases of its workload: targets where it states none, and every assumption in
// words.
#pragma once

#include <string>

#include "sim/report/targets.hpp"
#include "sim/run/scenario.hpp"

namespace silicast {

// Errors (InputError) at the limit: a name that targets do not have.
Targets targets_of(const UseCase& use_case);

// Gives each class for which `root` states no targets those of its use case, if all of its requests are of one; notes
// what was assumed and taken. Does nothing for a workload without users.
void take_use_case_targets(const ConfigValue& root, Scenario& scenario);

// One paragraph per use case: each number with its range, grade and source. Empty for a workload without users.
std::string assumptions_of(const WorkloadInfo& info);

}  // namespace silicast
