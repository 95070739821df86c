// A plan's answer as text, as JSON, and as the scenarios of its winners.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/study/plan/plan_views.hpp"

namespace silicast {

// `ledger`: every option with its status and reason as well.
std::string plan_text(const PlanSpec& plan, const PlanAnswer& answer, const std::string& configs_dir, bool ledger);
std::string plan_json(const PlanSpec& plan, const PlanAnswer& answer, const std::string& configs_dir);

// File name and YAML of each service's winning pools, and of the best option on each candidate; files that the workload
// names are named from `folder`.
std::vector<std::pair<std::string, std::string>> winning_files(const PlanSpec& plan, const PlanAnswer& answer,
                                                               const std::string& folder);

}  // namespace silicast
