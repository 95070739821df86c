#include "sim/serving/kv_tiers.hpp"

#include <algorithm>

namespace silicast {

KvTiers::KvTiers(const std::vector<Pool>& pools, RequestTable& table, Engine& engine, TierHost& host)
    : pools_(pools),
      table_(table),
      engine_(engine),
      host_(host),
      flows_(links_of_all(), engine, Action::of<&KvTiers::flows_end>(this)) {
  readers_.assign(capacities_.size(), 0);
}

std::vector<BytesPerSecond> KvTiers::links_of_all() {
  for (std::size_t p = 0; p < pools_.size(); ++p) {
    owners_.assign(pools_[p].setup.tiers.size(), {});
    for (std::int32_t r = 0; r < pools_[p].replicas; ++r) {
      const auto first = static_cast<std::int32_t>(ways_.size());
      for (std::size_t t = 0; t < owners_.size(); ++t) add_way(p, r, t);
      pool_of_place_.insert(pool_of_place_.end(), static_cast<std::size_t>(pools_[p].ranks),
                            static_cast<std::int32_t>(p));
      first_way_.insert(first_way_.end(), static_cast<std::size_t>(pools_[p].ranks), first);
    }
    fallen_.resize(std::max(fallen_.size(), owners_.size()));
  }
  return capacities_;
}

void KvTiers::add_way(std::size_t pool, std::int32_t replica, std::size_t tier) {
  const TiersSetup& setup = pools_[pool].setup;
  const TierSetup& one = setup.tiers[tier];
  const std::int32_t owner = one.of == TierOwner::kReplica ? replica
                             : one.of == TierOwner::kNode  ? setup.node_of_replica[static_cast<std::size_t>(replica)]
                                                           : 0;
  std::vector<Owner>& owners =
      one.of == TierOwner::kCluster ? cluster_owners_[static_cast<std::size_t>(one.number)] : owners_[tier];
  if (static_cast<std::size_t>(owner) >= owners.size()) owners.resize(static_cast<std::size_t>(owner) + 1);
  Owner& its = owners[static_cast<std::size_t>(owner)];
  if (its.store < 0) {
    its.store = static_cast<std::int32_t>(stores_.size());
    its.link = add_links(one.bandwidth);
    store_links_.push_back(its.link);
    stores_.emplace_back(one.blocks, one.eviction, one.ttl);
  }
  Way way;
  way.store = its.store;
  way.pool = static_cast<std::int32_t>(pool);
  way.tier = static_cast<std::int32_t>(tier);
  way.of_rank = one.replica_bandwidth / pools_[pool].ranks;
  way.read[0] = its.link;
  if (one.of != TierOwner::kReplica) way.read[1] = add_links(one.replica_bandwidth);
  for (std::size_t i = 0; i < 2; ++i) way.write[i] = way.read[i] < 0 ? -1 : way.read[i] + 1;
  ways_.push_back(std::move(way));
}

std::int32_t KvTiers::add_links(BytesPerSecond bandwidth) {
  capacities_.insert(capacities_.end(), 2, bandwidth);
  return static_cast<std::int32_t>(capacities_.size()) - 2;
}

// ---- What ranks ask and tell --------------------------------------------------------------------------------------

// A fair share of each link, as if the others on it were bottlenecked nowhere else.
double KvTiers::rate_of_one_more(const Way& one) const {
  double rate = one.of_rank.value();
  for (const std::int32_t link : links(one.read)) {
    const auto at = static_cast<std::size_t>(link);
    rate = std::min(rate, capacities_[at].value() / (1 + readers_[at]));
  }
  return rate;
}

std::span<const TierOffer> KvTiers::offers(ReplicaId place, std::span<const std::uint64_t> blocks) {
  const Pool& pool = pools_[pool_of(place)];
  const std::vector<TierSetup>& tiers = pool.setup.tiers;
  const auto bytes = static_cast<double>(pool.setup.fetched_bytes);
  offers_.clear();
  TierOffer offer;
  std::size_t slowest = 0;
  const auto close = [&] {
    if (offer.all == 0) return;
    double time = 0;
    for (std::size_t t = 0; t < tiers.size(); ++t)
      if (offer.blocks[t] > 0)
        time = std::max(time, tiers[t].latency.value() + bytes * offer.blocks[t] / rate_of_one_more(way(place, t)));
    offer.time = Seconds(time);
    offers_.push_back(offer);
  };
  for (const std::uint64_t block : blocks) {
    std::size_t tier = 0;
    while (tier < tiers.size() &&
           !stores_[static_cast<std::size_t>(way(place, tier).store)].can_read(block, engine_.now()))
      ++tier;
    if (tier == tiers.size()) break;
    if (tier > slowest) {
      close();
      slowest = tier;
    }
    ++offer.blocks[tier];
    ++offer.all;
  }
  close();
  return offers_;
}

void KvTiers::fetch(RequestSlot slot, std::int64_t first, const TierOffer& offer) {
  if (fetches_.size() <= slot.index()) fetches_.resize(slot.index() + 1);
  Fetch& fetch = fetches_[slot.index()];
  SILICAST_CHECK(!fetch.known);
  fetch = Fetch{};
  fetch.known = true;
  fetch.first = first;
  for (std::size_t t = 0; t < kMaxTiers; ++t) fetch.parts[t].blocks = offer.blocks[t];
  beginning_.push_back(slot);
  due();
}

void KvTiers::stop(RequestSlot slot) {
  if (fetches_.size() <= slot.index() || !fetches_[slot.index()].known) return;
  Fetch& fetch = fetches_[slot.index()];
  fetch.known = false;
  if (std::erase(beginning_, slot) > 0) return;
  for (Part& part : fetch.parts) {
    const bool waits = engine_.cancel(part.start), moves = flows_.network().in_flight(part.flow);
    if (!waits && !moves) continue;
    const Way& one = ways_[static_cast<std::size_t>(part.way)];
    counts_of(one).stopped += part.blocks;
    stopped_.push_back(part.way);
    if (moves) bytes_asked_ -= part.bytes - flows_.network().cancel(part.flow, engine_.now());
  }
  due();
}

void KvTiers::put(ReplicaId place, std::span<const std::uint64_t> fallen, std::span<const std::uint64_t> computed) {
  for (const std::uint64_t block : computed) puts_.push_back({place.value, block, true});
  for (const std::uint64_t block : fallen) puts_.push_back({place.value, block, false});
  if (!puts_.empty()) due();
}

// ---- What comes of it ---------------------------------------------------------------------------------------------

void KvTiers::due() {
  if (!over_ && !engine_.pending(settle_event_))
    settle_event_ = engine_.at(engine_.now(), kAnnounceRank, Action::of<&KvTiers::settle>(this));
}

void KvTiers::count_reader(const Way& one, int change) {
  for (const std::int32_t link : links(one.read)) readers_[static_cast<std::size_t>(link)] += change;
}

void KvTiers::settle(std::int64_t) {
  for (const std::int32_t one : stopped_) count_reader(ways_[static_cast<std::size_t>(one)], -1);
  stopped_.clear();
  std::sort(beginning_.begin(), beginning_.end(), [&](RequestSlot a, RequestSlot b) {
    return std::pair(table_[a].replica, table_[a].admission) < std::pair(table_[b].replica, table_[b].admission);
  });
  for (const RequestSlot slot : beginning_) begin_fetch(slot);
  beginning_.clear();
  // Each rank's in the order in which it told them.
  const auto before = [](const Put& a, const Put& b) { return a.place < b.place; };
  for (std::size_t i = 1; i < puts_.size(); ++i)  // a stable sort that allocates nothing; nearly sorted
    if (before(puts_[i], puts_[i - 1]))
      std::rotate(std::upper_bound(puts_.begin(), puts_.begin() + static_cast<std::ptrdiff_t>(i), puts_[i], before),
                  puts_.begin() + static_cast<std::ptrdiff_t>(i), puts_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  for (const Put& one : puts_) {
    const ReplicaId place{one.place};
    const std::vector<TierSetup>& tiers = pools_[pool_of(place)].setup.tiers;
    if (one.computed) {
      for (std::size_t t = 0; t < tiers.size(); ++t)
        if (tiers[t].through) keep(place, t, one.block);
    } else if (!tiers[0].through) {
      keep(place, 0, one.block);
    }
  }
  puts_.clear();
  for (const std::int32_t one : to_write_) write(one);
  to_write_.clear();
  flows_.rates_change();
}

void KvTiers::begin_fetch(RequestSlot slot) {
  const ReplicaId place = table_[slot].replica;
  const std::vector<TierSetup>& tiers = pools_[pool_of(place)].setup.tiers;
  Fetch& fetch = fetches_[slot.index()];
  std::int64_t count = 0;
  for (std::size_t t = 0; t < tiers.size(); ++t) {
    Part& part = fetch.parts[t];
    if (part.blocks == 0) continue;
    part.way = first_way_[place.index()] + static_cast<std::int32_t>(t);
    part.bytes = part.blocks * pools_[pool_of(place)].setup.fetched_bytes;
    counts_of(way(place, t)).asked += part.blocks;
    count += part.blocks;
    ++fetch.under_way;
    count_reader(ways_[static_cast<std::size_t>(part.way)], 1);
    const std::int64_t tag = slot.value * static_cast<std::int64_t>(kMaxTiers) + static_cast<std::int64_t>(t);
    if (tiers[t].latency.value() > 0)
      part.start =
          engine_.at(engine_.now() + tiers[t].latency, kTransferRank, Action::of<&KvTiers::begin_part>(this, tag));
    else
      begin_part(tag);
  }
  // What is read is used, the end of a prompt before its beginning, so that it goes first as well.
  const std::span<const std::uint64_t> blocks =
      table_.blocks(slot).subspan(static_cast<std::size_t>(fetch.first), static_cast<std::size_t>(count));
  for (std::size_t i = blocks.size(); i-- > 0;)
    for (std::size_t t = 0; t < tiers.size(); ++t) {
      TierStore& store = stores_[static_cast<std::size_t>(way(place, t).store)];
      if (!store.can_read(blocks[i], engine_.now())) continue;
      store.read(blocks[i], engine_.now());
      break;
    }
}

void KvTiers::begin_part(std::int64_t slot_and_part) {
  const auto parts = static_cast<std::int64_t>(kMaxTiers);
  Part& part =
      fetches_[static_cast<std::size_t>(slot_and_part / parts)].parts[static_cast<std::size_t>(slot_and_part % parts)];
  const Way& one = ways_[static_cast<std::size_t>(part.way)];
  part.flow =
      flows_.network().start(links(one.read), part.bytes, engine_.now(), {.cap = one.of_rank, .tag = slot_and_part});
  bytes_asked_ += part.bytes;
  flows_.rates_change();
}

// A block goes into a tier, and what falls out of it into the next.
void KvTiers::keep(ReplicaId place, std::size_t tier, std::uint64_t block) {
  const std::vector<TierSetup>& tiers = pools_[pool_of(place)].setup.tiers;
  Way& one = way(place, tier);
  TierStore& store = stores_[static_cast<std::size_t>(one.store)];
  std::vector<std::uint64_t>& fallen = fallen_[tier];
  fallen.clear();
  if (store.put(block, engine_.now(), fallen)) {
    if (one.queue.empty()) to_write_.push_back(first_way_[place.index()] + static_cast<std::int32_t>(tier));
    one.queue.push_back(block);
    TierCounts& counts = counts_of(one);
    counts.most_blocks = std::max(counts.most_blocks, store.size());
  }
  if (tier + 1 < tiers.size() && !tiers[tier + 1].through)
    for (const std::uint64_t down : fallen) keep(place, tier + 1, down);
}

// All that waits there, one flow at a time.
void KvTiers::write(std::int32_t number) {
  Way& one = ways_[static_cast<std::size_t>(number)];
  if (!one.writing.empty()) return;
  TierStore& store = stores_[static_cast<std::size_t>(one.store)];
  for (const std::uint64_t block : one.queue)
    if (const std::int64_t ticket = store.begin_write(block); ticket > 0) one.writing.push_back({block, ticket});
  one.queue.clear();
  SILICAST_CHECK(static_cast<std::int64_t>(one.writing.size()) <= store.capacity());
  if (one.writing.empty()) return;
  const std::int64_t bytes =
      static_cast<std::int64_t>(one.writing.size()) * pools_[static_cast<std::size_t>(one.pool)].setup.block_bytes;
  FlowOptions options;
  options.tag = -1 - std::int64_t{number};
  flows_.network().start(links(one.write), bytes, engine_.now(), options);
  bytes_asked_ += bytes;
}

void KvTiers::flows_end(std::int64_t) {
  const auto parts = static_cast<std::int64_t>(kMaxTiers);
  for (const FlowEnd& end : flows_.network().advance(engine_.now())) {
    if (end.tag < 0) {
      const auto number = static_cast<std::int32_t>(-1 - end.tag);
      Way& one = ways_[static_cast<std::size_t>(number)];
      TierStore& store = stores_[static_cast<std::size_t>(one.store)];
      for (const auto& [block, ticket] : one.writing) store.written(block, ticket);
      counts_of(one).written += static_cast<std::int64_t>(one.writing.size());
      one.writing.clear();
      if (!one.queue.empty()) to_write_.push_back(number), due();
      continue;
    }
    const RequestSlot slot{static_cast<std::int32_t>(end.tag / parts)};
    Fetch& fetch = fetches_[slot.index()];
    Part& part = fetch.parts[static_cast<std::size_t>(end.tag % parts)];
    const Way& one = ways_[static_cast<std::size_t>(part.way)];
    counts_of(one).fetched += part.blocks;
    count_reader(one, -1);
    if (--fetch.under_way > 0) continue;
    fetch.known = false;
    host_.blocks_fetched(slot);
  }
  flows_.rates_change();
}

TierCounts& KvTiers::counts_of(const Way& one) {
  const TiersSetup& setup = pools_[static_cast<std::size_t>(one.pool)].setup;
  return counts_[static_cast<std::size_t>(setup.tiers[static_cast<std::size_t>(one.tier)].number)];
}

void KvTiers::end() {
  over_ = true;
  engine_.cancel(settle_event_);
  flows_.end();
}

std::int64_t KvTiers::bytes_moved() const {
  std::int64_t bytes = 0;
  for (const std::int32_t link : store_links_)
    bytes += flows_.network().carried(link) + flows_.network().carried(link + 1);
  return bytes;
}

void KvTiers::check() const {
  for (const TierStore& store : stores_)
    SILICAST_CHECK(store.size() <= store.capacity(), "{} blocks in a store of {}", store.size(), store.capacity());
}

}  // namespace silicast
