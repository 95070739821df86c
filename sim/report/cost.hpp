// Money, energy and carbon of a run's throughput: at the load of the run, over a day of which that load is the busiest
// hour, and over the life of chips that wait for their software first. Inputs are plain numbers with their evidence;
// every answer is a range (all inputs at their cheap end, all at their dear end) and names the grades that it rests on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/evidence.hpp"
#include "topology/price_sheet.hpp"

namespace silicast {

// low <= value <= high, or all NaN where there is nothing to say.
struct Range {
  double value = 0;
  double low = 0;
  double high = 0;

  static Range of(const Evidence& evidence) { return {evidence.value, evidence.low, evidence.high}; }
  static Range exactly(double value) { return {value, value, value}; }
  static Range none();
  Range operator+(const Range& other) const { return {value + other.value, low + other.low, high + other.high}; }
  // Of non-negative ranges.
  Range operator*(const Range& other) const { return {value * other.value, low * other.low, high * other.high}; }
  Range operator*(double factor) const { return {value * factor, low * factor, high * factor}; }
  Range operator/(const Range& other) const { return {value / other.value, low / other.high, high / other.low}; }
};

struct PoolPrices {
  std::string name;
  std::int32_t chips = 0;
  Evidence purchase;             // RMB per chip with its share of the server; value 0: not known
  std::optional<Evidence> rent;  // RMB per chip and hour, all included
  Range rated_watts;             // of one chip with its share of the server: TDP times server factor; or none
  Evidence tdp;                  // W per chip; what mean_watts rests on, with server_factor and the shares
  Evidence server_factor;
  Range mean_watts;                 // of all servers of the pool as they ran (PoolUse::watts)
  Evidence staff;                   // operations staff as a fraction of the site's cost
  std::optional<Evidence> porting;  // RMB once for the software stack of this chip
  std::optional<Evidence> licence;  // RMB per chip in use and hour for that stack's software
  // Years from the purchase until the stack serves; under depreciation_years.
  std::optional<Evidence> porting_delay;
  std::int32_t used_chips = 0;  // in replicas; the others draw PowerShares::off
  // Shares of the replicas' time in the measurement window: in iterations, and of all time in what prompts took.
  double busy_share = 0;
  double prefill_share = 0;
  // Replica seconds in the measurement window (PoolUse): they split the pool's cost between input and output.
  double busy_seconds = 0;
  double prefill_seconds = 0;
};

struct CostInputs {
  std::string price_sheet;  // its name
  std::vector<PoolPrices> pools;
  PowerShares power;  // what mean_watts rests on
  Evidence depreciation_years;
  Evidence pue;
  Evidence tariff;  // RMB/kWh
  Evidence site;    // RMB per rated kW and month (730 h)
  Evidence rmb_per_usd;
  Evidence carbon;                      // g CO2 per kWh
  std::optional<Evidence> load_factor;  // mean over peak load of a day; none: the run's load all day
  // Of the measurement window, per second.
  double prompt_tokens = 0;
  double output_tokens = 0;
  double good_requests = 0;  // NaN without targets
};

struct Money {
  Range rmb;
  Range usd;
};

// Cost per hour on one basis, and what follows from it.
struct CostBasis {
  Money per_hour;
  Money per_million_input;   // the share of busy time that prefill takes, over input tokens
  Money per_million_output;  // the rest, over output tokens; idle time is shared in proportion
  Money per_million_total;   // all of it over all tokens
  Money per_good_request;
};

// What follows from a cost per hour that is not the run's.
struct TokenCost {
  Money per_million_input, per_million_output, per_million_total, per_good_request;
};

struct CostGround {
  std::string what;  // "purchase of chat", "tariff"
  Grade grade = Grade::kEstimate;
  std::string source;
};

struct Cost {
  std::string price_sheet;
  std::optional<CostBasis> purchase;  // absent when a pool's price is not known
  std::optional<CostBasis> rent;      // absent when a pool has no rent
  // Parts of the purchase basis, RMB per hour; NaN where a pool's price (capital) or every pool's porting or
  // licence cost is not known. Licences are part of the rent basis too.
  Range capital, electricity, site_cost, staff, porting, licence;
  Range grams_co2_per_million_tokens;
  // Over a day: the fleet is there for the busiest hour, which the run is taken for, and serves load_factor of it on
  // average. Prompts take that much less time. Decode takes as long as in the run (smaller batches, as many
  // iterations); at its cheap end it shrinks with the load, at its dear end it fills the time that prompts leave.
  Range load_factor;      // exactly 1 where none is given
  Range electricity_day;  // RMB per hour
  std::optional<TokenCost> purchase_day, rent_day;
  Range grams_co2_per_million_tokens_day;
  // Over the depreciation, of which the porting delay of its stack goes by without a token: the same times
  // years / (years - delay), pool by pool.
  Range porting_delay_factor;  // mean over all chips; exactly 1 where no delay is given
  std::optional<TokenCost> purchase_life, rent_life;
  Grade weakest = Grade::kMeasured;
  std::vector<CostGround> grounds;  // in order of the inputs
};

// Our own mistake (CHECK): depreciation, PUE, tariff, exchange rate or load factor not positive, no chips, a porting
// delay that may reach the depreciation.
Cost cost_of(const CostInputs& inputs);

}  // namespace silicast
