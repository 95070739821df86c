// Tiers below the prompt caches of a pool: what a scenario says of them, checked and put in numbers.
#pragma once

#include <string>
#include <vector>

#include "sim/run/scenario.hpp"

namespace silicast {

// kv_tiers: from the fastest to the slowest,
//   - {name, capacity: 512 GB, of: replica | node | pool | cluster, bandwidth: 50 GB/s,
//      replica_bandwidth: 50 GB/s, latency: 10 us, write: back | through, evict: lru | fifo | ttl, ttl: 10 min}
// Capacity and bandwidth (each way) are those of one store; each replica has its own (the default), or those on a node
// or in the whole pool share one, each over `replica_bandwidth`; one of the cluster is that of all pools that name it.
// Defaults: the chips' host_link for stores of a replica or of a node, and for what a replica reaches of its node's;
// the NICs of its chips for what it reaches of others. A store keeps one copy of what several chips of a replica hold,
// each of which fetches its own.
// `write: back` (the default) keeps what falls out of the level above, `through` what is computed, as it is.
// Errors (InputError): no tier or too many, one name twice, no bandwidth known, a ttl and `evict: ttl` one without the
// other, an engine that keeps no prompts.
std::vector<TierScenario> read_tiers(const ConfigValue& tiers, const PoolScenario& pool);

// Once pools are placed and the blocks of the workload's prompts are known (0 tokens: none are). Errors (InputError): a
// store that holds not one block, stores of nodes where replicas span several, too many different names in all, pools
// that say different things of a store of the cluster.
void check_tiers(Scenario& scenario, std::int32_t block_tokens);

// The different names of all pools, in the order in which they come: what they are numbered by.
std::vector<std::string> tier_names(const Scenario& scenario);

TiersSetup tiers_setup(const PoolScenario& pool, const std::vector<std::string>& names, std::int32_t block_tokens);

// What came of them, in words.
std::vector<std::string> notes_on_tiers(const Scenario& scenario, const KvTiers& tiers, std::int32_t block_tokens);

}  // namespace silicast
