// The reading half of the recorder: window, steady state, stability, and the summary of what was kept.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/report/recorder.hpp"

namespace silicast {
namespace {

// Below this share of all completions, arrivals end so early that a rate over them would be that of the
// ramp-up.
constexpr double kMinShareInArrivals = 0.5;

std::string plural(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

// All tables get the cohort size of the coarsest, so that one index cuts them all at a boundary.
void Recorder::align_cohorts() {
  int shift = std::max(snapshot_shift_, total_.shift());
  for (const GroupRecorder& group : pools_) shift = std::max(shift, group.shift());
  for (const GroupRecorder& group : classes_) shift = std::max(shift, group.shift());
  for (const GroupRecorder& group : models_) shift = std::max(shift, group.shift());
  while (snapshot_shift_ < shift) halve_snapshots();
  total_.coarsen(shift);
  for (GroupRecorder& group : pools_) group.coarsen(shift);
  for (GroupRecorder& group : classes_) group.coarsen(shift);
  for (GroupRecorder& group : models_) group.coarsen(shift);
}

// Index of the first measured request.
std::int64_t Recorder::choose_start(std::vector<std::string>& notes) const {
  const MeasureWindow& window = facts_.window;
  if (window.mode == MeasureWindow::Mode::kGiven) {
    notes.push_back(
        fmt::format("warm-up: {} before the given {:g} s left out", plural(skipped_, "arrival"), window.from));
    if (in_window_ == 0) notes.push_back("the given window holds no arrival; nothing is measured");
    return 0;
  }
  if (window.mode == MeasureWindow::Mode::kNone) {
    notes.push_back("warm-up: nothing left out");
    return 0;
  }
  const auto ttft = total_.ttft().steady_from();
  const auto tpot = total_.tpot().steady_from();
  if (!ttft && !tpot) {
    notes.push_back(
        "warm-up: MSER found no steady state in the first half of the run (too few requests, or the load "
        "drifts); nothing left out");
    return 0;
  }
  const std::int64_t start = std::max(ttft.value_or(0), tpot.value_or(0));
  if (!ttft || !tpot)
    notes.push_back(
        fmt::format("warm-up: MSER found no steady state of {}; the other decides", ttft ? "TPOT" : "TTFT"));
  notes.push_back(
      start == 0 ? "warm-up: MSER found none to leave out"
                 : fmt::format("warm-up: the first {} left out (MSER on TTFT and TPOT)", plural(start, "arrival")));
  return start;
}

// The end of the throughput window.
Recorder::Snapshot Recorder::choose_end(const Snapshot& start, SimTime end, std::vector<std::string>& notes) const {
  if (closed_) {
    notes.push_back("drain: latencies count arrivals in the given window, whenever they end");
    return *closing_;
  }
  Snapshot whole = snapshot_at(end);
  const double all = static_cast<double>((whole.total - start.total).requests);
  if (closing_ && closing_->time > start.time &&
      static_cast<double>((closing_->total - start.total).requests) >= kMinShareInArrivals * all) {
    notes.push_back(
        "drain: rates are taken up to the last arrival; latencies count every measured request, whenever "
        "it ends");
    return *closing_;
  }
  if (closing_ && in_window_ > 0)
    notes.push_back(
        "drain: over half of the requests completed after the last arrival, so rates are taken to the end of "
        "the run");
  return whole;
}

Sketch Recorder::gaps_from(std::size_t pool) const {
  Sketch all;
  for (std::size_t i = static_cast<std::size_t>(first_index_ >> snapshot_shift_); i < snapshots_.size(); ++i)
    all.merge(snapshots_[i].gaps[pool]);
  return all;
}

namespace {

Distribution distribution_of(const Sketch& gaps) {
  Distribution result;
  result.exact = false;
  result.count = gaps.count();
  if (gaps.count() == 0) return result;
  result.mean = gaps.mean();
  result.p50 = gaps.quantile(0.5);
  result.p90 = gaps.quantile(0.9);
  result.p95 = gaps.quantile(0.95);
  result.p99 = gaps.quantile(0.99);
  result.max = gaps.max();
  return result;
}

TargetResult result_of(const PercentileTarget& target, const Distribution& distribution, const auto& quantile) {
  const double value = target.quantile < 0 ? distribution.mean : quantile(target.quantile);
  TargetResult result{target.name(), target.limit, value, {}, false};
  if (std::isfinite(value)) result.met = value <= target.limit;
  return result;
}

// TTFT and E2E of an unstable run only say how long it was: neither met nor missed.
bool is_void(const PercentileTarget& target, bool unstable) {
  return unstable && (target.metric == LatencyMetric::kTtft || target.metric == LatencyMetric::kE2e);
}

}  // namespace

void Recorder::add_groups(Summary& summary, const Snapshot& start, const Snapshot& end, double seconds) const {
  summary.total = total_.summary(first_index_, end.total - start.total, seconds, facts_.tiers.size());
  summary.total.name = "all";
  Sketch gaps;
  for (std::size_t pool = 0; pool < facts_.pools.size(); ++pool) gaps.merge(gaps_from(pool));
  summary.total.itl = distribution_of(gaps);
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    summary.pools.push_back(
        pools_[i].summary(first_index_, end.pools[i] - start.pools[i], seconds, facts_.tiers.size()));
    summary.pools.back().name = facts_.pools[i].name;
    summary.pools.back().itl = distribution_of(gaps_from(i));
  }
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    summary.classes.push_back(
        classes_[i].summary(first_index_, end.classes[i] - start.classes[i], seconds, facts_.tiers.size()));
    summary.classes.back().name = facts_.classes[i].name;
  }
  for (std::size_t i = 0; i < models_.size(); ++i) {
    summary.models.push_back(
        models_[i].summary(first_index_, end.models[i] - start.models[i], seconds, facts_.tiers.size()));
    summary.models.back().name = facts_.models[i];
  }
}

void Recorder::add_targets(Summary& summary) const {
  bool any = false, own = false;
  for (std::size_t i = 0; i < facts_.classes.size(); ++i) {
    const Targets& targets = facts_.classes[i].targets;
    const bool several = !classes_.empty();
    const GroupRecorder& recorder = several ? classes_[i] : total_;
    GroupSummary& group = several ? summary.classes[i] : summary.total;
    group.goodput.has_targets = targets.any_per_request();
    any = any || group.goodput.has_targets;
    own = own || targets.own_limits;
    for (const PercentileTarget& target : targets.percentiles) {
      const auto of_series = [&](const BatchedSeries& series, const Distribution& distribution) {
        return result_of(target, distribution, [&](double q) { return series.quantile(first_index_, q); });
      };
      TargetResult result;
      switch (target.metric) {
        case LatencyMetric::kTtft:
          result = of_series(recorder.ttft(), group.ttft);
          break;
        case LatencyMetric::kTpot:
          result = of_series(recorder.tpot(), group.tpot);
          break;
        case LatencyMetric::kE2e:
          result = of_series(recorder.e2e(), group.e2e);
          break;
        case LatencyMetric::kItl: {
          const Sketch gaps = histograms().itl;  // gaps belong to iterations, which classes share
          result = result_of(target, summary.total.itl, [&](double q) { return gaps.quantile(q); });
          break;
        }
      }
      if (is_void(target, summary.unstable)) result = {target.name(), target.limit, kNoValue, {}, true};
      group.goodput.targets.push_back(result);
      if (!several) continue;
      if (target.metric == LatencyMetric::kItl) result.name += " (gaps of all classes)";
      result.name = fmt::format("{}: {}", facts_.classes[i].name, result.name);
      summary.total.goodput.targets.push_back(result);
    }
  }
  summary.total.goodput.has_targets = any;
  summary.total.goodput.own_limits = own;
  for (GroupSummary& pool : summary.pools) pool.goodput.has_targets = any;
  for (GroupSummary& model : summary.models) model.goodput.has_targets = any;
  const auto blank = [](GroupSummary& group) {
    if (!group.goodput.has_targets) group.goodput.share = group.goodput.requests = kNoValue;
  };
  blank(summary.total);
  for (GroupSummary& group : summary.pools) blank(group);
  for (GroupSummary& group : summary.classes) blank(group);
  for (GroupSummary& group : summary.models) blank(group);
}

void Recorder::note_default_power(Summary& summary) const {
  const auto assumed = std::find_if(facts_.pools.begin(), facts_.pools.end(),
                                    [](const PoolFacts& pool) { return pool.default_power && pool.tdp.value > 0; });
  if (assumed == facts_.pools.end()) return;
  const Evidence& factor = assumed->server_factor;
  summary.notes.push_back(
      fmt::format("power: no price sheet, so default figures: a server draws {:g} ({:g} to {:g}) times its chips, "
                  "a chip its usual shares of TDP",
                  factor.value, factor.low, factor.high));
}

void Recorder::add_use_and_energy(Summary& summary, const Snapshot& start, const Snapshot& end, double seconds) const {
  Range joules;
  summary.energy.known = true;
  summary.energy.watts = {};
  for (std::size_t i = 0; i < facts_.pools.size(); ++i) {
    const PoolFacts& pool = facts_.pools[i];
    PoolWork work = end.work[i];
    work.add(start.work[i], -1);
    summary.use.push_back(use_of(pool, work, seconds, peak_blocks_[i]));
    const PoolUse& use = summary.use.back();
    summary.energy.known = summary.energy.known && std::isfinite(use.watts.value);
    summary.energy.weakest = std::max(summary.energy.weakest, power_grade(pool));
    summary.energy.watts = summary.energy.watts + use.watts;
    joules = joules + pool_watts(pool, work_[i], summary.run_seconds) * summary.run_seconds;
  }
  note_default_power(summary);
  const Throughput& rates = summary.total.throughput;
  summary.energy.whole_run_joules = joules;
  summary.energy.joules_per_output_token =
      rates.output_tokens > 0 ? summary.energy.watts * (1 / rates.output_tokens) : Range::none();
  summary.energy.joules_per_token =
      rates.total_tokens > 0 ? summary.energy.watts * (1 / rates.total_tokens) : Range::none();
}

StabilityVerdict Recorder::stability() const {
  std::vector<LoadPoint> points;
  const auto cohorts = total_.cohorts();
  // The last cohort may be a fragment.
  for (std::size_t i = 0; i + 1 < std::min(snapshots_.size(), cohorts.size()); ++i)
    if (cohorts[i].ended > 0)
      points.push_back({snapshots_[i].time.seconds(), static_cast<double>(i << snapshot_shift_),
                        static_cast<double>(snapshots_[i].in_system),
                        cohorts[i].wait / static_cast<double>(cohorts[i].ended),
                        cohorts[i].stay / static_cast<double>(cohorts[i].ended)});
  return judge_stability(points);
}

Summary Recorder::summarize(SimTime end) {
  Summary summary;
  summary.name = facts_.name;
  summary.run_seconds = end.seconds();
  advance(end);
  if (snapshots_.empty()) snapshots_.push_back(snapshot_at(end));
  align_cohorts();
  const StabilityVerdict verdict = stability();
  summary.unstable = verdict.unstable;
  summary.unstable_reason = verdict.reason;
  first_index_ = choose_start(summary.notes);
  const auto first_cohort = static_cast<std::size_t>(first_index_ >> snapshot_shift_);
  SILICAST_CHECK(first_cohort < snapshots_.size());
  const Snapshot& start = snapshots_[first_cohort];
  const Snapshot last = choose_end(start, end, summary.notes);
  summary.window_from = start.time.seconds();
  summary.window_to = closing_ ? closing_->time.seconds() : end.seconds();
  summary.throughput_to = last.time.seconds();
  const double seconds = (last.time - start.time).value();
  add_groups(summary, start, last, seconds);
  add_targets(summary);
  add_use_and_energy(summary, start, last, seconds);
  if (!summary.total.ttft.exact)
    summary.notes.push_back(fmt::format("percentiles: from a sketch within {:g}% (over {} requests)",
                                        100 * kSketchError, BatchedSeries::kExactBound));
  if (summary.unstable) summary.notes.push_back("unstable: " + summary.unstable_reason);
  if (summary.run_seconds > 0) {
    const double still_in = static_cast<double>(in_system_) * (end - last_change_).value();
    summary.little.time_average = (in_system_seconds_ + still_in) / summary.run_seconds;
    summary.little.rate_times_stay = stay_seconds_ / summary.run_seconds;
  }
  return summary;
}

Histograms Recorder::histograms() const {
  Histograms result{
      total_.ttft().sketch(first_index_), total_.tpot().sketch(first_index_), total_.e2e().sketch(first_index_), {}};
  for (std::size_t pool = 0; pool < facts_.pools.size(); ++pool) result.itl.merge(gaps_from(pool));
  return result;
}

}  // namespace silicast
