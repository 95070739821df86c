#include "sim/study/plan/cost_of_nodes.hpp"

#include <fmt/format.h>

#include <cmath>

namespace silicast {

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
  if (!basis)
    throw InputError(
        {plan.path, 0, 0}, "prices",
        fmt::format("'{}' has no {} of chip {}", sheet.name, rents ? "rent" : "purchase price", pool.chip.name));
  const Range& waiting = summary.cost->porting_delay_factor;
  const Range porting =
      (rents || std::isnan(summary.cost->porting.value) ? Range::exactly(0) : summary.cost->porting) * waiting;
  const Range per_hour = basis->per_hour.rmb * waiting;
  cost.porting_per_hour = porting.value;
  cost.per_hour = (per_hour.value - porting.value) / nodes;
  cost.per_hour_low = (per_hour.low - porting.low) / nodes;
  cost.per_hour_high = (per_hour.high - porting.high) / nodes;
  return cost;
}

}  // namespace silicast
