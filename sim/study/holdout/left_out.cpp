#include "sim/study/holdout/left_out.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "sim/base/check.hpp"
#include "sim/io/config_catalogue.hpp"
#include "sim/model/engine_spec.hpp"
#include "sim/study/holdout/holdout_plan.hpp"
#include "sim/study/holdout/moved_calibration.hpp"
#include "sim/study/holdout/tied_fit.hpp"
#include "sim/study/validation/bounds.hpp"
#include "sim/study/parallel_for.hpp"
#include "sim/study/validation/scenario_draft.hpp"
#include "topology/calibration.hpp"
#include "topology/chip_spec.hpp"

namespace silicast {
namespace {

constexpr std::size_t kMostCases = 20;  // of a group, that slopes are taken on
constexpr double kMostRows = 10;        // a group counts as so many figures at the most
constexpr double kNudge = 0.15;         // of a kernel's number, in logarithms
constexpr double kNoise = 0.1;          // of a figure, in logarithms
constexpr double kLeastSpread = 0.02;   // of a kernel's number, in logarithms
constexpr double kTold = 0.2;           // of its spread, that an unknown moves to be told of

// A figure of a case that the fit is of.
struct Figure {
  std::size_t result = 0, comparison = 0;
};

// What an unknown is: a number of a kernel that some dies share, or a host time of an engine.
struct Unknown {
  std::string what;
  std::size_t kernel = 0;       // of fields_of(), where chips are not empty
  std::set<std::string> chips;  // that have the number
  std::string engine;
  const HostTime* host = nullptr;
  Dimension dimension = Dimension::kTime;
  double scale = 1;  // shown values are this times e to the unknown, of kernels
};

struct ChipCalibration {
  std::string die;    // the first of those alike
  std::string stack;  // its software
  Calibration calibration;
};

class Holdout {
 public:
  Holdout(LeaveOut what, const ValidationOptions& options)
      : what_(what), options_(options), plan_(HoldoutPlan::read(options.configs_dir)), base_(validate(options)) {}

  ValidationReport run() {
    for (const std::string& setting : options_.settings)
      if (setting.starts_with("cluster.pools.0.calibration"))
        throw InputError(fmt::format("--set {}: --leave-out sets the calibration itself", setting));
    choose();
    read_catalogue();
    name_unknowns();
    take_slopes();
    std::map<std::string, std::vector<std::size_t>> folds;
    for (const std::size_t i : chosen_) folds[fold_of(base_.results[i])].push_back(i);
    ValidationReport report;
    for (const auto& [name, cases] : folds) leave(name, cases, report);
    report.files = std::move(base_.files);
    report.bounds =
        ClaimedBounds::read(options_.configs_dir).judge(report.results, what_ == LeaveOut::kModel ? "model" : "chip");
    return report;
  }

 private:
  const std::string& fold_of(const CaseResult& result) const {
    return what_ == LeaveOut::kModel ? result.labels.model : chips_.at(result.labels.chip).die;
  }

  // Figures that a fit is of: means and medians that do not hang on how a queue grew.
  static std::vector<std::size_t> fitted_figures(const CaseResult& result) {
    std::vector<std::size_t> figures;
    bool has_tpot = false;
    for (const Comparison& one : result.comparisons)
      has_tpot |= find_metric(one.metric)->metric_class == MetricClass::kTpot;
    for (std::size_t i = 0; i < result.comparisons.size(); ++i) {
      const MetricClass of = find_metric(result.comparisons[i].metric)->metric_class;
      if (of == MetricClass::kTpot || of == MetricClass::kIteration ||
          (of == MetricClass::kTtft && result.load == "unsaturated") || (of == MetricClass::kThroughput && !has_tpot))
        figures.push_back(i);
    }
    return figures;
  }

  bool is_apart(const CaseResult& result) const {
    ValidationCase names = {};
    names.part = result.about->part, names.id = result.about->id, names.group = result.about->group;
    names.labels = result.labels;
    return !plan_.apart.empty() && is_chosen(names, plan_.apart, result.load);
  }

  void choose() {
    std::map<std::string, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < base_.results.size(); ++i) {
      const CaseResult& result = base_.results[i];
      const ConfigNode& scenario = result.about->scenario;
      if (!result.unsupported.empty() || fitted_figures(result).empty()) continue;
      if (scenario.at({"cluster", "pools", "1"}) || scenario.at({"cluster", "pools", "0", "perf"}) ||
          scenario.at({"cluster", "pools", "0", "calibration"}))
        continue;
      chosen_.push_back(i);
      if (!is_apart(result)) groups[result.about->group].push_back(i);
    }
    if (chosen_.empty())
      throw InputError("--leave-out: no case has a TTFT, TPOT, ITL, throughput or iteration to fit to");
    for (const auto& [group, cases] : groups) {
      const std::size_t step = (cases.size() + kMostCases - 1) / kMostCases;
      std::size_t figures = 0;
      for (std::size_t k = 0; k < cases.size(); k += step) {
        sampled_.push_back(cases[k]);
        figures += fitted_figures(base_.results[cases[k]]).size();
      }
      weight_[group] = std::min(1.0, kMostRows / static_cast<double>(figures));
    }
    std::sort(sampled_.begin(), sampled_.end());
    for (const std::size_t i : sampled_)
      for (const std::size_t k : fitted_figures(base_.results[i])) figures_.push_back({i, k});
  }

  void read_catalogue() {
    const std::string& dir = options_.configs_dir;
    for (const std::string& name : config_names(dir + "/calibration")) {
      Calibration calibration = read_calibration(load_entry(dir, "calibration", name));
      if (calibration.chip != name) continue;  // another stack's, which pools name
      chips_[name] = {plan_.chips_alike(name)[0], read_chip(load_entry(dir, "chips", name)).software,
                      std::move(calibration)};
    }
    for (const std::size_t i : chosen_) {
      const std::string& engine = base_.results[i].labels.engine;
      if (!engines_.contains(engine)) engines_[engine] = read_engine_spec(load_entry(dir, "engines", engine), dir).host;
    }
  }

  Evidence number(const std::string& chip, std::size_t f) const { return number_of(chips_.at(chip).calibration, f); }

  void name_unknowns() {
    std::set<std::string> measured;
    for (const std::size_t i : chosen_) measured.insert(base_.results[i].labels.chip);
    std::map<std::pair<std::string, std::string>, std::size_t> groups;
    const auto group_of = [&](const std::string& kind, const std::string& of) {
      return groups.emplace(std::pair(kind, of), groups.size()).first->second;
    };
    Calibration some;
    const std::vector<CalibrationField> any = fields_of(some);
    for (std::size_t f = 0; f < any.size(); ++f) {
      const std::string name = name_of_field(any[f]);
      if (std::find(plan_.kernels.begin(), plan_.kernels.end(), name) == plan_.kernels.end()) continue;
      std::map<std::pair<std::string, double>, Unknown> shared;
      for (const std::string& chip : measured) {
        const double value = number(chip, f).value;
        Unknown& unknown = shared[{chips_.at(chip).stack, value}];
        const std::string& die = chips_.at(chip).die;
        if (unknown.what.empty())
          unknown.what = fmt::format("{} of {}", name, die);
        else if (!unknown.what.ends_with(die))
          unknown.what += " and " + die;
        unknown.kernel = f, unknown.scale = value, unknown.dimension = any[f].dimension;
        unknown.chips.insert(chip);
      }
      for (auto& [key, unknown] : shared) {
        TiedUnknown tied;
        const Evidence evidence = number(*unknown.chips.begin(), f);
        tied.spread = std::max(kLeastSpread, evidence.low > 0 ? std::log(evidence.high / evidence.low) / 4 : 0.5);
        for (const std::string& chip : unknown.chips)
          if (const auto of = plan_.kernels_alone.find(chip); of != plan_.kernels_alone.end())
            if (const auto alone = of->second.find(name); alone != of->second.end())
              tied.about = std::log(alone->second / key.second);
        tied_.push_back(tied);
        unknowns_.push_back(std::move(unknown));
      }
    }
    for (const auto& [engine, host] : engines_)
      for (const HostTime& time : plan_.host) {
        const std::size_t family = plan_.family_of(engine);
        tied_.push_back({host_time(host, time.key), time.about, time.spread,
                         family < plan_.engines.size()
                             ? std::optional(group_of(time.key, fmt::format("family {}", family)))
                             : std::optional(group_of(time.key, engine)),
                         time.between});
        Unknown unknown;
        unknown.what = fmt::format("host.{} of {}", time.key, engine);
        unknown.engine = engine, unknown.host = &time;
        unknowns_.push_back(std::move(unknown));
      }
  }

  static double host_time(const EngineHost& host, const std::string& key) {
    return (key == "per_iteration"  ? host.per_iteration
            : key == "per_sequence" ? host.per_sequence
                                    : host.per_request)
        .value;
  }

  // A case may say itself what a host time was there.
  bool has_host(const CaseResult& result, const Unknown& unknown) const {
    return unknown.engine == result.labels.engine &&
           result.about->scenario.at({"cluster", "pools", "0", "engine", "host", unknown.host->key}) == nullptr;
  }

  CaseResult predicted(const CaseResult& base, std::vector<std::string> settings) const {
    ValidationOptions options = options_;
    for (std::string& setting : settings) options.settings.push_back(std::move(setting));
    CaseResult result = run_case(*base.about, options);
    result.load = base.load;  // of the catalogue as it is: the same cases are compared
    return result;
  }

  // One unknown of each kind is nudged for all cases at once: none sees two of a kind.
  void take_slopes() {
    for (const Figure& figure : figures_) {
      const CaseResult& result = base_.results[figure.result];
      const Comparison& one = result.comparisons[figure.comparison];
      rows_.push_back({std::log(one.predicted / one.measured), std::vector<double>(unknowns_.size(), 0),
                       weight_.at(result.about->group)});
    }
    std::map<std::pair<std::size_t, std::string>, std::vector<std::size_t>> kinds;  // of unknowns
    for (std::size_t u = 0; u < unknowns_.size(); ++u)
      kinds[{unknowns_[u].kernel, unknowns_[u].host != nullptr ? unknowns_[u].host->key : ""}].push_back(u);
    for (const auto& [kind, unknowns] : kinds) {
      std::vector<CaseResult> nudged(base_.results.size());
      std::vector<std::size_t> of(base_.results.size(), unknowns_.size());
      for (const std::size_t i : sampled_)
        for (const std::size_t u : unknowns)
          if (concerns(unknowns_[u], base_.results[i])) of[i] = u;
      parallel_for(sampled_.size(), options_.threads, [&](std::size_t k) {
        const std::size_t i = sampled_[k];
        if (of[i] == unknowns_.size()) return;
        std::vector<double> values = present();
        values[of[i]] += step_of(of[i]);
        nudged[i] = predicted(base_.results[i], settings_of(base_.results[i], values));
      });
      for (std::size_t r = 0; r < figures_.size(); ++r) {
        const std::size_t i = figures_[r].result, u = of[i];
        if (u == unknowns_.size() || !nudged[i].unsupported.empty()) continue;
        const double before = base_.results[i].comparisons[figures_[r].comparison].predicted;
        rows_[r].slope[u] = std::log(nudged[i].comparisons[figures_[r].comparison].predicted / before) / step_of(u);
      }
    }
  }

  bool concerns(const Unknown& unknown, const CaseResult& result) const {
    return unknown.host != nullptr ? has_host(result, unknown) : unknown.chips.contains(result.labels.chip);
  }
  // Downwards where up may be over a bound.
  double step_of(std::size_t u) const { return unknowns_[u].host != nullptr ? unknowns_[u].host->spread / 2 : -kNudge; }
  std::vector<double> present() const {
    std::vector<double> values;
    for (const TiedUnknown& one : tied_) values.push_back(one.present);
    return values;
  }

  Calibration moved(const std::string& chip, const std::vector<double>& values) const {
    Calibration calibration = chips_.at(chip).calibration;
    const std::vector<CalibrationField> fields = fields_of(calibration);
    for (std::size_t u = 0; u < unknowns_.size(); ++u)
      if (unknowns_[u].host == nullptr && unknowns_[u].chips.contains(chip))
        scale(fields[unknowns_[u].kernel], values[u]);
    return calibration;
  }

  std::vector<std::string> host_settings(const CaseResult& result, const std::vector<double>& values) const {
    std::vector<std::string> settings;
    if (const auto mapping = engine_as_mapping(result.about->scenario)) settings.push_back(*mapping);
    for (std::size_t u = 0; u < unknowns_.size(); ++u)
      if (unknowns_[u].host != nullptr && has_host(result, unknowns_[u]))
        settings.push_back(fmt::format("cluster.pools.0.engine.host.{}={}", unknowns_[u].host->key,
                                       number_text(std::max(0.0, values[u]), Dimension::kTime)));
    return settings;
  }

  std::vector<std::string> settings_of(const CaseResult& result, const std::vector<double>& values) const {
    std::vector<std::string> settings = host_settings(result, values);
    settings.push_back(calibration_setting(moved(result.labels.chip, values)));
    return settings;
  }

  Calibration typical(const std::string& chip, const std::vector<double>& values) const {
    const ChipCalibration& out = chips_.at(chip);
    std::vector<OtherCalibration> others;
    for (const auto& [name, other] : chips_)
      if (other.die != out.die) others.push_back({other.calibration, moved(name, values), other.stack == out.stack});
    return typical_calibration(out.calibration, others);
  }

  void leave(const std::string& name, const std::vector<std::size_t>& cases, ValidationReport& report) {
    std::vector<TiedRow> rows;
    for (std::size_t r = 0; r < figures_.size(); ++r)
      if (fold_of(base_.results[figures_[r].result]) != name) rows.push_back(rows_[r]);
    const std::vector<double> values = tied_fit(tied_, rows, kNoise);
    std::map<std::string, Calibration> calibrations;
    for (const std::size_t i : cases) {
      const std::string& chip = base_.results[i].labels.chip;
      if (!calibrations.contains(chip))
        calibrations[chip] = what_ == LeaveOut::kModel ? moved(chip, values) : typical(chip, values);
    }
    std::vector<CaseResult> results(cases.size());
    parallel_for(cases.size(), options_.threads, [&](std::size_t k) {
      const CaseResult& base = base_.results[cases[k]];
      std::vector<std::string> settings = host_settings(base, values);
      settings.push_back(calibration_setting(calibrations.at(base.labels.chip)));
      results[k] = predicted(base, settings);
      if (what_ == LeaveOut::kChip) give_range(base, settings, results[k]);
    });
    report.left_out.push_back({name, cases.size(), moves_of(values)});
    for (CaseResult& result : results) report.results.push_back(std::move(result));
  }

  void give_range(const CaseResult& base, const std::vector<std::string>& settings, CaseResult& result) const {
    for (const char* maturity : {"untuned", "tuned"}) {
      std::vector<std::string> at = settings;
      at.push_back(fmt::format("cluster.pools.0.maturity={}", maturity));
      const CaseResult end = predicted(base, at);
      if (!end.unsupported.empty()) continue;
      for (std::size_t i = 0; i < result.comparisons.size(); ++i) {
        Comparison& one = result.comparisons[i];
        one.low = std::min(one.low.value_or(one.predicted), end.comparisons[i].predicted);
        one.high = std::max(one.high.value_or(one.predicted), end.comparisons[i].predicted);
      }
    }
  }

  std::vector<LeftOut::Moved> moves_of(const std::vector<double>& values) const {
    std::vector<std::pair<double, LeftOut::Moved>> moves;
    for (std::size_t u = 0; u < unknowns_.size(); ++u) {
      const double far = std::abs(values[u] - tied_[u].present) / tied_[u].spread;
      if (far < kTold) continue;
      const Unknown& unknown = unknowns_[u];
      const bool host = unknown.host != nullptr;
      moves.push_back({-far,
                       {unknown.what, host ? tied_[u].present : unknown.scale,
                        host ? std::max(0.0, values[u]) : unknown.scale * std::exp(values[u]), unknown.dimension}});
    }
    std::stable_sort(moves.begin(), moves.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<LeftOut::Moved> result;
    for (auto& [far, move] : moves) result.push_back(std::move(move));
    return result;
  }

  LeaveOut what_;
  const ValidationOptions& options_;
  HoldoutPlan plan_;
  ValidationReport base_;
  std::vector<std::size_t> chosen_, sampled_;  // of base_.results
  std::map<std::string, double> weight_;       // of a figure, by group
  std::vector<Figure> figures_;                // of sampled_
  std::map<std::string, ChipCalibration> chips_;
  std::map<std::string, EngineHost> engines_;
  std::vector<Unknown> unknowns_;
  std::vector<TiedUnknown> tied_;  // of unknowns_
  std::vector<TiedRow> rows_;      // of figures_
};

}  // namespace

ValidationReport leave_out(LeaveOut what, const ValidationOptions& options) {
  return Holdout(what, options).run();
}

}  // namespace silicast
