// Listens to a run and keeps what its summary needs: a few hundred sums and sketches, however long the run.
// Costs tens of nanoseconds per request and per run of iterations.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/report/facts.hpp"
#include "sim/report/group_recorder.hpp"
#include "sim/report/pool_work.hpp"
#include "sim/report/stability.hpp"
#include "sim/report/summary.hpp"
#include "sim/serving/observer.hpp"

namespace silicast {

// Histograms of the measured requests and gaps, seconds.
struct Histograms {
  Sketch ttft, tpot, e2e, itl;
};

class Recorder : public ServingObserver {
 public:
  // At least one pool and one class; ids in records are positions in these lists.
  explicit Recorder(RunFacts facts);

  void request_arrived(SimTime now, std::int64_t in_system) override;
  void arrivals_ended(SimTime now) override;
  void request_ended(const RequestRecord& record) override;
  void run_ended(const RunRecord& record) override;
  void token_gap(PoolId pool, Seconds gap, std::int64_t count) override;

  // Once the run is over; `end` is the time of its last event.
  Summary summarize(SimTime end);
  // Of the same window as the summary; after summarize().
  Histograms histograms() const;

 private:
  // The state of the counters at an instant. Those at the first arrival of each cohort bound the window;
  // `gaps`, by pool, are the ITL from this one to the next.
  struct Snapshot {
    SimTime time;
    std::int64_t in_system = 0;
    CompletionTotals total;
    std::vector<CompletionTotals> pools, classes, models;  // empty when there is one
    std::vector<PoolWork> work;
    std::vector<Sketch> gaps;
  };

  Snapshot snapshot_at(SimTime time) const;
  void advance(SimTime now) {
    if (now.ns >= next_edge_.ns) [[unlikely]]
      cross_edges(now);
  }
  void cross_edges(SimTime now);
  void begin_cohort(SimTime now);
  void halve_snapshots();
  Latencies latencies_of(const RequestRecord& record) const;
  void share_with_snapshots(const RunRecord& record, const PoolWork& work);
  static void take_share(Snapshot& snapshot, const RunRecord& record, const PoolWork& work);
  void note_in_system(SimTime now, int change) {
    in_system_seconds_ += static_cast<double>(in_system_) * 1e-9 * static_cast<double>(now.ns - last_change_.ns);
    last_change_ = now;
    in_system_ += change;
  }

  // summarize.cpp
  void align_cohorts();
  std::int64_t choose_start(std::vector<std::string>& notes) const;
  Snapshot choose_end(const Snapshot& start, SimTime end, std::vector<std::string>& notes) const;
  void add_groups(Summary& summary, const Snapshot& start, const Snapshot& end, double seconds) const;
  void add_targets(Summary& summary) const;
  void note_default_power(Summary& summary) const;
  void add_use_and_energy(Summary& summary, const Snapshot& start, const Snapshot& end, double seconds) const;
  Sketch gaps_from(std::size_t pool) const;
  StabilityVerdict stability() const;

  RunFacts facts_;
  GroupRecorder total_;
  std::vector<GroupRecorder> pools_, classes_, models_;  // empty when there is one
  std::vector<PoolWork> work_;                           // by pool
  std::vector<std::int64_t> peak_blocks_;                // by pool
  std::vector<Snapshot> snapshots_;                      // at arrivals 0, 2^shift, 2 * 2^shift... of the window
  int snapshot_shift_ = kFirstCohortShift;
  std::optional<Snapshot> closing_;       // at the last arrival, or at the window's given end
  bool closed_ = false;                   // at its given end: later arrivals and gaps are outside
  SimTime next_edge_ = SimTime::never();  // of a given window
  std::int64_t arrivals_ = 0;             // of the whole run
  std::int64_t skipped_ = 0;              // arrivals before the window
  std::int64_t in_window_ = 0;            // arrivals in it
  std::int64_t in_system_ = 0;
  SimTime last_change_;
  double in_system_seconds_ = 0;  // integral of in_system_ over time
  double stay_seconds_ = 0;       // sum of (end - arrival), whole run
  std::int64_t first_index_ = 0;  // of the measured requests; set by summarize()
};

}  // namespace silicast
