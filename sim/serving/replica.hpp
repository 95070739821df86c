// One copy of a model on a group of chips: the loop of its iterations. While no batch changes the loop leaps over
// iterations; in step mode it stops at each one and plans again. Data-parallel ranks go in lock step: each iteration
// takes as long as the slowest of them, and what they exchange.
#pragma once

#include <memory>
#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/perf/iteration_cost.hpp"
#include "sim/serving/iteration_run.hpp"
#include "sim/serving/lock_step.hpp"
#include "sim/serving/observer.hpp"
#include "sim/serving/rank.hpp"
#include "sim/serving/router/min_index.hpp"

namespace silicast {

class Replica {
 public:
  struct Setup {
    ReplicaId first_rank;  // requests are placed on ranks, numbered through all replicas
    PoolId pool;
    ReplicaLimits limits;                 // of each rank
    const IterationCost* cost = nullptr;  // shared by the replicas of a pool; outlives them
    const IterationCost* crowded =
        nullptr;  // the same with half of the links to other nodes, where others use them, too
    SchedulerFactory* make_scheduler = nullptr;
    std::int32_t ranks = 1;
    Acceptance acceptance;
    bool plans_ahead = false;  // the scheduler plans an iteration while the one before it runs
    bool leap = true;
    bool announces_chunks = false;  // as they begin, to its host
    KvTiers* tiers = nullptr;       // below its ranks' caches of prompts; outlive it
  };

  Replica(const Setup& setup, Engine& engine, RequestTable& table, ServingObserver& observer, ReplicaHost& host);
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  PoolId pool() const { return setup_.pool; }
  std::int64_t kv_capacity() const { return ranks_[0]->kv_capacity(); }  // of a rank

  void await_weights() { loaded_ = false; }  // nothing is computed before they are there
  void weights_loaded();

  // `rank` counts from 0 within the replica.
  EndReason refusal(std::int32_t rank, const RequestSpec& spec) const { return at(rank).refusal(spec); }
  void enqueue(std::int32_t rank, RequestSlot slot);  // a request that was not refused
  void client_left(std::int32_t rank, RequestSlot slot, EndState state, EndReason reason);  // one still live
  // What a request that was admitted waits for has come. One that was held for another replica, or is known elsewhere
  // under another slot, goes without a word.
  void arrived(std::int32_t rank, RequestSlot slot);
  void release_held(std::int32_t rank, RequestSlot slot);
  void withdraw(std::int32_t rank, RequestSlot slot);
  // What others take, from now on, of the links by which a rank reaches other nodes. Each iteration takes what it finds
  // as it begins; of half it is sure. `planned`: those that begin at this instant have begun.
  void links_taken(std::int32_t rank, double share, bool planned);
  void announce_chunks();  // of the iteration in flight, to whom it hands them on
  std::int32_t delivered(std::int32_t rank, RequestSlot slot) const;  // output tokens that are out at this instant
  void end_of_run();  // the simulation stops now: closes the books; requests stay live

  // Adds this replica's state at this instant to its pool's.
  void sample(PoolSample& pool) const;

 private:
  Rank& at(std::int32_t rank) { return *ranks_[static_cast<std::size_t>(rank)]; }
  const Rank& at(std::int32_t rank) const { return *ranks_[static_cast<std::size_t>(rank)]; }
  std::int64_t ended_since(std::int32_t rank) const;  // iterations that have ended since the rank was told of any
  // The iteration before which who comes to a rank now cannot be planned, as counted in the run and in all.
  struct Entry {
    std::int64_t of_run, eligible;
  };
  Entry entry(std::int32_t rank) const;
  void plan_at(std::int32_t rank, std::int64_t iteration);  // after that iteration of the run, or now where none is
  void plan_again(std::int32_t rank);                       // as soon as the iteration in flight has ended, or now
  void attend(std::int32_t rank);                           // the rank takes part in the next planning
  void attend_changing();
  void forget_due();
  void schedule();
  void begin_iteration(std::int64_t = 0);
  void end_iteration(std::int64_t = 0);
  bool open_run();  // false when nobody has anything to compute
  IterationWork open_ranks();
  void add_crowding(IterationWork& work) const;
  void close_run();
  void set_run_end();
  std::int64_t ranks_to_change();
  void tell(std::int32_t rank);  // how many iterations have ended
  void cut_to(std::int64_t iteration);
  std::int64_t kv_blocks() const;

  Setup setup_;
  Engine& engine_;
  ServingObserver& observer_;
  ReplicaHost& host_;
  std::vector<std::unique_ptr<Rank>> ranks_;
  LockStep lock_step_;      // used where there are several ranks
  MinIndex links_taken_;    // by rank, negative, in steps
  std::int64_t taken_ = 0;  // the most of any rank, in steps, as the run in progress found it

  IterationRun run_;
  RunRecord record_;                       // of the run in progress
  std::vector<TokenGaps::Group> stalled_;  // sequences whose first gap in this run is longer than one iteration
  std::int64_t iteration_ = 0;             // that have ended, as of the run's `done`
  bool iterating_ = false;                 // an iteration is in flight
  bool run_open_ = false;
  bool loaded_ = true;  // weights
  EventId end_event_;
  std::vector<std::int32_t> due_;   // ranks to plan at the end of the iteration in flight, or now
  std::vector<char> is_due_;        // by rank
  std::vector<std::int64_t> told_;  // by rank: iteration_ as of its last advance()

  Seconds busy_;  // up to the start of the run in progress
  Seconds prefill_;
};

}  // namespace silicast
