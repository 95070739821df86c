// The hot half of the recorder: what each announcement adds.
#include "sim/report/recorder.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/base/check.hpp"

namespace silicast {

Recorder::Recorder(RunFacts facts) : facts_(std::move(facts)) {
  SILICAST_CHECK(!facts_.pools.empty() && !facts_.classes.empty());
  work_.resize(facts_.pools.size());
  peak_blocks_.resize(facts_.pools.size());
  if (facts_.pools.size() > 1) pools_.resize(facts_.pools.size());
  if (facts_.classes.size() > 1) classes_.resize(facts_.classes.size());
  if (facts_.models.size() > 1) models_.resize(facts_.models.size());
  if (facts_.window.mode == MeasureWindow::Mode::kGiven) next_edge_ = SimTime{} + Seconds(facts_.window.from);
}

Recorder::Snapshot Recorder::snapshot_at(SimTime time) const {
  Snapshot snapshot;
  snapshot.time = time;
  snapshot.in_system = in_system_;
  snapshot.total = total_.totals();
  for (const GroupRecorder& pool : pools_) snapshot.pools.push_back(pool.totals());
  for (const GroupRecorder& one : classes_) snapshot.classes.push_back(one.totals());
  for (const GroupRecorder& one : models_) snapshot.models.push_back(one.totals());
  snapshot.work = work_;
  snapshot.gaps.resize(facts_.pools.size());
  return snapshot;
}

void Recorder::cross_edges(SimTime now) {
  while (now >= next_edge_) {
    const SimTime edge = next_edge_;
    if (snapshots_.empty()) {
      snapshots_.push_back(snapshot_at(edge));
      next_edge_ = std::isfinite(facts_.window.until) ? SimTime{} + Seconds(facts_.window.until) : SimTime::never();
    } else {
      closing_ = snapshot_at(edge);
      closed_ = true;
      next_edge_ = SimTime::never();
    }
  }
}

void Recorder::request_arrived(SimTime now, std::int64_t /*in_system*/) {
  advance(now);
  const bool given = facts_.window.mode == MeasureWindow::Mode::kGiven;
  if (given && snapshots_.empty()) {
    ++skipped_;
  } else if (!closed_) {
    if ((in_window_ & ((std::int64_t{1} << snapshot_shift_) - 1)) == 0) begin_cohort(now);
    ++in_window_;
  }
  ++arrivals_;
  note_in_system(now, 1);
}

// The first cohort of a given window began at the window's edge.
void Recorder::begin_cohort(SimTime now) {
  if ((in_window_ >> snapshot_shift_) >= kMaxCohorts) {
    halve_snapshots();
    if ((in_window_ & ((std::int64_t{1} << snapshot_shift_) - 1)) != 0) return;
  }
  if (in_window_ > 0 || snapshots_.empty()) snapshots_.push_back(snapshot_at(now));
}

void Recorder::halve_snapshots() {
  std::vector<Snapshot> kept;
  for (std::size_t i = 0; i < snapshots_.size(); ++i) {
    if (i % 2 == 0)
      kept.push_back(std::move(snapshots_[i]));
    else
      for (std::size_t pool = 0; pool < kept.back().gaps.size(); ++pool)
        kept.back().gaps[pool].merge(snapshots_[i].gaps[pool]);
  }
  snapshots_ = std::move(kept);
  ++snapshot_shift_;
}

void Recorder::arrivals_ended(SimTime now) {
  advance(now);
  if (!closed_) closing_ = snapshot_at(now);
}

Latencies Recorder::latencies_of(const RequestRecord& record) const {
  Latencies result;
  result.completed = record.state == EndState::kCompleted;
  result.e2e = (record.end - record.arrival).value();
  result.wait = (std::min(record.scheduled, record.end) - record.arrival).value();
  if (!result.completed) return result;
  SILICAST_CHECK(
      record.arrival <= record.scheduled && record.scheduled <= record.first_token && record.first_token <= record.end,
      "request {}: arrival {}, scheduled {}, first token {}, end {}", record.index, record.arrival.ns,
      record.scheduled.ns, record.first_token.ns, record.end.ns);
  result.ttft = (record.first_token - record.arrival).value();
  result.tpot = record.output_tokens >= 2
                    ? (record.end - record.first_token).value() / static_cast<double>(record.output_tokens - 1)
                    : std::numeric_limits<double>::quiet_NaN();
  result.queue = result.wait;
  result.preemption = record.preempted_before_first_token.value();
  if (record.prefilled != SimTime::never()) result.transfer = (record.first_token - record.prefilled).value();
  const auto request_class = record.request_class.valid() ? record.request_class.index() : 0;
  result.good = facts_.classes[request_class].targets.good(result.ttft, result.tpot, result.e2e);
  return result;
}

void Recorder::request_ended(const RequestRecord& record) {
  advance(record.end);
  note_in_system(record.end, -1);
  Latencies latencies = latencies_of(record);
  stay_seconds_ += latencies.e2e;
  const MeasureWindow& window = facts_.window;
  latencies.index = record.index - skipped_;
  if (window.mode == MeasureWindow::Mode::kGiven &&
      (record.arrival.seconds() < window.from || record.arrival.seconds() > window.until))
    latencies.index = -1;
  total_.add(record, latencies);
  if (!pools_.empty() && record.pool.valid()) pools_[record.pool.index()].add(record, latencies);
  if (!classes_.empty() && record.request_class.valid()) classes_[record.request_class.index()].add(record, latencies);
  if (!models_.empty() && record.request_class.valid())
    models_[static_cast<std::size_t>(facts_.classes[record.request_class.index()].model)].add(record, latencies);
}

void Recorder::run_ended(const RunRecord& record) {
  advance(record.end);
  const std::size_t pool = record.pool.index();
  const PoolWork work = work_of(record, facts_.pools[record.pool.index()].work);
  work_[pool].add(work, 1);
  peak_blocks_[pool] = std::max({peak_blocks_[pool], record.kv_blocks_start, record.kv_blocks_end});
  if (closing_ || (!snapshots_.empty() && snapshots_.back().time > record.start)) share_with_snapshots(record, work);
  if (closed_ || snapshots_.empty()) return;
  Sketch& gaps = snapshots_.back().gaps[pool];
  if (record.steady_first > 0) gaps.add(record.line.first, record.steady_first);
  gaps.add_ramp(record.line.first + record.line.slope, record.line.slope, record.iterations - 1,
                record.shape.decode_sequences);
}

void Recorder::token_gap(PoolId pool, Seconds gap, std::int64_t count) {
  if (!closed_ && !snapshots_.empty() && count > 0) snapshots_.back().gaps[pool.index()].add(gap.value(), count);
}

// A snapshot taken while the run was under way lacks what the run had done by then.
void Recorder::share_with_snapshots(const RunRecord& record, const PoolWork& work) {
  if (closing_ && closing_->time > record.start) take_share(*closing_, record, work);
  for (std::size_t i = snapshots_.size(); i-- > 0 && snapshots_[i].time > record.start;)
    take_share(snapshots_[i], record, work);
}

void Recorder::take_share(Snapshot& snapshot, const RunRecord& record, const PoolWork& work) {
  const double before = static_cast<double>(snapshot.time.ns - record.start.ns);
  const double whole = static_cast<double>(record.end.ns - record.start.ns);
  snapshot.work[record.pool.index()].add(work, std::min(1.0, before / whole));
}

}  // namespace silicast
