#include "sim/study/anchors/fit_anchor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "sim/study/anchors/least_squares.hpp"
#include "sim/study/validation/predict.hpp"

namespace silicast {
namespace {

constexpr double kTold = 0.02;       // a scale that changes less than this over its range is not told
constexpr double kApart = 0.25;      // nor one of whose change others make more than three quarters
constexpr double kTolerance = 0.15;  // between what a run and its scenario say of themselves
constexpr double kFarOff = 0.5;      // after the fit: another run than the scenario's, or another machine
constexpr double kReach = 4;         // an anchor applies to lengths and loads within this factor

struct Scale {
  AnchorScale of;
  double low, high, start;
};

class Fitter {
 public:
  explicit Fitter(const AnchorQuestion& question)
      : question_(question), tree_(load_config(question.scenario_path)), scenario_(read(tree_, question.source)) {
    if (scenario_.pools.size() != 1)
      throw InputError({question.scenario_path, 0, 0}, "cluster.pools",
                       "an anchor is of one pool; which of these was measured?");
    check_alike();
    for (const std::string& setting : question.source.settings) apply_setting(tree_, setting, setting);
    const EngineHost& host = scenario_.pools[0].engine.host;
    scales_.push_back({AnchorScale::kMaturity, 0, 1, scenario_.pools[0].maturity});
    scales_.push_back(
        {AnchorScale::kPerIteration, host.per_iteration.low, host.per_iteration.high, host.per_iteration.value});
    scales_.push_back({AnchorScale::kPerRequest, host.per_request.low, host.per_request.high, host.per_request.value});
    for (const Scale& scale : scales_)
      start_.push_back(scale.high > scale.low ? (scale.start - scale.low) / (scale.high - scale.low) : 0);
    for (const auto& names :
         {std::vector<std::string>{"ttft_mean", "ttft_median"}, {"tpot_mean", "itl_mean", "tpot_median"}})
      for (const std::string& name : names)
        if (const Measurement* figure = question.run.figure(name)) {
          fitted_.push_back(*figure);
          break;
        }
    if (!fitted_.empty()) return;
    const Measurement* throughput = question.run.figure("output_throughput");
    if (throughput == nullptr)
      throw InputError({question.run_file, 0, 0}, "",
                       "holds no mean or median TTFT, no time per output token and no output throughput to fit to");
    fitted_.push_back(*throughput);
  }

  Anchor fit() {
    Anchor anchor;
    const std::vector<std::size_t> told = tell(anchor);
    if (told.empty())
      throw InputError({question_.run_file, 0, 0}, "", "the run determines nothing: no scale changes what it measured");
    std::vector<double> best = start_;
    const auto residuals = [&](const std::vector<double>& x) {
      for (std::size_t i = 0; i < told.size(); ++i) best[told[i]] = x[i];
      return logs(best);
    };
    std::vector<double> x;
    for (const std::size_t i : told) x.push_back(start_[i]);
    x = least_squares(residuals, x);
    residuals(x);
    for (const std::size_t i : told) anchor.moved.push_back({scales_[i].of, scales_[i].start, value(i, best[i])});
    describe(anchor, best);
    return anchor;
  }

 private:
  Scenario read(ConfigNode tree, const ScenarioSource& source) const {
    std::erase_if(tree.entries,
                  [](const ConfigEntry& entry) { return entry.key == "anchors" || entry.key == "output"; });
    return read_scenario(std::move(tree), question_.scenario_path, source);
  }

  double value(std::size_t i, double unit) const { return scales_[i].low + unit * (scales_[i].high - scales_[i].low); }

  std::vector<double> predicted(const std::vector<double>& unit, const std::vector<Measurement>& figures) const {
    std::vector<AnchorMove> moves;
    for (std::size_t i = 0; i < scales_.size(); ++i)
      if (unit[i] != start_[i]) moves.push_back({scales_[i].of, 0, value(i, unit[i])});
    ConfigNode tree = tree_;
    move_pool(tree, 0, moves, "anchor");
    ValidationCase one;
    one.measured = figures;
    one.question = ServeQuestion{};
    return predict(read(std::move(tree), {question_.source.configs_dir, {}}), one).values;
  }

  // Of predicted over measured.
  std::vector<double> logs(const std::vector<double>& unit) const {
    std::vector<double> result = predicted(unit, fitted_);
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = std::log(result[i] / fitted_[i].value);
    return result;
  }

  // Scales by how much they change what was measured, those that the run tells apart; the others with their reasons.
  std::vector<std::size_t> tell(Anchor& anchor) const {
    std::vector<std::vector<double>> change(scales_.size());
    for (std::size_t i = 0; i < scales_.size(); ++i) {
      std::vector<double> low = start_, high = start_;
      low[i] = 0, high[i] = 1;
      change[i] = scales_[i].high > scales_[i].low ? logs(high) : std::vector<double>(fitted_.size(), 0);
      if (scales_[i].high <= scales_[i].low) continue;
      const std::vector<double> from = logs(low);
      for (std::size_t k = 0; k < from.size(); ++k) change[i][k] -= from[k];
    }
    const Independent found = independent(change, kTold, kApart);
    for (std::size_t i = 0; i < scales_.size(); ++i) {
      if (std::find(found.chosen.begin(), found.chosen.end(), i) != found.chosen.end()) continue;
      const std::string name(name_of(scales_[i].of));
      if (scales_[i].high <= scales_[i].low)
        anchor.not_moved.emplace_back(name, "has no range to move in");
      else if (found.norms[i] < kTold)
        anchor.not_moved.emplace_back(
            name, fmt::format("its whole range changes what was measured by {:.1f}%", 100 * found.norms[i]));
      else
        anchor.not_moved.emplace_back(name, "changes what was measured as the scales that moved do");
    }
    return found.chosen;
  }

  void expect(const char* what, std::optional<double> of_run, std::optional<double> of_scenario) const {
    if (!of_run || !of_scenario || std::abs(*of_run / *of_scenario - 1) <= kTolerance) return;
    throw InputError({question_.run_file, 0, 0}, "",
                     fmt::format("the run has {:.4g} {}, the scenario {:.4g}; is it the scenario of this run?", *of_run,
                                 what, *of_scenario));
  }

  void check_alike() const {
    const AnchorSubject subject = subject_of(scenario_, scenario_.pools[0]);
    const MeasuredRun& run = question_.run;
    const WorkloadInfo& info = scenario_.workload_info;
    expect("prompt tokens a request", run.prompt, subject.prompt);
    expect("output tokens a request", run.output, subject.output);
    if (subject.running) expect("clients", run.concurrency, *subject.running * scenario_.replicas());
    if (info.open_loop) expect("requests/s", run.rate, info.mean_rate);
    if (info.requests) expect("requests", run.requests, static_cast<double>(*info.requests));
  }

  void describe(Anchor& anchor, const std::vector<double>& best) const {
    const MeasuredRun& run = question_.run;
    anchor.name = question_.name, anchor.date = run.date, anchor.format = run.format, anchor.signature = run.signature;
    anchor.file = std::filesystem::path(question_.run_file).filename().string();
    const std::vector<double> before = predicted(start_, run.figures), after = predicted(best, run.figures);
    for (std::size_t i = 0; i < run.figures.size(); ++i)
      anchor.residuals.push_back({run.figures[i].metric, run.figures[i].value, before[i], after[i]});
    for (const Measurement& figure : fitted_)
      for (const AnchorResidual& one : anchor.residuals)
        if (one.metric == figure.metric && std::abs(one.after / one.measured - 1) > kFarOff)
          throw InputError(
              {question_.run_file, 0, 0}, "",
              fmt::format("{} is {:.4g} {}, and no stack within its evidence makes it less than {:.0f}% off "
                          "in the scenario; is it the scenario of this run?",
                          one.metric, one.measured, one.metric == "output_throughput" ? "token/s" : "s",
                          100 * std::abs(one.after / one.measured - 1)));
    AnchorSubject& on = anchor.measured;
    on = subject_of(scenario_, scenario_.pools[0]);
    const std::vector<double> load =
        predicted(best, {{"request_throughput", 1}, {"e2e_mean", 1}, {"output_throughput", 1}});
    const auto measured = [&](const char* metric, double ours) {
      const Measurement* figure = run.figure(metric);
      return figure != nullptr ? figure->value : ours;
    };
    const double replicas = scenario_.replicas();
    if (run.prompt) on.prompt = run.prompt;
    if (run.output) on.output = run.output;
    if (!on.prompt || !on.output)
      throw InputError({question_.run_file, 0, 0}, "",
                       "neither it nor the scenario says how long prompts and outputs are: an anchor of it could never "
                       "apply");
    on.running = measured("request_throughput", load[0]) * measured("e2e_mean", load[1]) / replicas;
    on.output_rate = measured("output_throughput", load[2]) / replicas;
    const auto around = [](std::optional<double> value) {
      return value ? AnchorRange{*value / kReach, *value * kReach} : AnchorRange{0, 1e18};
    };
    anchor.prompt = around(on.prompt), anchor.output = around(on.output);
    anchor.running = around(on.running), anchor.output_rate = around(on.output_rate);
  }

  const AnchorQuestion& question_;
  ConfigNode tree_;
  Scenario scenario_;
  std::vector<Scale> scales_;
  std::vector<double> start_;  // of each scale, 0 to 1 over its range
  std::vector<Measurement> fitted_;
};

}  // namespace

Anchor fit_anchor(const AnchorQuestion& question) {
  return Fitter(question).fit();
}

}  // namespace silicast
