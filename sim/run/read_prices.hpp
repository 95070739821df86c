// What a scenario's money is counted with: a price sheet, with what the scenario knows better.
//
//   prices: china-2026                      # or
//   prices:
//     sheet: china-2026
//     region: coast
//     load_factor: 0.6
//     change: {stacks: {CANN: {porting: 5000000 RMB}}, chips: {h20-96: {purchase: 90000 RMB}}}   # of the sheet
#pragma once

#include <string>
#include <vector>

#include "sim/run/scenario.hpp"

namespace silicast {

// Errors (InputError): no such sheet; a change that it has no key for; a stack of `pools` whose porting takes longer
// than its chips last.
PriceScenario read_prices(const ConfigValue& prices, const std::string& configs_dir,
                          const std::vector<PoolScenario>& pools);

}  // namespace silicast
