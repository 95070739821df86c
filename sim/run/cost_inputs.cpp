#include "sim/run/cost_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace silicast {
namespace {

constexpr double kYear = 8760 * 3600.0;

// Chips of the whole cluster under the same software stack: they share its porting.
double chips_under(const std::string& software, const Scenario& scenario) {
  double chips = 0;
  for (const PoolScenario& pool : scenario.pools)
    if (pool.chip.software == software) chips += pool.nodes * pool.node.chips;
  return chips;
}

PoolPrices pool_prices(const Scenario& scenario, const PoolScenario& pool, const PoolUse& use) {
  const PriceSheet& sheet = scenario.prices->sheet;
  PoolPrices prices;
  prices.name = pool.name;
  prices.chips = pool.nodes * pool.node.chips;  // bought by the node, used or not
  if (const auto purchase = sheet.purchase_of(pool.chip.name)) prices.purchase = *purchase;
  prices.rent = sheet.rent_of(pool.chip.name);
  prices.tdp = pool.chip.tdp;
  prices.server_factor = sheet.server_power_of(pool.node.name);
  prices.rated_watts =
      pool.chip.tdp.value > 0 ? Range::of(prices.tdp) * Range::of(prices.server_factor) : Range::none();
  prices.mean_watts = use.watts;
  prices.staff = sheet.staff;
  if (const StackCost* stack = sheet.stack_of(pool.chip.software)) {
    prices.staff = product(sheet.staff, stack->staff_factor);
    prices.licence = stack->licence;
    prices.porting = scaled(stack->porting, prices.chips / chips_under(pool.chip.software, scenario));
  }
  prices.porting_delay = scaled(pool.stack.porting_delay, 1 / kYear);
  prices.used_chips = use.chips;
  if (use.busy > 0) {
    prices.busy_share = std::min(use.busy, 1.0);
    prices.prefill_share = std::clamp(use.busy * use.prefill_time_share, 0.0, prices.busy_share);
  }
  prices.busy_seconds = use.busy_seconds;
  prices.prefill_seconds = use.prefill_seconds;
  return prices;
}

Evidence load_factor_of(const std::vector<UseCaseLoad>& loads) {
  Evidence mean{0, 0, 0, Grade::kMeasured, ""};
  double rate = 0;
  for (const UseCaseLoad& load : loads) {
    const Evidence one = load.use_case.load_factor();
    mean.value += load.rate.value * one.value;
    mean.low += load.rate.value * one.low;
    mean.high += load.rate.value * one.high;
    mean.grade = std::max(mean.grade, one.grade);
    mean.source += fmt::format("{}{}: {}", mean.source.empty() ? "" : "; ", load.use_case.name, one.source);
    rate += load.rate.value;
  }
  return scaled(mean, 1 / rate);
}

}  // namespace

std::optional<LoadFactor> known_load_factor(const WorkloadInfo& workload, const PriceSheet& sheet) {
  if (workload.only_use_cases) return LoadFactor{load_factor_of(workload.use_cases), "its use cases"};
  if (sheet.load_factor) return LoadFactor{*sheet.load_factor, "the price sheet"};
  return std::nullopt;
}

CostInputs cost_inputs(const Scenario& scenario, const Summary& summary) {
  const PriceSheet& sheet = scenario.prices->sheet;
  CostInputs inputs;
  inputs.price_sheet = sheet.name;
  for (std::size_t p = 0; p < scenario.pools.size(); ++p)
    inputs.pools.push_back(pool_prices(scenario, scenario.pools[p], summary.use[p]));
  inputs.power = sheet.power;
  inputs.depreciation_years = scaled(sheet.depreciation, 1 / kYear);
  inputs.pue = sheet.pue;
  inputs.tariff = scenario.prices->tariff;
  inputs.site = sheet.site;
  inputs.rmb_per_usd = sheet.rmb_per_usd;
  inputs.carbon = sheet.carbon;
  if (scenario.prices->load_factor) inputs.load_factor = scenario.prices->load_factor->factor;
  inputs.prompt_tokens = summary.total.throughput.prompt_tokens;
  inputs.output_tokens = summary.total.throughput.output_tokens;
  inputs.good_requests = summary.total.goodput.requests;
  return inputs;
}

}  // namespace silicast
