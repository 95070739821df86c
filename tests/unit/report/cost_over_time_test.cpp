// Costs over a day and over the life of chips by hand: licences, load factor, porting delay.
#include <catch2/catch.hpp>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/report/cost.hpp"
#include "sim/report/metrics.hpp"

using namespace silicast;

namespace {

Evidence sure(double value) {
  return {value, value, value, Grade::kVendor, "by hand"};
}
Evidence between(double low, double value, double high) {
  return {value, low, high, Grade::kEstimate, "by hand"};
}

// 10 chips, 8 of them in replicas that spend half of their time in decode and a tenth on prompts. Shares of 1,000 W: off
// 0.2, idle 0.25, decode 0.65, prefill 0.95: 8 x (0.4 x 0.25 + 0.5 x 0.65 + 0.1 x 0.95) + 2 x 0.2 = 4.56 chips' worth, and
// with a server factor of 2 9,120 W; at a PUE of 1 and 1 RMB/kWh 9.12 RMB/h. Capital: 10 x 40,000 RMB / 4 years of 8,760 h.
CostInputs inputs() {
  CostInputs inputs;
  inputs.price_sheet = "test";
  PoolPrices pool;
  pool.name = "pool";
  pool.chips = 10;
  pool.used_chips = 8;
  pool.purchase = sure(40'000);
  pool.rent = sure(3);
  pool.rated_watts = Range::exactly(0);
  pool.tdp = sure(1000);
  pool.server_factor = sure(2);
  pool.mean_watts = Range::exactly(9120);
  pool.staff = sure(0);
  pool.busy_share = 0.6;
  pool.prefill_share = 0.1;
  pool.busy_seconds = 60;
  pool.prefill_seconds = 10;
  inputs.pools = {pool};
  inputs.power = {sure(0.2), sure(0.25), sure(0.65), sure(0.95)};
  inputs.depreciation_years = sure(4);
  inputs.pue = sure(1);
  inputs.tariff = sure(1);
  inputs.site = sure(0);
  inputs.rmb_per_usd = sure(7);
  inputs.carbon = sure(500);
  inputs.prompt_tokens = 3e6 / 3600;  // 3 million per hour
  inputs.output_tokens = 1e6 / 3600;  // 1 million per hour
  inputs.good_requests = 1;
  return inputs;
}
constexpr double kCapital = 400'000 / (4 * 8760.0);

void check_same(const Range& a, const Range& b) {
  CHECK(a.value == Approx(b.value));
  CHECK(a.low == Approx(b.low));
  CHECK(a.high == Approx(b.high));
}

}  // namespace

TEST_CASE("a licence is paid for every chip in use, whether chips are bought or rented") {
  CostInputs in = inputs();
  in.pools[0].licence = between(0, 1.5, 2);
  const Cost cost = cost_of(in);
  CHECK(cost.licence.value == Approx(8 * 1.5));
  CHECK(cost.licence.low == 0);
  CHECK(cost.licence.high == Approx(16));
  CHECK(cost.purchase->per_hour.rmb.value == Approx(kCapital + 9.12 + 12));
  CHECK(cost.rent->per_hour.rmb.value == Approx(30 + 12));
  CHECK(cost.grounds[3].what == "licence for pool");
  CHECK(cost.weakest == Grade::kEstimate);
}

TEST_CASE("a licence of nothing changes nothing, and one that is not known is not said to be nothing") {
  CostInputs in = inputs();
  const Cost without = cost_of(in);
  CHECK(std::isnan(without.licence.value));
  in.pools[0].licence = sure(0);
  const Cost with = cost_of(in);
  CHECK(with.licence.value == 0);
  CHECK(with.purchase->per_hour.rmb.value == without.purchase->per_hour.rmb.value);
  CHECK(with.rent->per_hour.rmb.value == without.rent->per_hour.rmb.value);
}

TEST_CASE("half the load all day: twice the fixed cost per token, prompts in half the time, decode as long as before") {
  CostInputs in = inputs();
  in.load_factor = sure(0.5);
  const Cost cost = cost_of(in);
  // 8 x (0.45 x 0.25 + 0.5 x 0.65 + 0.05 x 0.95) + 2 x 0.2 = 4.28 chips' worth
  const double electricity = 4.28 * 2;
  CHECK(cost.electricity_day.value == Approx(electricity));
  CHECK(cost.purchase_day->per_million_total.rmb.value == Approx((kCapital + electricity) / (4 * 0.5)));
  CHECK(cost.purchase_day->per_million_total.usd.value == Approx((kCapital + electricity) / (4 * 0.5) / 7));
  CHECK(cost.purchase_day->per_good_request.rmb.value == Approx((kCapital + electricity) / (3600 * 0.5)));
  CHECK(cost.rent_day->per_million_total.rmb.value == Approx(30.0 / (4 * 0.5)));
  // 1/6 of the busy time was prefill's
  CHECK(cost.purchase_day->per_million_input.rmb.value == Approx((kCapital + electricity) / 6 / (3 * 0.5)));
  CHECK(cost.purchase_day->per_million_output.rmb.value == Approx((kCapital + electricity) * 5 / 6 / (1 * 0.5)));
  CHECK(cost.grams_co2_per_million_tokens_day.value == Approx(electricity * 500 / (4 * 0.5)));
  CHECK(cost.purchase->per_million_total.rmb.value == Approx((kCapital + 9.12) / 4));  // the run's own load as before
  CHECK(cost.grounds.back().what == "load factor");
}

TEST_CASE("off-peak decode takes from its share of the load to all that prompts leave") {
  CostInputs in = inputs();
  in.load_factor = sure(0.5);
  const Range day = cost_of(in).electricity_day;
  CHECK(day.low == Approx(2 * (8 * (0.70 * 0.25 + 0.25 * 0.65 + 0.05 * 0.95) + 0.4)));
  CHECK(day.high == Approx(2 * (8 * (0.40 * 0.25 + 0.55 * 0.65 + 0.05 * 0.95) + 0.4)));
}

TEST_CASE("tokens are cheapest at the high end of the load factor and dearest at its low end") {
  CostInputs in = inputs();
  in.load_factor = between(0.25, 0.5, 0.8);
  const Cost cost = cost_of(in);
  CHECK(cost.rent_day->per_million_total.rmb.low == Approx(30.0 / (4 * 0.8)));
  CHECK(cost.rent_day->per_million_total.rmb.high == Approx(30.0 / (4 * 0.25)));
  const double cheap = 2 * (8 * ((1 - 0.4 - 0.08) * 0.25 + 0.4 * 0.65 + 0.08 * 0.95) + 0.4);
  const double dear = 2 * (8 * (0.4 * 0.25 + 0.575 * 0.65 + 0.025 * 0.95) + 0.4);
  CHECK(cost.purchase_day->per_million_total.rmb.low == Approx((kCapital + cheap) / (4 * 0.8)));
  CHECK(cost.purchase_day->per_million_total.rmb.high == Approx((kCapital + dear) / (4 * 0.25)));
  CHECK(cost.electricity_day.low <= cost.electricity_day.value);
  CHECK(cost.electricity_day.value <= cost.electricity_day.high);
}

TEST_CASE("a porting delay of d of y years makes every useful token y / (y - d) times as dear") {
  CostInputs in = inputs();
  in.pools[0].porting_delay = sure(1);
  const Cost cost = cost_of(in);
  CHECK(cost.porting_delay_factor.value == Approx(4.0 / 3));
  CHECK(cost.purchase_life->per_million_total.rmb.value == Approx((kCapital + 9.12) / 4 * 4 / 3));
  CHECK(cost.rent_life->per_million_output.usd.value == Approx(30.0 * 5 / 6 / 1 * 4 / 3 / 7));
  CHECK(cost.purchase_day->per_million_total.rmb.value == Approx((kCapital + 9.12) / 4));
  in.depreciation_years = between(3, 4, 5);
  in.pools[0].porting_delay = between(0, 1, 2);
  CHECK(cost_of(in).porting_delay_factor.low == Approx(1));
  CHECK(cost_of(in).porting_delay_factor.high == Approx(3));
  CHECK(cost_of(in).grounds[3].what == "porting delay of pool");
}

TEST_CASE("each pool waits for its own stack") {
  CostInputs in = inputs();
  in.pools.push_back(in.pools[0]);
  in.pools[1].chips = 30;
  in.pools[1].porting_delay = sure(2);
  const Cost cost = cost_of(in);
  CHECK(cost.rent_life->per_million_total.rmb.value == Approx((30.0 + 90.0 * 2) / 4));
  CHECK(cost.porting_delay_factor.value == Approx((10 * 1 + 30 * 2) / 40.0));
}

TEST_CASE("a load factor of one and a delay of nothing change nothing") {
  CostInputs in = inputs();
  const Cost plain = cost_of(in);
  in.load_factor = sure(1);
  in.pools[0].porting_delay = sure(0);
  const Cost given = cost_of(in);
  for (const Cost* cost : {&plain, &given}) {
    check_same(cost->load_factor, Range::exactly(1));
    check_same(cost->porting_delay_factor, Range::exactly(1));
    check_same(cost->electricity_day, plain.electricity);
    check_same(cost->grams_co2_per_million_tokens_day, plain.grams_co2_per_million_tokens);
    for (const auto& over_time : {cost->purchase_day, cost->purchase_life}) {
      check_same(over_time->per_million_input.rmb, plain.purchase->per_million_input.rmb);
      check_same(over_time->per_million_output.usd, plain.purchase->per_million_output.usd);
      check_same(over_time->per_million_total.rmb, plain.purchase->per_million_total.rmb);
      check_same(over_time->per_good_request.rmb, plain.purchase->per_good_request.rmb);
    }
    check_same(cost->rent_day->per_million_total.rmb, plain.rent->per_million_total.rmb);
    check_same(cost->rent_life->per_million_total.rmb, plain.rent->per_million_total.rmb);
  }
}

TEST_CASE("every range of a cost holds its value, and less load or a longer wait never makes a token cheaper") {
  double last = 0;
  for (const double load : {1.0, 0.9, 0.6, 0.3, 0.1, 0.01}) {
    CostInputs in = inputs();
    in.load_factor = between(load / 2, load, std::min(1.0, load * 1.5));
    in.pools[0].porting_delay = between(0, 1 - load, 2);
    in.pools[0].licence = between(0, 1, 2);
    in.power = {between(0.1, 0.2, 0.3), between(0.2, 0.25, 0.3), between(0.5, 0.65, 0.8), between(0.8, 0.95, 1)};
    const Cost cost = cost_of(in);
    for (const Metric& metric : cost_metrics(cost)) {
      INFO(load << ": " << metric.key);
      if (!metric.has_range || std::isnan(metric.value)) continue;
      CHECK(metric.low <= metric.value * (1 + 1e-12));
      CHECK(metric.value <= metric.high * (1 + 1e-12));
    }
    CHECK(cost.purchase_life->per_million_total.rmb.value > last);
    last = cost.purchase_life->per_million_total.rmb.value;
  }
}

TEST_CASE("without all prices there is no basis over a day or a life either") {
  CostInputs in = inputs();
  in.pools[0].purchase = {};
  in.pools[0].rent.reset();
  const Cost cost = cost_of(in);
  CHECK_FALSE((cost.purchase_day || cost.purchase_life || cost.rent_day || cost.rent_life));
}

TEST_CASE("chips that wait for all of their life, or serve nothing on average, are our mistake") {
  CostInputs in = inputs();
  in.pools[0].porting_delay = between(0, 1, 4);
  CHECK_THROWS_AS(cost_of(in), InternalError);
  in = inputs();
  in.load_factor = between(0, 0.5, 1);
  CHECK_THROWS_AS(cost_of(in), InternalError);
}
