// What a run's cost is made of: who pays for its time, what a day's load is, how long a stack is waited for.
#include "sim/run/cost_inputs.hpp"

#include "scenario_for_tests.hpp"
#include "sim/run/simulation.hpp"

namespace silicast::testing {
namespace {

const std::vector<std::string> kPriced = {"prices=china-2026", "warmup=none"};

std::vector<std::string> priced(std::vector<std::string> more) {
  more.insert(more.begin(), kPriced.begin(), kPriced.end());
  return more;
}

TEST_CASE("requests that are served alone pay for input as long as their prompts take and for output the rest") {
  // No request meets another: the first iteration is its prompt's, the nine others make its other tokens.
  const Scenario scenario = read(kBare, priced({"cluster.pools.0.replicas=1", "workload.arrivals.rate=0.2 /s"}));
  const Summary run = simulate(scenario, {}).summary;
  const double way_in = scenario.pools[0].engine.host.per_request.value;  // ahead of the replica
  const double prompts = run.total.ttft.mean - way_in, all = run.total.e2e.mean - way_in;
  REQUIRE(run.cost);
  const Money& input = run.cost->purchase->per_million_input;
  const Money& output = run.cost->purchase->per_million_output;
  const double per_hour = run.cost->purchase->per_hour.rmb.value;
  const double requests_per_hour = run.total.throughput.requests * 3600;
  CHECK(input.rmb.value == Approx(per_hour * prompts / all / (requests_per_hour * 100 / 1e6)).epsilon(1e-3));
  CHECK(output.rmb.value == Approx(per_hour * (1 - prompts / all) / (requests_per_hour * 10 / 1e6)).epsilon(1e-3));
}

TEST_CASE("a day at the run's own load costs what the run does") {
  const Cost cost = *simulate(read(kBusy, priced({"prices={sheet: china-2026, load_factor: 1}"})), {}).summary.cost;
  CHECK(cost.electricity_day.value == Approx(cost.electricity.value));
  CHECK(cost.electricity_day.low == Approx(cost.electricity.low));
  CHECK(cost.electricity_day.high == Approx(cost.electricity.high));
  CHECK(cost.purchase_day->per_million_total.rmb.high == Approx(cost.purchase->per_million_total.rmb.high));
  CHECK(cost.grams_co2_per_million_tokens_day.value == Approx(cost.grams_co2_per_million_tokens.value));
}

TEST_CASE("the porting delay is the stack's, over the sheet's depreciation") {
  const Scenario scenario = read(kBusy, priced({"cluster.pools.0.node=atlas-800-a2"}));
  const Cost cost = *simulate(scenario, {}).summary.cost;
  const Evidence& delay = scenario.pools[0].stack.porting_delay;
  const Evidence& life = scenario.prices->sheet.depreciation;
  REQUIRE(delay.value > 0);
  CHECK(cost.porting_delay_factor.value == Approx(life.value / (life.value - delay.value)));
  CHECK(cost.porting_delay_factor.high == Approx(life.low / (life.low - delay.high)));
  CHECK(cost.purchase_life->per_million_total.rmb.value ==
        Approx(cost.purchase_day->per_million_total.rmb.value * cost.porting_delay_factor.value));
}

TEST_CASE("a day's load is the scenario's word, else that of its use cases, else the price sheet's") {
  const auto load_of = [](const std::vector<std::string>& settings) {
    return *read(kBare, priced(settings)).prices->load_factor;
  };
  const std::string chat = "workload={users: 2000, use_case: {base: chat, peak_factor: 2}}";
  CHECK(load_of({}).of == "the price sheet");
  CHECK(load_of({}).factor.low < load_of({}).factor.value);
  CHECK(load_of({chat}).of == "its use cases");
  CHECK(load_of({chat}).factor.value == 0.5);
  CHECK(load_of({chat, "prices={sheet: china-2026, load_factor: 0.3}"}).of == "the scenario");
  CHECK(load_of({chat, "prices={sheet: china-2026, load_factor: 0.3}"}).factor.high == 0.3);
  const std::string sheet = SILICAST_SOURCE_DIR "/tests/bad_input/base/prices.yaml";
  CHECK_FALSE(read(kBare, {"prices={sheet: " + sheet + "}"}).prices->load_factor.has_value());
}

TEST_CASE("use cases together have the mean of their load factors by what each asks") {
  // 2000 and 1000 users with a rate of 1 and of 1 a user: 2 x 0.5 and 1 x 0.25 of 3
  const std::string one = "{base: chat, active_share: 1, requests_per_active_minute: 30, peak_factor: 2}";
  const std::string other = "{base: chat, active_share: 1, requests_per_active_minute: 15, peak_factor: 4}";
  const Scenario scenario = read(kBare, priced({"workload={merge: [{users: 2000, use_case: " + one +
                                                "}, {users: 1000, use_case: " + other + "}]}"}));
  CHECK(scenario.prices->load_factor->factor.value == Approx((2 * 0.5 + 1 * 0.25) / 3));
}

}  // namespace
}  // namespace silicast::testing
