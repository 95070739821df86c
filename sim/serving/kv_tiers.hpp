// Where KV blocks of prompts go that fall out of the replicas' memory, and how they come back: stores of each tier, and
// the transfers between them and the chips, which share bandwidth max-min fairly.
//
// What ranks tell at one instant is done once all of them have planned, in the order of the ranks, whoever's event came
// first; what they ask for is answered as things stood before. A block is there for others when all of it has been
// written; a store writes all that has been put meanwhile at a time, for each replica. What falls out of a store before
// its turn came is written to the next tier only. A fetch goes on whatever falls out.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/serving/request_table.hpp"
#include "sim/serving/tier_setup.hpp"
#include "sim/serving/timed_flows.hpp"

namespace silicast {

class TierHost {
 public:
  virtual ~TierHost() = default;
  virtual void blocks_fetched(RequestSlot slot) = 0;  // all of them, now
};

// What a request that is to be admitted can get: its next blocks, of each tier of its pool.
struct TierOffer {
  std::array<std::int32_t, kMaxTiers> blocks{};
  std::int64_t all = 0;
  Seconds time;  // until all of them would be there, as the links are used now
};

class KvTiers {
 public:
  // The ranks of a pool's replicas, in the order of the cluster's places.
  struct Pool {
    TiersSetup setup;  // without tiers: none
    std::int32_t replicas = 1;
    std::int32_t ranks = 1;
  };
  KvTiers(const std::vector<Pool>& pools, RequestTable& table, Engine& engine, TierHost& host);

  const std::vector<TierSetup>& tiers(ReplicaId place) const { return pools_[pool_of(place)].setup.tiers; }

  // ---- What ranks ask and tell

  // Offers for the blocks that follow those in memory, of at most so many: first from the fastest tier alone, then from
  // ever slower ones, each longer than the one before. Valid until the next call.
  std::span<const TierOffer> offers(ReplicaId place, std::span<const std::uint64_t> blocks);
  // Blocks of an offer go to this request, which follow so many of its others.
  void fetch(RequestSlot slot, std::int64_t first, const TierOffer& offer);
  // Of those that have just come, from a tier of the pool.
  std::int32_t fetched(RequestSlot slot, std::size_t tier) const { return fetches_[slot.index()].parts[tier].blocks; }
  void stop(RequestSlot slot);  // nothing more is heard of it
  void end();                   // nobody is left to ask: what is still written must not make the run any longer
  // Blocks have fallen out of memory there, the first to go first; blocks have been computed there, or have come.
  void put(ReplicaId place, std::span<const std::uint64_t> fallen, std::span<const std::uint64_t> computed);

  // ---- For reports and tests

  const std::array<TierCounts, kMaxTiers>& counts() const { return counts_; }  // by number
  // To move, by all flows so far; stopped ones as far as they came.
  std::int64_t bytes_asked() const { return bytes_asked_; }
  std::int64_t bytes_moved() const;  // by flows that have ended, stopped ones as far as they came
  void check() const;                // that no store holds more than it may

 private:
  // One way between a replica and a store: links of both directions.
  struct Way {
    std::int32_t store = 0;
    std::array<std::int32_t, 2> read{-1, -1}, write{-1, -1};  // links; -1: no second
    BytesPerSecond of_rank;                                   // what the chips of one rank can take of it
    std::int32_t pool = 0, tier = 0;
    std::vector<std::uint64_t> queue;                             // blocks that wait to be written
    std::vector<std::pair<std::uint64_t, std::int64_t>> writing;  // those of the flow in flight, with their tickets
  };
  struct Part {  // of a fetch, from one tier
    std::int32_t blocks = 0;
    std::int32_t way = 0;
    EventId start;
    FlowId flow;
    std::int64_t bytes = 0;
  };
  struct Fetch {
    std::array<Part, kMaxTiers> parts;
    std::int64_t first = 0;
    std::int32_t under_way = 0;  // parts that have not come
    bool known = false;
  };
  struct Put {
    std::int32_t place;
    std::uint64_t block;
    bool computed;
  };

  std::size_t pool_of(ReplicaId place) const { return static_cast<std::size_t>(pool_of_place_[place.index()]); }
  Way& way(ReplicaId place, std::size_t tier) {
    return ways_[static_cast<std::size_t>(first_way_[place.index()]) + tier];
  }
  std::span<const std::int32_t> links(const std::array<std::int32_t, 2>& both) const {
    return {both.data(), both[1] < 0 ? std::size_t{1} : std::size_t{2}};
  }
  struct Owner {
    std::int32_t store = -1, link = -1;
  };
  std::vector<BytesPerSecond> links_of_all();
  void add_way(std::size_t pool, std::int32_t replica, std::size_t tier);
  std::int32_t add_links(BytesPerSecond bandwidth);  // for reading, and the next for writing
  TierCounts& counts_of(const Way& one);
  double rate_of_one_more(const Way& one) const;
  void count_reader(const Way& one, int change);
  void due();
  void settle(std::int64_t);
  void begin_fetch(RequestSlot slot);
  void begin_part(std::int64_t slot_and_part);
  void keep(ReplicaId place, std::size_t tier, std::uint64_t block);
  void write(std::int32_t way);
  void flows_end(std::int64_t);

  std::vector<Pool> pools_;
  RequestTable& table_;
  Engine& engine_;
  TierHost& host_;
  std::vector<BytesPerSecond> capacities_;  // of links
  std::vector<TierStore> stores_;
  std::vector<std::int32_t> store_links_;  // by store: for reading, and the next for writing
  std::vector<Way> ways_;
  std::vector<std::int32_t> pool_of_place_, first_way_;       // by place: its ways, one for each tier
  std::vector<std::vector<Owner>> owners_;                    // by tier, of the pool that is built
  std::array<std::vector<Owner>, kMaxTiers> cluster_owners_;  // by number, of all pools
  std::vector<std::vector<std::uint64_t>> fallen_;  // out of the store of each tier, while one block goes down
  TimedFlows flows_;

  std::vector<Fetch> fetches_;         // by slot
  std::vector<std::int32_t> readers_;  // by link: fetches on it, as of the last settle()
  std::vector<TierOffer> offers_;
  // Told at this instant.
  std::vector<RequestSlot> beginning_;
  std::vector<Put> puts_;
  std::vector<std::int32_t> stopped_;  // ways that lost a reader
  std::vector<std::int32_t> to_write_;
  EventId settle_event_;
  bool over_ = false;
  std::array<TierCounts, kMaxTiers> counts_{};
  std::int64_t bytes_asked_ = 0;
};

}  // namespace silicast
