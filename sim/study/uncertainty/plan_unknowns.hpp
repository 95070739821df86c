// Which numbers a plan's options rest on, and a plan with some of them drawn.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/study/plan/plan.hpp"
#include "sim/study/uncertainty/unknown.hpp"

namespace silicast {

struct PlanUnknowns {
  std::vector<Unknown> numbers;
  std::vector<std::string> certain;  // files of the user's own, whose numbers are taken as they are
};

// Of the nodes, chips, engines, porting delays, prices and use cases that these options rest on; of the plan's own
// traffic, growth, changed prices and changed use cases; and a maturity for each software stack, which stands for what
// kernels reach of a chip.
PlanUnknowns plan_unknowns(const PlanSpec& plan, const std::vector<const MixPart*>& parts,
                           const std::string& configs_dir);

// The plan with those of the values that are its own; `part`: whose stack's maturity counts.
using DrawnValues = std::vector<std::pair<const Unknown*, double>>;
PlanSpec drawn_plan(const PlanSpec& plan, const MixPart& part, const DrawnValues& values);

}  // namespace silicast
