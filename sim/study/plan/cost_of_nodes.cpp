#include "sim/study/plan/cost_of_nodes.hpp"

#include <fmt/format.h>

#include <cmath>

namespace silicast {

void require_price(const PlanSpec& plan, const Scenario& scenario) {
  const PriceSheet& sheet = scenario.prices->sheet;
  const std::string& chip = scenario.pools[0].chip.name;
  const bool rents = plan.basis == PlanBasis::kRent;
  if (rents ? sheet.rent_of(chip).has_value() : sheet.purchase_of(chip).has_value()) return;
  throw InputError({plan.path, 0, 0}, "prices",
                   fmt::format("'{}' has no {} of chip {}", sheet.name, rents ? "rent" : "purchase price", chip));
}

NodeCost cost_of_nodes(const PlanSpec& plan, const SizedOption& sized, const std::string& configs_dir) {
  const Summary& summary = sized.verdict.summary;
  const auto nodes = static_cast<double>(sized.nodes);
  const Scenario scenario =
      read_scenario(scenario_of(plan, sized.option, sized.nodes), plan.path, {configs_dir, {}}, Fit::kReported);
  const PoolScenario& pool = scenario.pools[0];
  const PriceSheet& sheet = scenario.prices->sheet;
  NodeCost cost;
  cost.watts = pool.node.chips * pool.chip.tdp.value * sheet.server_power_of(pool.node.name).value;
  const auto purchase = sheet.purchase_of(pool.chip.name);
  cost.purchase = purchase ? pool.node.chips * purchase->value : std::nan("");
  const bool rents = plan.basis == PlanBasis::kRent;
  const std::optional<CostBasis>& basis = rents ? summary.cost->rent : summary.cost->purchase;
  const double waiting = summary.cost->porting_delay_factor.value, porting = summary.cost->porting.value;
  cost.porting_per_hour = rents || std::isnan(porting) ? 0 : porting * waiting;
  cost.per_hour = (basis->per_hour.rmb.value * waiting - cost.porting_per_hour) / nodes;
  return cost;
}

}  // namespace silicast
