#include "sim/serving/replica.hpp"

#include <algorithm>

#include "sim/base/first_integer.hpp"
#include "sim/serving/event_ranks.hpp"

namespace silicast {
namespace {

// Shares of links are counted in steps, so that equal ones are equal.
constexpr double kTakenSteps = std::int64_t{1} << 40;
// A collective is many messages, which together get half of a link at least, however few transfers are on it.
constexpr double kMostTaken = 0.5;

}  // namespace

Replica::Replica(const Setup& setup, Engine& engine, RequestTable& table, ServingObserver& observer, ReplicaHost& host)
    : setup_(setup),
      engine_(engine),
      observer_(observer),
      host_(host),
      lock_step_(setup.ranks, *setup.cost),
      links_taken_(setup.ranks),
      is_due_(static_cast<std::size_t>(setup.ranks)),
      told_(static_cast<std::size_t>(setup.ranks)) {
  for (std::int32_t rank = 0; rank < setup.ranks; ++rank)
    ranks_.push_back(std::make_unique<Rank>(
        Rank::Setup{
            setup.pool, setup.limits, setup.cost, setup.acceptance, setup.tiers, {setup.first_rank.value + rank}},
        setup.make_scheduler(), engine, table, observer, host));
  due_.reserve(ranks_.size());
  if (setup.ranks == 1) attend(0);  // the only rank is due always
  record_.pool = setup.pool;
  record_.replica = setup.first_rank;
}

// ---- From outside -----------------------------------------------------------------------------------------------

// With a scheduler that works ahead, the iteration after the one in flight is planned already; so is the next one at
// the very end of an iteration, unless there was nothing to plan.
Replica::Entry Replica::entry(std::int32_t rank) const {
  const std::int64_t ahead = setup_.plans_ahead ? 1 : 0;
  if (!iterating_) return {0, at(rank).idle() || !loaded_ ? iteration_ : iteration_ + ahead};
  const std::int64_t later = run_.in_flight(engine_.now()) - run_.done + (at(rank).busy() ? ahead : 0);
  return {run_.done + later, iteration_ + later};
}

void Replica::enqueue(std::int32_t rank, RequestSlot slot) {
  const Entry from = entry(rank);
  at(rank).enqueue(slot, from.eligible);
  if (!iterating_ || !at(rank).busy() || at(rank).waits_for_arrivals()) plan_at(rank, from.of_run);
}

void Replica::arrived(std::int32_t rank, RequestSlot slot) {
  const Entry from = entry(rank);
  at(rank).arrived(slot, from.eligible);
  plan_at(rank, from.of_run);
}

void Replica::plan_at(std::int32_t rank, std::int64_t iteration) {
  attend(rank);
  if (iterating_)
    cut_to(iteration);
  else
    schedule();
}

void Replica::plan_again(std::int32_t rank) {
  plan_at(rank, iterating_ ? run_.in_flight(engine_.now()) : 0);
}

void Replica::release_held(std::int32_t rank, RequestSlot slot) {
  at(rank).release(slot);
  plan_again(rank);
}

void Replica::withdraw(std::int32_t rank, RequestSlot slot) {
  if (!iterating_) tell(rank);
  if (at(rank).withdraw(slot, iterating_)) plan_again(rank);
}

void Replica::client_left(std::int32_t rank, RequestSlot slot, EndState state, EndReason reason) {
  if (!iterating_) tell(rank);
  if (at(rank).client_left(slot, state, reason, ended_since(rank), iterating_)) plan_again(rank);
}

void Replica::weights_loaded() {
  loaded_ = true;
  schedule();
}

void Replica::links_taken(std::int32_t rank, double share, bool planned) {
  links_taken_.set(rank, -std::llround(std::min(share, kMostTaken) * kTakenSteps));
  if (iterating_ && -links_taken_.smallest_key() != taken_)
    cut_to(run_.in_flight({engine_.now().ns + (planned ? 1 : 0)}));
}

void Replica::announce_chunks() {
  for (const std::unique_ptr<Rank>& rank : ranks_) rank->announce_chunks(run_.end_of(run_.done + 1));
}

std::int32_t Replica::delivered(std::int32_t rank, RequestSlot slot) const {
  return at(rank).delivered(slot, ended_since(rank));
}

std::int64_t Replica::ended_since(std::int32_t rank) const {
  const std::int64_t ended = iterating_ ? run_.ended_by(engine_.now()) - run_.done : 0;
  return iteration_ + ended - told_[static_cast<std::size_t>(rank)];
}

void Replica::attend(std::int32_t rank) {
  if (is_due_[static_cast<std::size_t>(rank)]) return;
  is_due_[static_cast<std::size_t>(rank)] = true;
  due_.push_back(rank);
}

void Replica::forget_due() {
  for (const std::int32_t rank : due_) is_due_[static_cast<std::size_t>(rank)] = false;
  due_.clear();
}

void Replica::end_of_run() {
  if (!iterating_) return;
  const std::int64_t ended = run_.ended_by(engine_.now());
  iteration_ += ended - run_.done;
  run_.done = ended;
  for (std::int32_t rank = 0; rank < setup_.ranks; ++rank) tell(rank);
  record_.kv_blocks_end = kv_blocks();
  const double into = (engine_.now() - run_.end_of(ended)).value();
  record_.cut_off = into / (run_.end_of(ended + 1) - run_.end_of(ended)).value();
  close_run();
  engine_.cancel(end_event_);
  iterating_ = false;
}

void Replica::sample(PoolSample& pool) const {
  pool.busy_time += busy_;
  pool.prefill_time += prefill_;
  for (std::int32_t rank = 0; rank < setup_.ranks; ++rank) {
    const std::int64_t end = iterating_ ? iteration_ + run_.end - run_.done - told_[static_cast<std::size_t>(rank)] : 0;
    at(rank).sample(pool, ended_since(rank), end);
  }
  if (!iterating_) return;
  const Seconds elapsed = engine_.now() - run_.start;
  pool.busy_time += elapsed;
  // A run with prompt chunks is one iteration long.
  if (record_.shape.prefill_tokens > 0) pool.prefill_time += record_.prefill_time * (elapsed.value() / run_.line.first);
}

// ---- The loop ---------------------------------------------------------------------------------------------------

// Plans after everything else that happens at this instant.
void Replica::schedule() {
  if (loaded_ && !engine_.pending(end_event_))
    end_event_ = engine_.at(engine_.now(), kScheduleRank, Action::of<&Replica::begin_iteration>(this));
}

void Replica::begin_iteration(std::int64_t) {
  bool changed = !run_open_ || run_.done >= run_.line.iterations;
  const auto plan = [&](Rank& rank) {
    rank.plan(iteration_);
    changed = changed || rank.changed();
  };
  if (setup_.ranks == 1)
    plan(at(0));
  else
    for (const std::int32_t rank : due_) {
      tell(rank);  // who comes between the end of an iteration and this plan finds a rank that has not heard of it
      plan(at(rank));
    }
  if (const std::int64_t taken = -links_taken_.smallest_key(); taken != taken_) {
    taken_ = taken;
    changed = true;
  }
  if (changed) {
    close_run();
    if (!open_run()) return;
  }
  iterating_ = true;
  if (setup_.announces_chunks) host_.chunks_begin(setup_.first_rank);
  set_run_end();
  end_event_ = engine_.at(run_.end_of(run_.end), kIterationEndRank, Action::of<&Replica::end_iteration>(this));
}

bool Replica::open_run() {
  stalled_.clear();
  IterationWork& work = record_;
  if (setup_.ranks == 1)
    at(0).open(work, stalled_);
  else
    work = open_ranks();
  if (work.shape.decode_sequences + work.shape.prefill_tokens == 0) {
    for (const std::int32_t rank : due_) SILICAST_CHECK(at(rank).stalled(), "requests wait but nothing can run");
    if (setup_.ranks > 1) forget_due();
    return false;
  }
  if (taken_ > 0) add_crowding(work);
  run_.start = engine_.now();
  run_.done = 0;
  run_.line = work.line;
  record_.cut_off = 0;
  record_.kv_blocks_start = setup_.ranks == 1 ? at(0).kv_blocks_planned() : kv_blocks();
  run_open_ = true;
  return true;
}

// With 1 / x of the links left messages take x times as long; the line for x = 2 is known, and in between all is taken
// as linear in x, which it is but where something else takes longer than the messages do (host, another stage). Of
// ranks in lock step what they exchange is slowed, not what the chips of one rank say to each other.
void Replica::add_crowding(IterationWork& work) const {
  const double more = 1 / (1 - static_cast<double>(taken_) / kTakenSteps) - 1;
  const double alone = work.line.first;
  if (setup_.ranks > 1) {
    work.line.first += more * (lock_step_.shared(*setup_.crowded) - lock_step_.shared(*setup_.cost));
  } else {
    const IterationLine line = setup_.crowded->line(work.shape);
    work.line.first += more * (line.first - alone);
    work.line.slope += more * (line.slope - work.line.slope);
    work.line.iterations = std::min(work.line.iterations, line.iterations);
  }
  work.prefill_time = work.prefill_time * (work.line.first / alone);
}

IterationWork Replica::open_ranks() {
  for (const std::int32_t rank : due_) {
    if (!at(rank).changed()) continue;
    IterationWork own;
    at(rank).open(own, stalled_);
    lock_step_.set(rank, own, iteration_);
  }
  return lock_step_.total(iteration_);
}

// Tells the run that has ended; one that the end of the simulation cut off may have had no whole iteration.
void Replica::close_run() {
  if (!run_open_) return;
  run_open_ = false;
  if (run_.done == 0 && record_.cut_off == 0) return;
  record_.start = run_.start;
  record_.end = engine_.now();
  record_.iterations = run_.done;
  record_.steady_first = run_.done > 0 ? record_.shape.decode_sequences : 0;
  for (const TokenGaps::Group& group : stalled_) {
    if (run_.done == 0 || group.sequences == 0 || group.last_token == run_.start) continue;
    record_.steady_first -= group.sequences;
    observer_.token_gap(setup_.pool, (run_.start - group.last_token) + Seconds(run_.line.first), group.sequences);
  }
  // Drafts that are accepted come in one burst with the token before them.
  if (record_.shape.accepted_drafts > 0) {
    const double bursts = record_.shape.accepted_drafts * static_cast<double>(record_.iterations);
    if (bursts >= 1) observer_.token_gap(setup_.pool, Seconds(0), static_cast<std::int64_t>(bursts));
  }
  busy_ += record_.end - record_.start;
  prefill_ += record_.prefill_time;
  observer_.run_ended(record_);
}

// The next iteration at whose end something can change: the run leaps to it.
void Replica::set_run_end() {
  std::int64_t iterations = 1;
  if (setup_.ranks > 1)
    iterations = ranks_to_change();
  else if (setup_.leap)  // a line that is slowed may bend before the rank's own does
    iterations = std::min(at(0).iterations_to_change(iteration_), run_.line.iterations - run_.done);
  run_.end = run_.done + iterations;
}

std::int64_t Replica::ranks_to_change() {
  for (const std::int32_t rank : due_)
    lock_step_.set_change(
        rank, setup_.leap && at(rank).busy() ? iteration_ + at(rank).iterations_to_change(iteration_) : kForever);
  forget_due();
  return setup_.leap ? std::min(lock_step_.next_change() - iteration_, run_.line.iterations - run_.done) : 1;
}

// Something will change the plan at the end of that iteration of the run.
void Replica::cut_to(std::int64_t iteration) {
  if (iteration >= run_.end) return;
  run_.end = iteration;
  engine_.move(end_event_, run_.end_of(iteration));
}

void Replica::end_iteration(std::int64_t) {
  iteration_ += run_.end - run_.done;
  run_.done = run_.end;
  iterating_ = false;
  if (setup_.ranks == 1) {
    tell(0);
    record_.kv_blocks_end = at(0).kv_blocks_used();
    at(0).finish();
  } else {
    attend_changing();
    for (const std::int32_t rank : due_) tell(rank);
    record_.kv_blocks_end = kv_blocks();
    for (const std::int32_t rank : due_) at(rank).finish();
  }
  if (engine_.next_now(kScheduleRank))
    begin_iteration();
  else
    schedule();
}

void Replica::tell(std::int32_t rank) {
  std::int64_t& told = told_[static_cast<std::size_t>(rank)];
  at(rank).advance(iteration_ - told);
  told = iteration_;
}

// The ranks that the end of this iteration can change.
void Replica::attend_changing() {
  if (setup_.leap) {
    for (std::int32_t rank = lock_step_.next_to_change(iteration_); rank >= 0;
         rank = lock_step_.next_to_change(iteration_)) {
      lock_step_.set_change(rank, kForever);
      attend(rank);
    }
  } else {
    for (std::int32_t rank = 0; rank < setup_.ranks; ++rank) attend(rank);
  }
  // In the order of their numbers, whoever was first to ask: it decides ties among requests.
  std::sort(due_.begin(), due_.end());
}

// Of several ranks what their KV tokens fill: their blocks are not counted while nobody looks at them.
std::int64_t Replica::kv_blocks() const {
  if (setup_.ranks == 1) return at(0).kv_blocks_used();
  const BatchShape& shape = record_.shape;
  const double growth = shape.decode_sequences + shape.accepted_drafts;
  // The lengths of the shape hold the tokens of its first iteration.
  const double later = static_cast<double>(std::max<std::int64_t>(0, run_.done - 1));
  const std::int64_t tokens = shape.decode_kv_tokens + shape.prefill_tokens + static_cast<std::int64_t>(growth * later);
  return blocks_for(tokens, setup_.limits.block_size);
}

}  // namespace silicast
