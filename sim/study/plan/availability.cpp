#include "sim/study/plan/availability.hpp"

#include <algorithm>
#include <cmath>

namespace silicast {

double share_of_time_up(std::int64_t needed, std::int64_t bought, const PlanAvailability& availability) {
  if (needed <= 0) return 1;
  if (bought < needed) return 0;
  const double up = 1 / (1 + availability.failures_per_node_day * availability.repair_days);
  // Binomial, summed from all up downwards: the terms of many failures are the small ones.
  double log_term = static_cast<double>(bought) * std::log(up), sum = 0;
  for (std::int64_t down = 0; down <= bought - needed; ++down) {
    sum += std::exp(log_term);
    log_term +=
        std::log(static_cast<double>(bought - down) / static_cast<double>(down + 1)) + std::log1p(-up) - std::log(up);
  }
  return std::min(sum, 1.0);
}

std::int64_t nodes_to_buy(std::int64_t needed, std::int64_t spare, const PlanAvailability& availability) {
  std::int64_t bought = needed + spare;
  if (availability.share <= 0 || needed == 0) return bought;
  bought = std::max(bought, needed);
  while (share_of_time_up(needed, bought, availability) < availability.share) ++bought;
  return bought;
}

}  // namespace silicast
