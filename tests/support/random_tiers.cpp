#include "tests/support/random_tiers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace silicast::testing {

void add_tiers(RandomScenario& scenario, std::uint64_t seed, int time_scale) {
  RandomStream draw(seed, "random_tiers");
  const double scale = time_scale;
  for (PoolSetup& pool : scenario.setup.pools) {
    if (pool.limits.prompt_block == 0) continue;
    if (draw.below(2) == 0)
      pool.limits.blocks = std::max(pool.limits.blocks / 4, std::min<std::int64_t>(pool.limits.blocks, 45));
    pool.tiers.block_bytes = static_cast<std::int64_t>(1000 + draw.below(100'000));
    pool.tiers.fetched_bytes = pool.tiers.block_bytes * static_cast<std::int64_t>(1 + draw.below(2));
    for (std::int32_t r = 0; r < pool.replicas; ++r) pool.tiers.node_of_replica.push_back(r / 2);
    const auto blocks = static_cast<double>(pool.tiers.block_bytes);
    double seconds = 1e-6 + 4e-4 * draw.uniform() * draw.uniform();  // for a block
    for (std::uint64_t i = 1 + draw.below(3); i > 0; --i) {
      TierSetup tier;
      tier.number = static_cast<std::int32_t>(pool.tiers.tiers.size());
      tier.of = static_cast<TierOwner>(draw.below(3));
      tier.blocks = static_cast<std::int64_t>(1 + draw.below(draw.below(2) == 0 ? 8 : 200));
      tier.bandwidth = BytesPerSecond(blocks / seconds / scale);
      tier.replica_bandwidth = tier.bandwidth * (0.5 + draw.uniform());
      tier.latency = Seconds(draw.below(3) == 0 ? 0 : scale * 5e-4 * draw.uniform());
      tier.through = draw.below(2) == 0;
      tier.eviction = static_cast<TierEviction>(draw.below(3));
      tier.ttl = Seconds(scale * draw.uniform());
      scenario.description += fmt::format(", tier of {} blocks {} {}{}", tier.blocks, name_of(tier.eviction),
                                          tier.of == TierOwner::kReplica ? "a replica"
                                          : tier.of == TierOwner::kNode  ? "a node"
                                                                         : "a pool",
                                          tier.through ? " through" : "");
      pool.tiers.tiers.push_back(tier);
      seconds *= 1 + 3 * draw.uniform();
    }
  }
  // The last tiers of all pools are one store at times.
  if (draw.below(3) > 0) return;
  const TierSetup* first = nullptr;
  for (PoolSetup& pool : scenario.setup.pools) {
    if (pool.tiers.tiers.empty()) continue;
    TierSetup& last = pool.tiers.tiers.back();
    last.of = TierOwner::kCluster;
    last.number = kMaxTiers - 1;
    if (first == nullptr) first = &last;
    last.blocks = first->blocks, last.bandwidth = first->bandwidth;
    last.eviction = first->eviction, last.ttl = first->ttl;
  }
  if (first != nullptr) scenario.description += ", the last ones one of the cluster";
}

}  // namespace silicast::testing
