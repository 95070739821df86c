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

// A cost per hour and what prompts and outputs pay of it.
struct Split {
  Range all, input, output;
  void add(const Range& cost, double input_share) {
    all = all + cost;
    input = input + cost * input_share;
    output = output + cost * (1 - input_share);
  }
};

// One pool's cost per hour on both bases.
struct PoolCost {
  Range capital, electricity, site, staff, porting, licence, rent;
  Range day_watts;     // mean of a day, its ends by the ends of the load
  Range corner_watts;  // the same, its ends by what makes a token cheap and dear
  Range delay_factor = Range::exactly(1);
  double input_share = 0;
  Range purchase(const Range& electric) const { return capital + electric + site + staff + porting + licence; }
};

Range divided(const Range& range, double by) {
  return by > 0 ? range * (1 / by) : Range::none();
}

Money in_both(const Range& rmb, const Range& rmb_per_usd) {
  return {rmb, rmb / rmb_per_usd};
}

// Watts of all servers of a pool at a share of the run's load; `loads` has one for each end.
Range watts_at(const PoolPrices& pool, const PowerShares& power, const Range& loads) {
  if (!(pool.tdp.value > 0)) return Range::none();
  const double decode = pool.busy_share - pool.prefill_share;
  const auto share = [&](double load, double decoding, double Evidence::*end) {
    const double prompts = load * pool.prefill_share;
    const double idle = 1 - decoding - prompts;
    const double used = power.idle.*end * idle + power.decode.*end * decoding + power.prefill.*end * prompts;
    return used * pool.used_chips + power.off.*end * (pool.chips - pool.used_chips);
  };
  const double freed = (1 - loads.high) * pool.prefill_share;
  const Range chips{share(loads.value, decode, &Evidence::value), share(loads.low, loads.low * decode, &Evidence::low),
                    share(loads.high, decode + freed, &Evidence::high)};
  return chips * Range::of(pool.tdp) * Range::of(pool.server_factor);
}

// Cost of useful time over the life of chips that serve nothing until their stack has the model.
Range delay_factor(const PoolPrices& pool, const Evidence& years) {
  if (!pool.porting_delay) return Range::exactly(1);
  const Evidence& delay = *pool.porting_delay;
  SILICAST_CHECK(delay.low >= 0 && delay.high < years.low, "pool {}: waits {} of {} years", pool.name, delay.high,
                 years.low);
  return {years.value / (years.value - delay.value), years.high / (years.high - delay.low),
          years.low / (years.low - delay.high)};
}

PoolCost cost_of_pool(const CostInputs& inputs, const PoolPrices& pool, const Range& load) {
  SILICAST_CHECK(pool.chips > 0, "pool {}", pool.name);
  PoolCost cost;
  const double chips = pool.chips;
  const Range life = Range::of(inputs.depreciation_years) * kHoursPerYear;
  cost.capital = Range::of(pool.purchase) * chips / life;
  cost.electricity = pool.mean_watts * 1e-3 * Range::of(inputs.pue) * Range::of(inputs.tariff);
  cost.site = pool.rated_watts * (chips / 1000) * Range::of(inputs.site) * (1 / kHoursPerMonth);
  cost.staff = cost.site * Range::of(pool.staff);
  if (pool.porting) cost.porting = Range::of(*pool.porting) / life;
  if (pool.licence) cost.licence = Range::of(*pool.licence) * pool.used_chips;
  if (pool.rent) cost.rent = Range::of(*pool.rent) * chips + cost.licence;
  cost.day_watts = inputs.load_factor ? watts_at(pool, inputs.power, load) : pool.mean_watts;
  cost.corner_watts =
      inputs.load_factor ? watts_at(pool, inputs.power, {load.value, load.high, load.low}) : pool.mean_watts;
  cost.delay_factor = delay_factor(pool, inputs.depreciation_years);
  cost.input_share = pool.busy_seconds > 0 ? std::clamp(pool.prefill_seconds / pool.busy_seconds, 0.0, 1.0) : 0;
  return cost;
}

// Over what is served at a share of the run's load.
TokenCost per_token(const CostInputs& inputs, const Split& per_hour, const Range& load) {
  const Range fx = Range::of(inputs.rmb_per_usd);
  const double millions_in = inputs.prompt_tokens * 3600 / 1e6;
  const double millions_out = inputs.output_tokens * 3600 / 1e6;
  TokenCost cost;
  cost.per_million_input = in_both(divided(per_hour.input, millions_in) / load, fx);
  cost.per_million_output = in_both(divided(per_hour.output, millions_out) / load, fx);
  cost.per_million_total = in_both(divided(per_hour.all, millions_in + millions_out) / load, fx);
  cost.per_good_request = in_both(divided(per_hour.all, inputs.good_requests * 3600) / load, fx);
  return cost;
}

CostBasis basis(const CostInputs& inputs, const Split& per_hour) {
  const TokenCost token = per_token(inputs, per_hour, Range::exactly(1));
  return {in_both(per_hour.all, Range::of(inputs.rmb_per_usd)), token.per_million_input, token.per_million_output,
          token.per_million_total, token.per_good_request};
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
    if (pool.licence) grounds.add(fmt::format("licence for {}", pool.name), *pool.licence);
    if (pool.porting_delay) grounds.add(fmt::format("porting delay of {}", pool.name), *pool.porting_delay);
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
  if (inputs.load_factor) grounds.add("load factor", *inputs.load_factor);
}

}  // namespace

Range Range::none() {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  return {kNan, kNan, kNan};
}

Cost cost_of(const CostInputs& inputs) {
  SILICAST_CHECK(!inputs.pools.empty() && inputs.depreciation_years.low > 0 && inputs.pue.low > 0 &&
                 inputs.tariff.low >= 0 && inputs.rmb_per_usd.low > 0);
  SILICAST_CHECK(!inputs.load_factor || inputs.load_factor->low > 0);
  Cost cost;
  cost.price_sheet = inputs.price_sheet;
  cost.load_factor = inputs.load_factor ? Range::of(*inputs.load_factor) : Range::exactly(1);
  const Range per_kwh = Range::of(inputs.pue) * Range::of(inputs.tariff) * 1e-3;  // RMB/h of a watt
  Split purchase, purchase_day, purchase_life, rent, rent_life;
  Range watts, corner_watts;
  double chips = 0;
  bool has_purchase = true, has_rent = true, has_porting = false, has_licence = false;
  for (const PoolPrices& pool : inputs.pools) {
    const PoolCost one = cost_of_pool(inputs, pool, cost.load_factor);
    const Range owned = one.purchase(one.electricity), of_day = one.purchase(one.corner_watts * per_kwh);
    has_purchase = has_purchase && pool.purchase.value > 0;
    has_rent = has_rent && pool.rent.has_value();
    has_porting = has_porting || pool.porting.has_value();
    has_licence = has_licence || pool.licence.has_value();
    purchase.add(owned, one.input_share);
    purchase_day.add(of_day, one.input_share);
    purchase_life.add(of_day * one.delay_factor, one.input_share);
    rent.add(one.rent, one.input_share);
    rent_life.add(one.rent * one.delay_factor, one.input_share);
    cost.capital = cost.capital + one.capital;
    cost.electricity = cost.electricity + one.electricity;
    cost.electricity_day = cost.electricity_day + one.day_watts * per_kwh;
    cost.site_cost = cost.site_cost + one.site;
    cost.staff = cost.staff + one.staff;
    cost.porting = cost.porting + one.porting;
    cost.licence = cost.licence + one.licence;
    cost.porting_delay_factor = cost.porting_delay_factor + one.delay_factor * pool.chips;
    chips += pool.chips;
    watts = watts + pool.mean_watts * Range::of(inputs.pue);
    corner_watts = corner_watts + one.corner_watts * Range::of(inputs.pue);
  }
  cost.porting_delay_factor = cost.porting_delay_factor * (1 / chips);
  if (!has_purchase) cost.capital = Range::none();
  if (!has_porting) cost.porting = Range::none();
  if (!has_licence) cost.licence = Range::none();
  if (has_purchase) {
    cost.purchase = basis(inputs, purchase);
    cost.purchase_day = per_token(inputs, purchase_day, cost.load_factor);
    cost.purchase_life = per_token(inputs, purchase_life, cost.load_factor);
  }
  if (has_rent) {
    cost.rent = basis(inputs, rent);
    cost.rent_day = per_token(inputs, rent, cost.load_factor);
    cost.rent_life = per_token(inputs, rent_life, cost.load_factor);
  }
  const double tokens = inputs.prompt_tokens + inputs.output_tokens;
  const Range grams_per_joule = Range::of(inputs.carbon) * (1 / kJoulesPerKwh);
  cost.grams_co2_per_million_tokens = divided(watts, tokens) * 1e6 * grams_per_joule;
  cost.grams_co2_per_million_tokens_day = divided(corner_watts, tokens) / cost.load_factor * 1e6 * grams_per_joule;
  list_grounds(inputs, cost);
  return cost;
}

}  // namespace silicast
