// What a pool's nodes cost and draw, by the price sheet, as they ran.
#pragma once

#include "sim/study/plan/size_option.hpp"

namespace silicast {

struct NodeCost {
  double per_hour = 0;          // RMB of one node on the plan's basis: capital or rent, electricity, site, staff
  double purchase = 0;          // RMB of one node; NaN: not known
  double porting_per_hour = 0;  // RMB of the software stack, once, however many nodes
  double watts = 0;             // rated, of one node
};

// Error (InputError): the sheet has no price of the chip on the plan's basis, so that an option on it cannot be ranked.
void require_price(const PlanSpec& plan, const Scenario& scenario);

// Of a scenario that passed require_price().
NodeCost cost_of_nodes(const PlanSpec& plan, const SizedOption& sized, const std::string& configs_dir);

}  // namespace silicast
