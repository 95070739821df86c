// The whole system: pulls arrivals from a source, routes them to replicas, and tells an observer how each one ended.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/serving/placement.hpp"
#include "sim/serving/replica.hpp"
#include "workloads/request_source.hpp"

namespace silicast {

// Like replicas of one pool.
struct PoolSetup {
  std::int32_t replicas = 1;
  std::int32_t ranks = 1;  // of a replica, in lock step
  ReplicaLimits limits;    // of a rank
  IterationCost cost;
  SchedulerFactory* make_scheduler = nullptr;
  Acceptance acceptance;     // of drafts, where limits.drafts says that there are any
  bool plans_ahead = false;  // see Replica::Setup
  Seconds way_in;            // from when a client asks to when the request is in the queue
};

struct ClusterSetup {
  std::vector<PoolSetup> pools;  // ranks are numbered through all replicas of all pools in this order
  RouterFactory* make_router = nullptr;
  std::uint64_t seed = 1;
  std::int32_t max_context = 0;        // of the model, prompt and output together
  bool leap = true;                    // false: step mode, one event per iteration
  SimTime horizon = SimTime::never();  // the run is cut there; who is still in flight ends unfinished
  Seconds sample_interval;             // of observer.sampled(); 0: no samples
};

class Cluster final : public ReplicaHost {
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

  void request_over(RequestSlot slot, EndState state, EndReason reason, std::int32_t output_tokens) override;

 private:
  // Where a request can be: what routers call a replica is a rank of one.
  struct Place {
    std::int32_t replica;
    std::int32_t rank;  // within it
  };
  Replica& replica_of(const Place& place) { return *replicas_[static_cast<std::size_t>(place.replica)]; }

  void arm_arrival();
  void arrive(std::int64_t);
  void reach_queue(std::int64_t slot);
  void arrivals_end(std::int64_t = 0);
  void deadline(std::int64_t slot);
  void sample(std::int64_t);
  void drained();
  void end();
  void change_load(ReplicaId replica, std::int32_t requests, std::int64_t prompt_tokens);
  void place(Request& request, RequestSlot slot);
  void enter(RequestSlot slot);
  void reject(RequestSlot slot, EndReason reason);

  ClusterSetup setup_;
  RequestSource& source_;
  ServingObserver& observer_;
  Engine engine_;
  RequestTable table_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::vector<Place> places_;  // by the number that routers and records use
  std::unique_ptr<Placement> placement_;
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
