// Interval arithmetic over the price sheet.
#include "sim/report/cost.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

constexpr double kHoursPerYear = 8760;
constexpr double kHoursPerMonth = 730;
constexpr double kJoulesPerKwh = 3.6e6;

// One pool's cost per hour on both bases.
struct PoolCost {
  Range capital, electricity, site, staff, porting, rent;
  Range purchase() const { return capital + electricity + site + staff + porting; }
  double prefill_share = 0;
};

Range divided(const Range& range, double by) {
  return by > 0 ? range * (1 / by) : Range::none();
}

Money in_both(const Range& rmb, const Range& rmb_per_usd) {
  return {rmb, rmb / rmb_per_usd};
}

PoolCost cost_of_pool(const CostInputs& inputs, const PoolPrices& pool) {
  SILICAST_CHECK(pool.chips > 0, "pool {}", pool.name);
  PoolCost cost;
  const double chips = pool.chips;
  const Range life = Range::of(inputs.depreciation_years) * kHoursPerYear;
  cost.capital = Range::of(pool.purchase) * chips / life;
  cost.electricity = pool.mean_watts * 1e-3 * Range::of(inputs.pue) * Range::of(inputs.tariff);
  cost.site = pool.rated_watts * (chips / 1000) * Range::of(inputs.site) * (1 / kHoursPerMonth);
  cost.staff = cost.site * Range::of(pool.staff);
  if (pool.porting) cost.porting = Range::of(*pool.porting) / life;
  if (pool.rent) cost.rent = Range::of(*pool.rent) * chips;
  cost.prefill_share = pool.busy_seconds > 0 ? std::clamp(pool.prefill_seconds / pool.busy_seconds, 0.0, 1.0) : 0;
  return cost;
}

CostBasis basis(const CostInputs& inputs, const Range& per_hour, const Range& input_part, const Range& output_part) {
  const Range fx = Range::of(inputs.rmb_per_usd);
  const double millions_in = inputs.prompt_tokens * 3600 / 1e6;
  const double millions_out = inputs.output_tokens * 3600 / 1e6;
  CostBasis result;
  result.per_hour = in_both(per_hour, fx);
  result.per_million_input = in_both(divided(input_part, millions_in), fx);
  result.per_million_output = in_both(divided(output_part, millions_out), fx);
  result.per_million_total = in_both(divided(per_hour, millions_in + millions_out), fx);
  result.per_good_request = in_both(divided(per_hour, inputs.good_requests * 3600), fx);
  return result;
}

class Grounds {
 public:
  explicit Grounds(Cost& cost) : cost_(cost) {}
  void add(std::string what, const Evidence& evidence) {
    cost_.weakest = std::max(cost_.weakest, evidence.grade);
    cost_.grounds.push_back({std::move(what), evidence.grade, evidence.source});
  }

 private:
  Cost& cost_;
};

void list_grounds(const CostInputs& inputs, Cost& cost) {
  Grounds grounds(cost);
  for (const PoolPrices& pool : inputs.pools) {
    if (pool.purchase.value > 0) grounds.add(fmt::format("purchase of {}", pool.name), pool.purchase);
    if (pool.rent) grounds.add(fmt::format("rent of {}", pool.name), *pool.rent);
    grounds.add(fmt::format("staff for {}", pool.name), pool.staff);
    if (pool.porting) grounds.add(fmt::format("porting for {}", pool.name), *pool.porting);
    grounds.add(fmt::format("TDP of {}", pool.name), pool.tdp);
    grounds.add(fmt::format("server power of {}", pool.name), pool.server_factor);
  }
  grounds.add("power off", inputs.power.off);
  grounds.add("power idle", inputs.power.idle);
  grounds.add("power in decode", inputs.power.decode);
  grounds.add("power in prefill", inputs.power.prefill);
  grounds.add("depreciation", inputs.depreciation_years);
  grounds.add("PUE", inputs.pue);
  grounds.add("tariff", inputs.tariff);
  grounds.add("site", inputs.site);
  grounds.add("exchange rate", inputs.rmb_per_usd);
  grounds.add("carbon", inputs.carbon);
}

}  // namespace

Range Range::none() {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  return {kNan, kNan, kNan};
}

Cost cost_of(const CostInputs& inputs) {
  SILICAST_CHECK(!inputs.pools.empty() && inputs.depreciation_years.low > 0 && inputs.pue.low > 0 &&
                 inputs.tariff.low >= 0 && inputs.rmb_per_usd.low > 0);
  Cost cost;
  cost.price_sheet = inputs.price_sheet;
  Range purchase, purchase_input, rent, rent_input, watts;
  Range purchase_output, rent_output;
  bool has_purchase = true, has_rent = true, has_porting = false;
  for (const PoolPrices& pool : inputs.pools) {
    const PoolCost one = cost_of_pool(inputs, pool);
    const Range owned = one.purchase();
    has_purchase = has_purchase && pool.purchase.value > 0;
    has_rent = has_rent && pool.rent.has_value();
    has_porting = has_porting || pool.porting.has_value();
    purchase = purchase + owned;
    purchase_input = purchase_input + owned * one.prefill_share;
    purchase_output = purchase_output + owned * (1 - one.prefill_share);
    rent = rent + one.rent;
    rent_input = rent_input + one.rent * one.prefill_share;
    rent_output = rent_output + one.rent * (1 - one.prefill_share);
    cost.capital = cost.capital + one.capital;
    cost.electricity = cost.electricity + one.electricity;
    cost.site_cost = cost.site_cost + one.site;
    cost.staff = cost.staff + one.staff;
    cost.porting = cost.porting + one.porting;
    watts = watts + pool.mean_watts * Range::of(inputs.pue);
  }
  if (!has_purchase) cost.capital = Range::none();
  if (!has_porting) cost.porting = Range::none();
  if (has_purchase) cost.purchase = basis(inputs, purchase, purchase_input, purchase_output);
  if (has_rent) cost.rent = basis(inputs, rent, rent_input, rent_output);
  const Range joules = divided(watts, inputs.prompt_tokens + inputs.output_tokens);
  cost.grams_co2_per_million_tokens = joules * (1e6 / kJoulesPerKwh) * Range::of(inputs.carbon);
  list_grounds(inputs, cost);
  return cost;
}

}  // namespace silicast
