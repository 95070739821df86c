#include "sim/serving/placement.hpp"

#include <algorithm>

#include "sim/base/check.hpp"

namespace silicast {

Placement::Placement(std::vector<std::int64_t> capacities, RouterFactory* make_router, std::uint64_t seed) {
  std::vector<std::int64_t> steps = capacities;
  std::sort(steps.begin(), steps.end());
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
  for (const std::int64_t step : steps) {
    if (step < 0) continue;
    Tier tier;
    tier.capacity = step;
    for (std::size_t replica = 0; replica < capacities.size(); ++replica) {
      const bool member = capacities[replica] >= step;
      tier.number_of.push_back(member ? static_cast<std::int32_t>(tier.members.size()) : -1);
      if (member) tier.members.push_back({static_cast<std::int32_t>(replica)});
    }
    tier.loads.resize(tier.members.size());
    tier.router = make_router(static_cast<std::int32_t>(tier.members.size()), seed + tiers_.size());
    tiers_.push_back(std::move(tier));
  }
  SILICAST_CHECK(!tiers_.empty());
}

ReplicaId Placement::choose(const RequestView& request, std::int64_t kv_tokens) {
  std::size_t i = 0;
  while (i + 1 < tiers_.size() && tiers_[i].capacity < kv_tokens) ++i;
  Tier& tier = tiers_[i];
  return tier.members[tier.router->choose(request, tier.loads).index()];
}

void Placement::change_load(ReplicaId replica, std::int32_t requests, std::int64_t prompt_tokens) {
  if (tiers_.front().number_of[replica.index()] >= 0) requests_ += requests;
  for (Tier& tier : tiers_) {
    const std::int32_t number = tier.number_of[replica.index()];
    if (number < 0) break;  // nor does it reach the larger ones
    ReplicaLoad& load = tier.loads[static_cast<std::size_t>(number)];
    load.requests += requests;
    load.prompt_tokens += prompt_tokens;
    tier.router->load_changed({number}, load);
  }
}

}  // namespace silicast
