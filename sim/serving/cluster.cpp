#include "sim/serving/cluster.hpp"

#include <algorithm>

#include "sim/serving/event_ranks.hpp"

namespace silicast {

std::string_view name_of(PoolRole role) {
  return role == PoolRole::kWhole ? "whole" : role == PoolRole::kPrefill ? "prefill" : "decode";
}

Cluster::Cluster(ClusterSetup setup, RequestSource& source, ServingObserver& observer)
    : setup_(std::move(setup)), source_(source), observer_(observer) {
  table_.set_block_tokens(source.block_tokens());
  std::vector<KvTiers::Pool> tiers;
  bool any = false;
  for (const PoolSetup& pool : setup_.pools) {
    tiers.push_back({pool.tiers, pool.replicas, pool.ranks});
    any = any || !pool.tiers.tiers.empty();
  }
  if (any) tiers_.emplace(tiers, table_, engine_, *this);
  for (std::size_t p = 0; p < setup_.pools.size(); ++p) {
    const PoolSetup& pool = setup_.pools[p];
    for (std::int32_t r = 0; r < pool.replicas; ++r) {
      const auto replica = static_cast<std::int32_t>(replicas_.size());
      replicas_.push_back(
          std::make_unique<Replica>(Replica::Setup{{static_cast<std::int32_t>(places_.size())},
                                                   {static_cast<std::int32_t>(p)},
                                                   pool.limits,
                                                   &pool.cost,
                                                   pool.crowded && setup_.transfers ? &pool.crowded->cost : nullptr,
                                                   pool.make_scheduler,
                                                   pool.ranks,
                                                   pool.acceptance,
                                                   pool.plans_ahead,
                                                   setup_.leap,
                                                   pool.role == PoolRole::kPrefill && setup_.transfers->by_layers,
                                                   pool.tiers.tiers.empty() ? nullptr : &*tiers_},
                                    engine_, table_, observer_, *this));
      for (std::int32_t rank = 0; rank < pool.ranks; ++rank)
        places_.push_back({replica, rank, {static_cast<std::int32_t>(p)}, pool.model});
    }
  }
  SILICAST_CHECK(!replicas_.empty());
  for (std::size_t model = 0; model < setup_.max_contexts.size(); ++model)
    add_gateway(static_cast<std::int32_t>(model));
  if (setup_.transfers) {
    transfers_.emplace(std::move(*setup_.transfers), engine_, *this);
    for (std::size_t place = 0; place < places_.size(); ++place)
      if (const auto& crowded = pool_of(places_[place]).crowded)
        transfers_->watch(static_cast<std::int32_t>(place), crowded->tier);
  }
  if (setup_.weight_store) {
    std::vector<WeightLoad> loads;
    for (const auto& replica : replicas_) {
      replica->await_weights();
      loads.push_back(setup_.pools[replica->pool().index()].weights);
    }
    weight_loads_.emplace(*setup_.weight_store, loads, engine_, *this);
  }
  arriving_.resize(setup_.pools.size());
  samples_.resize(setup_.pools.size());
  arm_arrival();
  if (source_.closes() != SimTime::never())
    close_event_ = engine_.at(source_.closes(), kArrivalRank, Action::of<&Cluster::arrivals_end>(this));
  if (setup_.sample_interval.value() > 0)
    sample_event_ = engine_.at(SimTime{}, kObserveRank, Action::of<&Cluster::sample>(this));
}

bool Cluster::run(std::uint64_t steps) {
  if (over_) return false;
  if (engine_.run(setup_.horizon, steps)) {
    // More is to come: beyond the horizon, or beyond these steps.
    if (engine_.next_time() <= setup_.horizon) return true;
    engine_.advance_to(setup_.horizon);
  }
  end();
  return false;
}

// One arrival is pending at most: the queue of events holds replicas, not the trace.
void Cluster::arm_arrival() {
  const SimTime time = source_.next_time().value_or(SimTime::never());
  if (time >= arrival_time_) return;
  engine_.cancel(arrival_event_);
  arrival_time_ = time;
  arrival_event_ = engine_.at(time, kArrivalRank, Action::of<&Cluster::arrive>(this));
}

void Cluster::arrive(std::int64_t) {
  arrival_time_ = SimTime::never();
  const RequestSlot slot = table_.add();
  Request& request = table_[slot];
  request.spec = source_.take();
  table_.set_blocks(slot, source_.blocks());
  request.index = arrived_++;
  request.phase = Phase::kArriving;
  ++in_system_;
  observer_.request_arrived(engine_.now(), in_system_);
  arm_arrival();
  if (arrival_time_ == SimTime::never() && !source_.more_after_ends()) arrivals_end();
  place(request, slot);
}

// The gateway's choice falls as the client asks; then the request is on its way into that replica's queue.
void Cluster::place(Request& request, RequestSlot slot) {
  const RequestSpec& spec = request.spec;
  const std::size_t model = model_of(spec);
  if (std::int64_t{spec.prompt_tokens} + spec.output_tokens > setup_.max_contexts[model]) {
    reject(slot, EndReason::kContextTooLong);
    return;
  }
  request.replica = choose(spec, table_.prompt_blocks(slot));
  change_load(request.replica, 1, spec.prompt_tokens);
  const Place& at = place_of(slot);
  if (pool_of(at).role == PoolRole::kPrefill && spec.output_tokens > 1 &&
      kv_tokens_of(spec) > gateways_[model].decoders->largest()) {
    reject(slot, EndReason::kKvTooSmall);
    return;
  }
  if (spec.deadline != SimTime::never())
    request.deadline_event = engine_.at(std::max(spec.deadline, engine_.now()), kDeadlineRank,
                                        Action::of<&Cluster::deadline>(this, slot.value));
  const Seconds way_in = pool_of(at).way_in;
  if (way_in.value() > 0) {
    ++arriving_[at.pool.index()];
    request.entry_event =
        engine_.at(engine_.now() + way_in, kArrivalRank, Action::of<&Cluster::reach_queue>(this, slot.value));
  } else {
    enter(slot);
  }
}

void Cluster::reach_queue(std::int64_t slot_number) {
  const RequestSlot slot{static_cast<std::int32_t>(slot_number)};
  --arriving_[place_of(slot).pool.index()];
  enter(slot);
}

void Cluster::enter(RequestSlot slot) {
  const Place& at = place_of(slot);
  Replica& replica = replica_of(at);
  if (const EndReason refusal = replica.refusal(at.rank, table_[slot].spec); refusal != EndReason::kNone)
    reject(slot, refusal);
  else
    replica.enqueue(at.rank, slot);
}

void Cluster::reject(RequestSlot slot, EndReason reason) {
  request_over(slot, EndState::kRejected, reason, 0);
  table_.remove(slot);
}

// ---- From prefill to decode -------------------------------------------------------------------------------------

// The slot under which a request that is being prefilled is known to the replica that will decode it.
RequestSlot Cluster::decoded_at(RequestSlot prefill) {
  if (table_[prefill].other.valid()) return table_[prefill].other;
  const RequestSlot slot = table_.add();
  table_.set_blocks(slot, table_.blocks(prefill));
  const Request& from = table_[prefill];
  Request& request = table_[slot];
  request.spec = from.spec;
  request.index = from.index;
  request.prefill_replica = from.replica;
  request.elsewhere = request.shadow = true;
  request.other = prefill;
  table_[prefill].other = slot;
  request.replica = gateways_[model_of(from.spec)].decoders->choose(
      {from.spec.prompt_tokens, from.spec.max_output_tokens, from.spec.request_class, table_.prompt_blocks(prefill)},
      kv_tokens_declared(from.spec));
  change_load(request.replica, 1, from.spec.prompt_tokens);
  const Place& at = place_of(slot);
  transfers_->expect(slot, from.replica.value, request.replica.value, pool_of(at).kv);
  replica_of(at).enqueue(at.rank, slot);
  return slot;
}

void Cluster::chunks_begin(ReplicaId replica) {
  announcing_.push_back(replica);
  if (!engine_.pending(announce_event_))
    announce_event_ = engine_.at(engine_.now(), kAnnounceRank, Action::of<&Cluster::announce>(this));
}

void Cluster::announce(std::int64_t) {
  std::sort(announcing_.begin(), announcing_.end());
  for (const ReplicaId replica : announcing_) replica_of(places_[replica.index()]).announce_chunks();
  announcing_.clear();
}

void Cluster::context_grows(RequestSlot prefill, std::int32_t tokens, SimTime then) {
  if (!table_[prefill].left && table_[prefill].spec.output_tokens > 1)
    transfers_->computing(decoded_at(prefill), tokens, then);
}

void Cluster::context_computed(RequestSlot prefill) {
  const auto after = [&](RequestSlot a, RequestSlot b) { return table_[a].replica < table_[b].replica; };
  handing_on_.insert(std::upper_bound(handing_on_.begin(), handing_on_.end(), prefill, after), prefill);
  if (!engine_.pending(hand_on_event_))
    hand_on_event_ = engine_.at(engine_.now(), kHandOnRank, Action::of<&Cluster::hand_all_on>(this));
}

void Cluster::hand_all_on(std::int64_t) {
  for (const RequestSlot slot : handing_on_) hand_on(slot);
  handing_on_.clear();
}

void Cluster::hand_on(RequestSlot prefill) {
  const RequestSlot slot = decoded_at(prefill);
  Request &from = table_[prefill], &request = table_[slot];
  from.shadow = true;
  request.shadow = false;
  request.scheduled = from.scheduled;
  request.preempted_before_first_token = from.preempted_before_first_token;
  request.preemptions = from.preemptions;
  request.cached = from.cached;
  request.fetched = from.fetched;
  request.prefilled = engine_.now();
  if (engine_.cancel(from.deadline_event))
    request.deadline_event = engine_.at(std::max(from.spec.deadline, engine_.now()), kDeadlineRank,
                                        Action::of<&Cluster::deadline>(this, slot.value));
  change_load(from.replica, -1, -from.spec.prompt_tokens);
  transfers_->computed(slot, from.context);
}

void Cluster::kv_arrived(RequestSlot slot) {
  part(slot);
  arrived(slot);
}

void Cluster::arrived(RequestSlot slot) {
  const Place& at = place_of(slot);
  replica_of(at).arrived(at.rank, slot);
}

// A request is over, or has come, where the given slot is: its other slot goes.
void Cluster::part(RequestSlot slot) {
  const RequestSlot other = table_[slot].other;
  if (!other.valid()) return;
  table_[slot].other = table_[other].other = {};
  const Place& there = place_of(other);
  if (table_[other].phase == Phase::kHeld) {
    replica_of(there).release_held(there.rank, other);
  } else {
    change_load(table_[other].replica, -1, -table_[other].spec.prompt_tokens);
    replica_of(there).withdraw(there.rank, other);
  }
}

// -----------------------------------------------------------------------------------------------------------------

void Cluster::deadline(std::int64_t slot_number) {
  const RequestSlot slot{static_cast<std::int32_t>(slot_number)};
  if (const RequestSlot other = table_[slot].other; other.valid()) {
    transfers_->forget(table_[slot].phase == Phase::kPrefilling ? other : slot);
    part(slot);
  }
  const Request& request = table_[slot];
  const bool abort = request.spec.deadline_is_abort;
  const EndState state = abort ? EndState::kAborted : EndState::kTimedOut;
  const EndReason reason = abort ? EndReason::kClientAbort : EndReason::kClientTimeout;
  const Place& at = place_of(slot);
  if (request.phase != Phase::kArriving) {
    replica_of(at).client_left(at.rank, slot, state, reason);
    return;
  }
  engine_.cancel(request.entry_event);
  --arriving_[at.pool.index()];
  request_over(slot, state, reason, 0);
  table_.remove(slot);
}

void Cluster::request_over(RequestSlot slot, EndState state, EndReason reason, std::int32_t output_tokens) {
  const Request& request = table_[slot];
  engine_.cancel(request.deadline_event);
  RequestRecord record;
  record.index = request.index;
  record.arrival = request.spec.arrival;
  record.scheduled = request.scheduled;
  record.first_token = request.first_token;
  record.end = engine_.now();
  record.preempted_before_first_token = request.preempted_before_first_token;
  record.prompt_tokens = request.spec.prompt_tokens;
  record.cached_tokens = request.cached;
  record.fetched_tokens = request.fetched;
  record.output_tokens = output_tokens;
  record.preemptions = request.preemptions;
  record.request_class = request.spec.request_class;
  record.state = state;
  record.reason = reason;
  record.prefill_replica = request.prefill_replica;
  record.prefilled = request.prefilled;
  if (request.replica.valid()) {
    record.replica = request.replica;
    record.pool = place_of(slot).pool;
    change_load(request.replica, -1, -request.spec.prompt_tokens);
  }
  --in_system_;
  observer_.request_ended(record);
  source_.ended(request.spec, engine_.now(), state == EndState::kCompleted);
  arm_arrival();
  if (in_system_ == 0 && arrival_time_ == SimTime::never()) drained();
}

void Cluster::sample(std::int64_t) {
  for (std::size_t p = 0; p < samples_.size(); ++p)
    samples_[p] = PoolSample{}, samples_[p].pool = {static_cast<std::int32_t>(p)};
  for (const auto& replica : replicas_) replica->sample(samples_[replica->pool().index()]);
  for (std::size_t p = 0; p < samples_.size(); ++p) {
    samples_[p].arriving = arriving_[p];
    samples_[p].waiting += arriving_[p];
  }
  observer_.sampled(engine_.now(), samples_);
  sample_event_ = {};
  if (!engine_.idle() && (in_system_ > 0 || !arrivals_ended_))
    sample_event_ =
        engine_.at(engine_.now() + setup_.sample_interval, kObserveRank, Action::of<&Cluster::sample>(this));
}

void Cluster::arrivals_end(std::int64_t) {
  if (!arrivals_ended_) observer_.arrivals_ended(engine_.now());
  arrivals_ended_ = true;
}

// Nothing is left to happen after this instant: whoever only watches must not make the run any longer.
void Cluster::drained() {
  arrivals_end();
  engine_.cancel(close_event_);
  if (tiers_) tiers_->end();
  if (weight_loads_) weight_loads_->end();
  if (engine_.pending(sample_event_)) engine_.move(sample_event_, engine_.now());
}

void Cluster::end() {
  over_ = true;
  for (const auto& replica : replicas_) replica->end_of_run();
  arrival_time_ = SimTime{};  // nobody arrives any more
  for (const RequestSlot slot : table_.live_slots()) {
    if (table_[slot].left || table_[slot].shadow) continue;
    const Place& at = place_of(slot);
    request_over(slot, EndState::kUnfinished, EndReason::kEndOfRun, replica_of(at).delivered(at.rank, slot));
  }
}

}  // namespace silicast
