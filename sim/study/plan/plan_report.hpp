// A plan's answer as text, as JSON, and as the scenarios of its winners.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/report/json_text.hpp"
#include "sim/study/plan/plan_views.hpp"

namespace silicast {

// `ledger`: every option with its status and reason as well.
std::string plan_text(const PlanSpec& plan, const PlanAnswer& answer, const std::string& configs_dir, bool ledger);
// Its items, in an object that is open.
void put_plan(JsonText& json, const PlanSpec& plan, const PlanAnswer& answer, const std::string& configs_dir);

// Of the files that winning_files() may give.
std::vector<std::string> winning_names(const PlanSpec& plan);

// File name and YAML of each service's winning pools, and of the best option on each candidate; files that the workload
// names are named from `folder`.
std::vector<std::pair<std::string, std::string>> winning_files(const PlanSpec& plan, const PlanAnswer& answer,
                                                               const std::string& folder);

}  // namespace silicast
