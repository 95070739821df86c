// Costs by hand.
#include "sim/report/cost.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/report/metrics.hpp"

using namespace silicast;

namespace {

Evidence sure(double value, Grade grade = Grade::kVendor) {
  return {value, value, value, grade, "by hand"};
}

// 8 chips of 87,600 RMB over 10 years = 87,600 h: 8 RMB/h of capital. 8 x 500 W x PUE 1.25 x 0.4 RMB/kWh = 2
// RMB/h. Site: 8 x 1 kW rated x 365 RMB/kW/month / 730 h = 4 RMB/h; staff half of that, 2. Porting 175,200
// RMB / 87,600 h = 2.
CostInputs inputs() {
  CostInputs inputs;
  inputs.price_sheet = "test";
  PoolPrices pool;
  pool.name = "pool";
  pool.chips = 8;
  pool.purchase = sure(87'600, Grade::kThirdParty);
  pool.rent = sure(3);
  pool.rated_watts = Range::exactly(1000);
  pool.tdp = sure(500);
  pool.server_factor = sure(1);
  pool.used_chips = 8;
  pool.mean_watts = Range::exactly(8 * 500);
  pool.staff = sure(0.5);
  pool.porting = sure(175'200);
  pool.busy_seconds = 100;
  pool.prefill_seconds = 25;
  inputs.pools = {pool};
  inputs.power = {sure(1), sure(1), sure(1), sure(1)};
  inputs.depreciation_years = sure(10);
  inputs.pue = sure(1.25);
  inputs.tariff = sure(0.4, Grade::kMeasured);
  inputs.site = sure(365);
  inputs.rmb_per_usd = sure(7);
  inputs.carbon = sure(720);
  inputs.prompt_tokens = 1e6 / 360;   // 10 million per hour
  inputs.output_tokens = 1e6 / 3600;  // 1 million per hour
  inputs.good_requests = 1;           // 3,600 per hour
  return inputs;
}

}  // namespace

TEST_CASE("a purchase-basis hour is capital, electricity, site, staff and porting") {
  const Cost cost = cost_of(inputs());
  CHECK(cost.capital.value == Approx(8));
  CHECK(cost.electricity.value == Approx(2));
  CHECK(cost.site_cost.value == Approx(4));
  CHECK(cost.staff.value == Approx(2));
  CHECK(cost.porting.value == Approx(2));
  REQUIRE(cost.purchase);
  CHECK(cost.purchase->per_hour.rmb.value == Approx(18));
  CHECK(cost.purchase->per_hour.usd.value == Approx(18.0 / 7));
}

TEST_CASE("input tokens pay for prefill's share of the busy time and output tokens for the rest") {
  const Cost cost = cost_of(inputs());
  CHECK(cost.purchase->per_million_input.rmb.value == Approx(18 * 0.25 / 10));
  CHECK(cost.purchase->per_million_output.rmb.value == Approx(18 * 0.75 / 1));
  CHECK(cost.purchase->per_million_total.rmb.value == Approx(18.0 / 11));
  CHECK(cost.purchase->per_good_request.rmb.value == Approx(18.0 / 3600));
}

TEST_CASE("rent replaces all parts of the purchase basis") {
  const Cost cost = cost_of(inputs());
  REQUIRE(cost.rent);
  CHECK(cost.rent->per_hour.rmb.value == Approx(24));
  CHECK(cost.rent->per_million_output.usd.value == Approx(24 * 0.75 / 7));
}

TEST_CASE("carbon counts the PUE") {
  // 8 x 500 W x 1.25 = 5 kW for 11 million tokens an hour: 5 kWh x 720 g / 11.
  CHECK(cost_of(inputs()).grams_co2_per_million_tokens.value == Approx(5 * 720.0 / 11));
}

TEST_CASE("ranges run from all inputs cheap to all inputs dear") {
  CostInputs in = inputs();
  in.depreciation_years = {10, 8, 20, Grade::kEstimate, "guess"};
  in.pools[0].purchase = {87'600, 43'800, 175'200, Grade::kEstimate, "guess"};
  in.rmb_per_usd = {7, 6, 8, Grade::kEstimate, "guess"};
  const Cost cost = cost_of(in);
  CHECK(cost.capital.low == Approx(8 * 0.5 / 2));
  CHECK(cost.capital.high == Approx(8 * 2 * 10.0 / 8));
  CHECK(cost.purchase->per_hour.usd.low == Approx(cost.purchase->per_hour.rmb.low / 8));
  CHECK(cost.purchase->per_hour.usd.high == Approx(cost.purchase->per_hour.rmb.high / 6));
  CHECK(cost.purchase->per_hour.rmb.value == Approx(18));
}

TEST_CASE("the weakest grade and every input are named") {
  const Cost cost = cost_of(inputs());
  CHECK(cost.weakest == Grade::kThirdParty);
  REQUIRE(cost.grounds.size() == 16);
  CHECK(cost.grounds[0].what == "purchase of pool");
  CHECK(cost.grounds[0].grade == Grade::kThirdParty);
}

TEST_CASE("cost rests on TDP, server factor and power shares too, as electricity and carbon do") {
  const auto weakest_with = [](auto&& weaken) {
    CostInputs in = inputs();
    weaken(in);
    const Cost cost = cost_of(in);
    CHECK(cost.weakest == Grade::kEstimate);
    const auto weak = std::find_if(cost.grounds.begin(), cost.grounds.end(),
                                   [](const CostGround& ground) { return ground.grade == Grade::kEstimate; });
    return weak == cost.grounds.end() ? "" : weak->what;
  };
  CHECK(weakest_with([](CostInputs& in) { in.pools[0].tdp.grade = Grade::kEstimate; }) == "TDP of pool");
  CHECK(weakest_with([](CostInputs& in) { in.pools[0].server_factor.grade = Grade::kEstimate; }) ==
        "server power of pool");
  CHECK(weakest_with([](CostInputs& in) { in.power.off.grade = Grade::kEstimate; }) == "power off");
  CHECK(weakest_with([](CostInputs& in) { in.power.prefill.grade = Grade::kEstimate; }) == "power in prefill");
}

TEST_CASE("parts of a cost that are not known are left out instead of being nothing") {
  CostInputs in = inputs();
  in.pools[0].purchase = {};
  in.pools[0].porting.reset();
  for (const Metric& metric : cost_metrics(cost_of(in))) {
    INFO(metric.key);
    if (metric.key == "capital_per_hour_rmb" || metric.key == "porting_per_hour_rmb") CHECK(std::isnan(metric.value));
    if (metric.key == "electricity_per_hour_rmb") CHECK(metric.value == Approx(2));
  }
}

TEST_CASE("an unknown price of one pool leaves the purchase basis out and keeps rent") {
  CostInputs in = inputs();
  in.pools.push_back(in.pools[0]);
  in.pools[1].purchase = {};
  const Cost cost = cost_of(in);
  CHECK_FALSE(cost.purchase);
  REQUIRE(cost.rent);
  CHECK(cost.rent->per_hour.rmb.value == Approx(48));
}

TEST_CASE("nothing served costs nothing per token that could be stated") {
  CostInputs in = inputs();
  in.prompt_tokens = in.output_tokens = 0;
  in.good_requests = std::nan("");
  const Cost cost = cost_of(in);
  CHECK(std::isnan(cost.purchase->per_million_output.rmb.value));
  CHECK(std::isnan(cost.purchase->per_good_request.usd.high));
  CHECK(cost.purchase->per_hour.rmb.value == Approx(18));
}

TEST_CASE("a depreciation over no time is our mistake") {
  CostInputs in = inputs();
  in.depreciation_years = sure(0);
  REQUIRE_THROWS_AS(cost_of(in), InternalError);
}
