// Tiers below the prompt caches of a pool's replicas, from the fastest to the slowest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/memory/tier_store.hpp"
#include "sim/serving/observer.hpp"

namespace silicast {

// Who shares one store of a tier, and its bandwidth.
enum class TierOwner : std::uint8_t { kReplica, kNode, kPool, kCluster };

struct TierSetup {
  // Of its name, below kMaxTiers: what records and counts call it. Those of a cluster with one number are one store, of
  // which all pools say the same.
  std::int32_t number = 0;
  TierOwner of = TierOwner::kReplica;
  std::int64_t blocks = 1;   // of prompts, that a store holds
  BytesPerSecond bandwidth;  // of a store, each way
  // Of a replica, to and from a store that it shares with others.
  BytesPerSecond replica_bandwidth;
  Seconds latency;       // before the first byte of a fetch
  bool through = false;  // gets what is computed when it is, not what falls out of the level above
  TierEviction eviction = TierEviction::kLru;
  Seconds ttl;
};

struct TiersSetup {
  std::vector<TierSetup> tiers;
  std::int64_t block_bytes = 1;               // of a block of prompts, as stores keep it
  std::int64_t fetched_bytes = 1;             // the same with the copies that several chips of a replica hold
  std::vector<std::int32_t> node_of_replica;  // numbers of the pool's own; needed where a node owns a tier
};

// What a tier did, over all of its stores.
struct TierCounts {
  std::int64_t asked = 0;    // blocks of the fetches that began
  std::int64_t fetched = 0;  // of those that ended
  std::int64_t stopped = 0;  // of those that somebody stopped, whatever had come
  std::int64_t written = 0;
  std::int64_t most_blocks = 0;  // in one store at a time
};

}  // namespace silicast
