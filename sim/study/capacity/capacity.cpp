#include "sim/study/capacity/capacity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <optional>

#include "sim/report/intervals.hpp"
#include "sim/study/parallel_for.hpp"

namespace silicast {
namespace {

constexpr int kLooksBelow = 4;       // a found load
constexpr double kLookStep = 1.025;  // between them

// The two loads between which a search ended.
struct Bracket {
  double met = 0;     // 0: none was
  double missed = 0;  // 0: none was
};

class Search {
 public:
  explicit Search(const CapacityQuestion& question)
      : question_(question),
        first_(read_scenario(question.scenario, question.path, {question.configs_dir, {}})),
        load_(question.scenario, first_) {
    const bool any = std::any_of(first_.classes.begin(), first_.classes.end(), [](const ClassFacts& one) {
      return one.targets.any_per_request() || !one.targets.percentiles.empty();
    });
    if (!any)
      throw InputError({question.path, 0, 0}, "targets", "missing; capacity is the load up to which they are met");
  }

  CapacityAnswer run() {
    CapacityAnswer answer;
    answer.unit = load_.unit();
    answer.sampled = first_.workload_info.generated;
    const std::size_t replications = answer.sampled ? static_cast<std::size_t>(question_.replications) : 1;
    const Bracket lead = search(0, load_.given(), 2);
    if (lead.met == 0 || lead.missed == 0) return limitless(lead, std::move(answer));
    std::vector<Bracket> brackets(replications, lead);
    // The others start from what the first found.
    parallel_for(replications - 1, question_.threads, [&](std::size_t i) {
      brackets[i + 1] = search(static_cast<std::int64_t>(i) + 1, std::sqrt(lead.met * lead.missed), 1.05);
    });
    for (const Bracket& one : brackets)  // of one that misses nothing, the highest that was tried
      answer.each.push_back(load_.open() && one.missed > 0 ? std::sqrt(one.met * one.missed) : one.met);
    conclude(lead, answer);
    answer.runs = runs_;
    return answer;
  }

 private:
  Scenario scenario_at(std::int64_t replication, double load) const {
    return load_.at(load, first_.seed + static_cast<std::uint64_t>(replication));
  }

  Verdict judge_at(std::int64_t replication, double load) {
    ++runs_;
    return judge(scenario_at(replication, load), question_.least_good);
  }

  // Steps by `ratio`, squared each time, until one load meets the targets and another misses them; then bisects.
  Bracket search(std::int64_t replication, double start, double ratio) {
    Bracket bracket;
    double load = start;
    for (double step = ratio; bracket.met == 0 || bracket.missed == 0; step = std::min(step * step, 16.0)) {
      load = load_.open() ? load : std::max(1.0, std::round(load));
      // Going down, a run is needed to its end to know whether requests still meet.
      const Verdict verdict = load * 8 < start ? whole_run(load, replication) : judge_at(replication, load);
      (verdict.met ? bracket.met : bracket.missed) = load;
      if (bracket.met > 0 && bracket.missed > 0) break;
      if (verdict.met && load >= load_.most()) break;
      if (!verdict.met && (load / step < load_.least() || alone(verdict))) break;
      load = verdict.met ? std::min(load * step, load_.most()) : load / step;
    }
    if (bracket.met == 0 || bracket.missed == 0) return bracket;
    bisect(replication, bracket);
    while (misses_below(replication, bracket)) bisect(replication, bracket);
    return bracket;
  }

  void bisect(std::int64_t replication, Bracket& bracket) {
    while (!close(bracket)) {
      const double middle = std::sqrt(bracket.met * bracket.missed);
      const double next = load_.open() ? middle : std::clamp(std::round(middle), bracket.met + 1, bracket.missed - 1);
      (judge_at(replication, next).met ? bracket.met : bracket.missed) = next;
    }
  }

  // A run's percentile does not rise evenly with its load, and a bisection may end above a load that misses. Looks a
  // little below; where one misses, `bracket` is from there down to the next that meets.
  bool misses_below(std::int64_t replication, Bracket& bracket) {
    double load = bracket.met;
    for (int i = 0; i < kLooksBelow; ++i) {
      const double next = load_.open() ? load / kLookStep : std::floor(load / kLookStep);
      if (next < load_.least()) return false;
      load = next;
      if (judge_at(replication, load).met) continue;
      bracket.missed = load;
      do load = load_.open() ? load / kLookStep : std::floor(load / kLookStep);
      while (load >= load_.least() && !judge_at(replication, load).met);
      bracket.met = load >= load_.least() ? load : 0;
      return bracket.met > 0;
    }
    return false;
  }

  bool close(const Bracket& bracket) const {
    const double ratio = bracket.missed / bracket.met;
    return ratio <= 1 + question_.precision || (!load_.open() && bracket.missed - bracket.met <= 1);
  }

  // Requests hardly meet each other: fewer of them change nothing.
  static bool alone(const Verdict& verdict) { return !verdict.stopped && verdict.summary.little.time_average < 0.02; }

  CapacityAnswer limitless(const Bracket& lead, CapacityAnswer answer) {
    answer.kind = lead.met == 0 ? CapacityAnswer::Kind::kNone : CapacityAnswer::Kind::kUnlimited;
    answer.load = answer.low = answer.high = lead.met;
    const double load = lead.met == 0 ? lead.missed : lead.met;
    answer.at = whole_run(load);
    answer.binding = binding_of(scenario_at(0, load), answer.at.summary, answer.at.target);
    answer.runs = runs_;
    return answer;
  }

  // Not stopped early, so that there is a summary.
  Verdict whole_run(double load, std::int64_t replication = 0) {
    ++runs_;
    return verdict_of(simulate(scenario_at(replication, load), {}).summary, question_.least_good);
  }

  void conclude(const Bracket& lead, CapacityAnswer& answer) {
    const std::vector<double>& each = answer.each;
    const auto count = static_cast<double>(each.size());
    answer.load = std::accumulate(each.begin(), each.end(), 0.0) / count;
    answer.low = lead.met, answer.high = lead.missed;
    if (each.size() > 1) {
      double squares = 0;
      for (const double one : each) squares += (one - answer.load) * (one - answer.load);
      const double half = student_t975(count - 1) * std::sqrt(squares / (count - 1) / count);
      // Each search stops within `precision`, wherever in its bracket the answer lies.
      const double search = load_.open() ? question_.precision * answer.load / 2 : 0.5;
      answer.low = std::max(0.0, answer.load - half - search), answer.high = answer.load + half + search;
    }
    answer.at = whole_run(lead.met);
    answer.beyond = whole_run(lead.missed);
    answer.binding = binding_of(scenario_at(0, lead.met), answer.at.summary, answer.beyond.target);
  }

  const CapacityQuestion& question_;
  Scenario first_;
  Load load_;
  std::atomic<std::int64_t> runs_ = 0;
};

}  // namespace

CapacityAnswer find_capacity(const CapacityQuestion& question) {
  return Search(question).run();
}

}  // namespace silicast
