// The whole system: pulls arrivals from a source, routes them to replicas, hands them on from those that prefill to
// those that decode, and tells an observer how each one ended.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/serving/kv_transfers.hpp"
#include "sim/serving/placement.hpp"
#include "sim/serving/replica.hpp"
#include "sim/serving/weight_loads.hpp"
#include "workloads/request_source.hpp"

namespace silicast {

// What the replicas of a pool do of a request.
enum class PoolRole : std::uint8_t { kWhole, kPrefill, kDecode };
std::string_view name_of(PoolRole role);  // "whole", "prefill", "decode"

// Like replicas of one pool.
struct PoolSetup {
  PoolRole role = PoolRole::kWhole;
  KvSize kv;                  // of a request there, for pools that decode what others prefilled
  std::int32_t model = 0;     // which it serves
  double overflow_after = 0;  // requests per replica of the model's other pools after which it gets some; 0: always
  TiersSetup tiers = {};      // below the caches of prompts
  std::int32_t replicas = 1;
  std::int32_t ranks = 1;  // of a replica, in lock step
  ReplicaLimits limits;    // of a rank
  IterationCost cost;
  // Where messages of a replica share links with transfers: its iterations with half of those links, and their tier.
  struct Crowded {
    IterationCost cost;
    Tier tier;
  };
  std::optional<Crowded> crowded = {};
  WeightLoad weights = {};  // of a replica, where they start without any
  SchedulerFactory* make_scheduler = nullptr;
  Acceptance acceptance;     // of drafts, where limits.drafts says that there are any
  bool plans_ahead = false;  // see Replica::Setup
  Seconds way_in;            // from when a client asks to when the request is in the queue
};

struct ClusterSetup {
  std::vector<PoolSetup> pools;  // ranks are numbered through all replicas of all pools in this order
  RouterFactory* make_router = nullptr;
  std::optional<TransferSetup> transfers;  // where some pools prefill and others decode
  // Of the store that all replicas load their weights from at time 0; none: they have them.
  std::optional<BytesPerSecond> weight_store;
  std::uint64_t seed = 1;
  std::vector<std::int32_t> max_contexts;  // by model, prompt and output together
  std::vector<std::int32_t> class_models;  // that each class of requests asks for; empty: all for model 0
  bool leap = true;                        // false: step mode, one event per iteration
  SimTime horizon = SimTime::never();      // the run is cut there; who is still in flight ends unfinished
  Seconds sample_interval;                 // of observer.sampled(); 0: no samples
};

class Cluster final : public ReplicaHost, public TransferHost, public TierHost, public WeightHost {
 public:
  Cluster(ClusterSetup setup, RequestSource& source, ServingObserver& observer);

  // Runs on; false when the run is over (all requests ended, or the horizon reached). `steps` bounds the events, so
  // that a caller can show progress or stop.
  bool run(std::uint64_t steps);

  SimTime now() const { return engine_.now(); }
  std::int64_t arrived() const { return arrived_; }
  std::int64_t in_system() const { return in_system_; }
  std::uint64_t events() const { return engine_.events(); }
  std::int32_t ranks() const { return static_cast<std::int32_t>(places_.size()); }

  const KvTransfers* transfers() const { return transfers_ ? &*transfers_ : nullptr; }
  const KvTiers* tiers() const { return tiers_ ? &*tiers_ : nullptr; }
  const WeightLoads* weight_loads() const { return weight_loads_ ? &*weight_loads_ : nullptr; }

  void request_over(RequestSlot slot, EndState state, EndReason reason, std::int32_t output_tokens) override;
  void chunks_begin(ReplicaId replica) override;
  void context_grows(RequestSlot slot, std::int32_t tokens, SimTime then) override;
  void context_computed(RequestSlot slot) override;
  void kv_memory_taken(RequestSlot slot) override { transfers_->memory_taken(slot); }
  void kv_memory_lost(RequestSlot slot) override { transfers_->memory_lost(slot); }
  void kv_arrived(RequestSlot slot) override;
  void links_taken(std::int32_t place, double share, bool planned) override {
    const Place& at = places_[static_cast<std::size_t>(place)];
    replica_of(at).links_taken(at.rank, share, planned);
  }
  void weights_loaded(std::int32_t replica) override { replicas_[static_cast<std::size_t>(replica)]->weights_loaded(); }
  void blocks_fetched(RequestSlot slot) override { arrived(slot); }

 private:
  // Where a request can be: what routers call a replica is a rank of one.
  struct Place {
    std::int32_t replica;
    std::int32_t rank;  // within it
    PoolId pool;
    std::int32_t model;
  };
  Replica& replica_of(const Place& place) { return *replicas_[static_cast<std::size_t>(place.replica)]; }
  const Place& place_of(RequestSlot slot) const { return places_[table_[slot].replica.index()]; }
  const PoolSetup& pool_of(const Place& place) const { return setup_.pools[place.pool.index()]; }

  void arm_arrival();
  void arrive(std::int64_t);
  void reach_queue(std::int64_t slot);
  void arrivals_end(std::int64_t = 0);
  void deadline(std::int64_t slot);
  void sample(std::int64_t);
  void drained();
  void end();
  void change_load(ReplicaId replica, std::int32_t requests, std::int64_t prompt_tokens) {
    for (Placement* one : gateways_[static_cast<std::size_t>(places_[replica.index()].model)].all)
      one->change_load(replica, requests, prompt_tokens);
  }
  // Who serves one model: those that requests arrive at, in the order in which they overflow; those that serve short
  // prompts whole, where others are handed on; those that decode what was computed elsewhere.
  struct Overflow {
    double after = 0;
    bool prefills = false;  // all of its pools do, and hold prompts alone
    std::unique_ptr<Placement> placement;

    std::int64_t kv_tokens(const RequestSpec& spec) const {
      return prefills ? spec.prompt_tokens : kv_tokens_declared(spec);
    }
  };
  struct Gateway {
    std::vector<Overflow> arrivals;
    std::unique_ptr<Placement> whole, decoders;
    std::vector<Placement*> all;  // of these
  };

  template <class Chosen>
  std::unique_ptr<Placement> placement_over(Chosen chosen, std::uint64_t seed);
  void add_gateway(std::int32_t model);
  ReplicaId choose(const RequestSpec& spec, std::span<const std::uint64_t> blocks);
  std::size_t model_of(const RequestSpec& spec) const {
    return setup_.class_models.empty() ? 0 : static_cast<std::size_t>(setup_.class_models[spec.request_class.index()]);
  }
  void place(Request& request, RequestSlot slot);
  RequestSlot decoded_at(RequestSlot prefill);
  void announce(std::int64_t);
  void hand_all_on(std::int64_t);
  void hand_on(RequestSlot slot);
  void part(RequestSlot slot);
  void arrived(RequestSlot slot);
  void enter(RequestSlot slot);
  void reject(RequestSlot slot, EndReason reason);

  ClusterSetup setup_;
  RequestSource& source_;
  ServingObserver& observer_;
  Engine engine_;
  RequestTable table_;
  std::optional<KvTiers> tiers_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::vector<Place> places_;      // by the number that routers and records use
  std::vector<Gateway> gateways_;  // by model
  std::optional<KvTransfers> transfers_;
  std::optional<WeightLoads> weight_loads_;
  // Of this instant: replicas whose iterations begin, requests whose context has been computed. Taken in the order of
  // the replicas, whoever's event came first.
  std::vector<ReplicaId> announcing_;
  std::vector<RequestSlot> handing_on_;
  EventId announce_event_, hand_on_event_;
  std::vector<std::int64_t> arriving_;  // requests on their way in, by pool
  std::vector<PoolSample> samples_;
  EventId arrival_event_, sample_event_, close_event_;
  SimTime arrival_time_ = SimTime::never();  // of the pending arrival event
  std::int64_t arrived_ = 0;
  std::int64_t in_system_ = 0;
  bool arrivals_ended_ = false;
  bool over_ = false;
};

}  // namespace silicast
