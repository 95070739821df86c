#include "sim/run/read_tiers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/model/attention_work.hpp"
#include "sim/run/disaggregation.hpp"
#include "sim/run/place_pools.hpp"

namespace silicast {
namespace {

// Flows take links within a factor of 2^24 of each other.
constexpr Bounds kBandwidthBounds{1e7, 1e14};
constexpr Bounds kCapacityBounds{1, 1e18};
constexpr Bounds kLatencyBounds{0, 100};
constexpr Bounds kTtlBounds{1e-6, 1e9};

std::optional<BytesPerSecond> bandwidth(ConfigMap& map, std::string_view key) {
  if (const auto given = map.optional(key))
    return BytesPerSecond(given->quantity(Dimension::kByteRate, kBandwidthBounds));
  return std::nullopt;
}

BytesPerSecond or_fail(std::optional<BytesPerSecond> known, const ConfigMap& map, const std::string& what) {
  if (!known) map.fail(what);
  return *known;
}

// Of so many chips together, where the node says it.
std::optional<BytesPerSecond> of_chips(const std::optional<Evidence>& each, std::int32_t chips) {
  if (!each) return std::nullopt;
  return BytesPerSecond(each->value * chips);
}

struct Bandwidths {
  std::optional<BytesPerSecond> given, of_replica;
};

void set_bandwidths(const ConfigMap& map, const Bandwidths& bandwidths, const PoolScenario& pool, TierScenario& tier) {
  const auto& [given, of_replica] = bandwidths;
  const std::int32_t chips = pool.plan.chips();
  const auto host = of_chips(pool.node.host_link, tier.of == TierOwner::kNode ? pool.node.chips : chips);
  const std::string no_host = fmt::format("needs a bandwidth: node '{}' has no host_link", pool.node.name);
  if (tier.of == TierOwner::kReplica) {
    if (of_replica) map.fail("replica_bandwidth is for stores that replicas share; give 'bandwidth' alone");
    tier.bandwidth = tier.replica_bandwidth = or_fail(given ? given : host, map, no_host);
  } else if (tier.of == TierOwner::kNode) {
    tier.bandwidth = or_fail(given ? given : host, map, no_host);
    const auto own = of_chips(pool.node.host_link, chips);
    tier.replica_bandwidth = of_replica ? *of_replica : own ? *own : tier.bandwidth;
  } else {
    tier.bandwidth = or_fail(given, map, "needs a bandwidth: nothing says how fast a store of many nodes is");
    const auto nics = pool.node.nic ? of_chips(pool.node.nic->bandwidth, chips) : std::nullopt;
    tier.replica_bandwidth =
        or_fail(of_replica ? of_replica : nics, map,
                fmt::format("needs a replica_bandwidth: node '{}' has no NIC to reach it by", pool.node.name));
  }
  // What the node gives is bounded more widely than what a scenario says.
  for (const double each : {tier.bandwidth.value(), tier.replica_bandwidth.value()})
    if (each < kBandwidthBounds.low || each > kBandwidthBounds.high)
      map.fail(fmt::format("needs a bandwidth and a replica_bandwidth from {} to {}: node '{}' gives {}",
                           format_quantity(kBandwidthBounds.low, Dimension::kByteRate),
                           format_quantity(kBandwidthBounds.high, Dimension::kByteRate), pool.node.name,
                           format_quantity(each, Dimension::kByteRate)));
}

TierScenario read_tier(const ConfigValue& value, const PoolScenario& pool) {
  ConfigMap map = value.map();
  TierScenario tier;
  tier.at = value;
  tier.name = map.required("name").text();
  tier.capacity = Bytes(map.required("capacity").quantity(Dimension::kBytes, kCapacityBounds));
  if (const auto of = map.optional("of"))
    tier.of = static_cast<TierOwner>(of->choice({"replica", "node", "pool", "cluster"}, "owner of a tier"));
  const Bandwidths bandwidths{bandwidth(map, "bandwidth"), bandwidth(map, "replica_bandwidth")};
  if (const auto latency = map.optional("latency"))
    tier.latency = Seconds(latency->quantity(Dimension::kTime, kLatencyBounds));
  if (const auto write = map.optional("write"))
    tier.through = write->choice({"back", "through"}, "way of writing") == 1;
  if (const auto evict = map.optional("evict"))
    tier.eviction = static_cast<TierEviction>(evict->choice({"lru", "fifo", "ttl"}, "eviction"));
  const auto ttl = map.optional("ttl");
  map.done();
  set_bandwidths(map, bandwidths, pool, tier);
  if (ttl && tier.eviction != TierEviction::kTtl)
    ttl->fail(fmt::format("has no effect with 'evict: {}'; say 'evict: ttl'", name_of(tier.eviction)));
  if (!ttl && tier.eviction == TierEviction::kTtl)
    map.fail("'evict: ttl' needs to know after how long; give 'ttl: 10 min'");
  if (ttl) tier.ttl = Seconds(ttl->quantity(Dimension::kTime, kTtlBounds));
  return tier;
}

// What a store keeps of a token: one copy, however many a replica has (of heads, or of latents, on several chips).
Bytes kept_per_token(const PoolScenario& pool) {
  const std::int32_t layers = pool.replica.model.layer_count();
  ParallelPlan whole;
  whole.stage_layers = {layers};
  return kv_demand(pool.replica.model, whole, pool.precision, 0, layers).per_token;
}

// Of a cluster's store all pools that reach it must say the same, and their blocks must be the same.
void check_one_store(const Scenario& scenario, const PoolScenario& pool, const TierScenario& tier) {
  for (const PoolScenario& other : scenario.pools)
    for (const TierScenario& its : other.tiers) {
      if (its.name != tier.name || (&other == &pool && &its == &tier)) continue;
      const auto differ = [&](bool same, const char* what) {
        if (!same)
          tier.at->fail(
              fmt::format("is the same store as '{}' of pool {}, of another {}; say the same, or give it another name",
                          its.name, other.name, what));
      };
      differ(its.of == tier.of, "owner");
      differ(other.model == pool.model, "model");
      differ(other.precision.kv == pool.precision.kv, "format of KV");
      differ(kept_per_token(other) == kept_per_token(pool), "size of KV per token");
      differ(its.capacity == tier.capacity, "capacity");
      differ(its.bandwidth == tier.bandwidth, "bandwidth");
      differ(its.eviction == tier.eviction && its.ttl == tier.ttl, "eviction");
    }
}

}  // namespace

std::vector<TierScenario> read_tiers(const ConfigValue& value, const PoolScenario& pool) {
  if (!pool.engine.prefix_cache)
    value.fail("prefix_cache of its engine is false: there is no cache of prompts for tiers to be below");
  std::vector<TierScenario> tiers;
  for (const ConfigValue& one : value.list()) {
    tiers.push_back(read_tier(one, pool));
    for (std::size_t i = 0; i + 1 < tiers.size(); ++i)
      if (tiers[i].name == tiers.back().name) one.fail(fmt::format("two tiers are named '{}'", tiers[i].name));
  }
  if (tiers.empty()) value.fail("no tier is given; leave the key out for none");
  if (tiers.size() > kMaxTiers) value.fail(fmt::format("{} tiers are given; {} is the most", tiers.size(), kMaxTiers));
  return tiers;
}

void check_tiers(Scenario& scenario, std::int32_t block_tokens) {
  for (std::size_t p = 0; p < scenario.pools.size(); ++p) {
    const PoolScenario& pool = scenario.pools[p];
    if (pool.tiers.empty()) continue;
    const auto without_effect = [&](const char* why) {
      scenario.without_effect.push_back(fmt::format("cluster.pools[{}].kv_tiers: {}", p, why));
    };
    if (!shares_prompts(pool)) {
      without_effect("the model has a state for each sequence, so its prompts are not kept");
      continue;
    }
    if (block_tokens == 0) {
      without_effect("the workload knows no blocks of prompts");
      continue;
    }
    for (const TierScenario& tier : pool.tiers) {
      if (tier.of == TierOwner::kNode && spans_nodes(pool))
        tier.at->fail("its replicas span nodes, and no store of a node serves such a one; say 'of: replica'");
      if (tier.of == TierOwner::kCluster) check_one_store(scenario, pool, tier);
      if (const double block = kept_per_token(pool).value() * block_tokens; tier.capacity.value() < block)
        tier.at->fail(fmt::format("holds no block: one of {} tokens takes {}", block_tokens,
                                  format_quantity(block, Dimension::kBytes)));
    }
  }
  if (const std::size_t names = tier_names(scenario).size(); names > kMaxTiers)
    for (const PoolScenario& pool : scenario.pools)
      if (!pool.tiers.empty())
        pool.tiers[0].at->fail(
            fmt::format("tiers of {} different names are given in all; {} is the most", names, kMaxTiers));
}

std::vector<std::string> tier_names(const Scenario& scenario) {
  std::vector<std::string> names;
  for (const PoolScenario& pool : scenario.pools)
    for (const TierScenario& tier : pool.tiers)
      if (std::find(names.begin(), names.end(), tier.name) == names.end()) names.push_back(tier.name);
  return names;
}

TiersSetup tiers_setup(const PoolScenario& pool, const std::vector<std::string>& names, std::int32_t block_tokens) {
  TiersSetup setup;
  if (pool.tiers.empty() || !shares_prompts(pool) || block_tokens == 0) return setup;
  setup.block_bytes = static_cast<std::int64_t>(std::ceil(kept_per_token(pool).value() * block_tokens));
  setup.fetched_bytes = static_cast<std::int64_t>(std::ceil(kv_size(pool).per_token.value() * block_tokens));
  for (const std::vector<std::int32_t>& chips : pool.replica_chips)
    setup.node_of_replica.push_back((chips.front() - pool.first_chip) / pool.node.chips);
  for (const TierScenario& one : pool.tiers) {
    TierSetup tier;
    tier.number = static_cast<std::int32_t>(std::find(names.begin(), names.end(), one.name) - names.begin());
    tier.of = one.of;
    tier.blocks = std::max<std::int64_t>(1, static_cast<std::int64_t>(one.capacity.value()) / setup.block_bytes);
    tier.blocks = std::min<std::int64_t>(tier.blocks, std::int64_t{1} << 30);
    tier.bandwidth = one.bandwidth;
    tier.replica_bandwidth = one.replica_bandwidth;
    tier.latency = one.latency;
    tier.through = one.through;
    tier.eviction = one.eviction;
    tier.ttl = one.ttl;
    setup.tiers.push_back(tier);
  }
  return setup;
}

std::vector<std::string> notes_on_tiers(const Scenario& scenario, const KvTiers& tiers, std::int32_t block_tokens) {
  std::vector<std::string> notes;
  const std::vector<std::string> names = tier_names(scenario);
  for (std::size_t t = 0; t < names.size(); ++t) {
    const TierCounts& counts = tiers.counts()[t];
    notes.push_back(fmt::format("tier {} is '{}': {} tokens fetched, {} written, at most {} kept in one store", t + 1,
                                names[t], counts.fetched * block_tokens, counts.written * block_tokens,
                                counts.most_blocks * block_tokens));
  }
  return notes;
}

}  // namespace silicast
