#include "sim/study/calibration/calibrate_serving.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sim/base/check.hpp"
#include "sim/io/config_catalogue.hpp"
#include "sim/model/engine_spec.hpp"
#include "sim/report/quantiles.hpp"
#include "sim/study/calibration/evidence_yaml.hpp"
#include "sim/study/calibration/fit.hpp"
#include "sim/study/parallel_for.hpp"
#include "sim/study/validation/scenario_draft.hpp"

namespace silicast {
namespace {

struct Overhead {
  const char* key;
  double low, high;  // s, where it is looked for
  Evidence EngineHost::*of;
};
constexpr Overhead kOverheads[] = {{"per_iteration", 1e-6, 0.02, &EngineHost::per_iteration},
                                   {"per_sequence", 1e-8, 1e-3, &EngineHost::per_sequence},
                                   {"per_request", 1e-5, 0.3, &EngineHost::per_request}};
constexpr std::size_t kKeys = std::size(kOverheads);
constexpr const char* kMetrics[] = {"ttft_mean", "tpot_mean", "itl_mean", "e2e_mean"};

// A measured figure that is compared: an entry of the fit's errors.
struct Figure {
  std::size_t run = 0;     // of ServingFit::runs_
  std::size_t metric = 0;  // of its comparisons
};

class ServingFit {
 public:
  explicit ServingFit(const ServingFitOptions& options) : options_(options) {}

  ServingCalibration run() {
    read_engine();
    choose_runs();
    FitData data;
    std::map<std::string, std::int32_t> groups;
    std::map<std::string, double> figures;
    for (const Figure& figure : figures_) ++figures[group_of(figure)];
    for (const Figure& figure : figures_) {
      const std::string group = group_of(figure);
      data.shape.push_back(groups.emplace(group, static_cast<std::int32_t>(groups.size())).first->second);
      data.weight.push_back(1 / figures[group]);
    }
    data.errors = [&](const std::vector<double>& values, std::vector<double>& errors) { errors = errors_of(values); };
    data.cases_per_parameter = 1;
    data.evaluations = 60;
    data.grid = 4;
    std::vector<FitParameter> parameters;
    for (const Overhead& one : kOverheads) parameters.push_back({one.key, (host_.*one.of).value, one.low, one.high});
    const std::vector<FittedParameter> fitted = fit_parameters(parameters, data);
    result_.groups = groups.size();
    report(fitted);
    return result_;
  }

 private:
  void read_engine() {
    const std::vector<std::string> names = config_names(options_.validation.configs_dir + "/engines");
    if (std::find(names.begin(), names.end(), options_.engine) == names.end())
      throw InputError(fmt::format("--engine '{}': unknown{}", options_.engine, suggestion(options_.engine, names)));
    const EngineSpec engine = read_engine_spec(load_entry(options_.validation.configs_dir, "engines", options_.engine),
                                               options_.validation.configs_dir);
    host_ = engine.host;
    result_.engine = options_.engine;
    result_.overlapped = engine.host.overlapped;
  }

  // Cases that the engine served and that can be compared as things are.
  void choose_runs() {
    for (const std::string& setting : options_.validation.settings)
      for (const Overhead& one : kOverheads)
        if (setting.starts_with(fmt::format("cluster.pools.0.engine.host.{}=", one.key)))
          throw InputError(fmt::format("--set {}: is what is fitted here; leave it out", setting));
    const ValidationReport report = validate(options_.validation);
    for (std::size_t i = 0; i < report.results.size(); ++i) {
      const CaseResult& one = report.results[i];
      if (one.about->labels.engine != options_.engine && one.labels.engine != options_.engine) continue;
      if (!std::holds_alternative<ServeQuestion>(one.about->question)) continue;
      if (!one.unsupported.empty()) {
        result_.not_run.push_back(fmt::format("{}: {}", one.about->id, one.unsupported));
        continue;
      }
      for (std::size_t metric = 0; metric < one.comparisons.size(); ++metric)
        if (std::find(std::begin(kMetrics), std::end(kMetrics), one.comparisons[metric].metric) != std::end(kMetrics)) {
          figures_.push_back({runs_.size(), metric});
          result_.cases.push_back(
              {one.about->id, one.about->group, one.comparisons[metric].metric, one.comparisons[metric].error, 0});
        }
      runs_.push_back(*one.about);
    }
    if (figures_.empty())
      throw InputError(fmt::format("no case of engine '{}' has a TTFT, TPOT, ITL or E2E to compare", options_.engine));
  }

  const std::string& group_of(const Figure& figure) const { return runs_[figure.run].group; }

  // A case may say itself what an overhead was there.
  static bool pinned(const ValidationCase& one, std::string_view key) {
    return one.scenario.at({"cluster", "pools", "0", "engine", "host", key}) != nullptr;
  }

  std::vector<double> errors_of(const std::vector<double>& values) {
    std::vector<CaseResult> results(runs_.size());
    parallel_for(runs_.size(), options_.validation.threads, [&](std::size_t i) {
      ValidationOptions options = options_.validation;
      if (const auto mapping = engine_as_mapping(runs_[i].scenario)) options.settings.push_back(*mapping);
      for (std::size_t k = 0; k < kKeys; ++k)
        if (!pinned(runs_[i], kOverheads[k].key))
          options.settings.push_back(
              fmt::format("cluster.pools.0.engine.host.{}={:.9g} us", kOverheads[k].key, 1e6 * values[k]));
      results[i] = run_case(runs_[i], options);
    });
    std::vector<double> errors;
    for (const Figure& figure : figures_) {
      const CaseResult& one = results[figure.run];
      SILICAST_CHECK(one.unsupported.empty(), "{}: {}", runs_[figure.run].id, one.unsupported);
      const Comparison& compared = one.comparisons[figure.metric];
      errors.push_back(std::log(compared.predicted / compared.measured));
    }
    return errors;
  }

  void report(const std::vector<FittedParameter>& fitted) {
    std::vector<double> values;
    for (const FittedParameter& one : fitted) values.push_back(one.value);
    const std::vector<double> after = errors_of(values);
    for (std::size_t i = 0; i < after.size(); ++i) result_.cases[i].after = std::exp(after[i]) - 1;
    for (std::size_t k = 0; k < kKeys; ++k) {
      std::vector<double> moved = values;
      moved[k] *= 2;
      std::vector<double> effects = errors_of(moved);
      for (std::size_t i = 0; i < effects.size(); ++i) effects[i] = std::abs(std::exp(effects[i] - after[i]) - 1);
      std::sort(effects.begin(), effects.end());
      const FittedParameter& one = fitted[k];
      result_.overheads.push_back({kOverheads[k].key, (host_.*kOverheads[k].of).value, one.value, one.low, one.high,
                                   one.undetermined, quantile_of_sorted(effects, 0.5)});
    }
  }

  const ServingFitOptions& options_;
  EngineHost host_;
  std::vector<ValidationCase> runs_;
  std::vector<Figure> figures_;
  ServingCalibration result_;
};

}  // namespace

ServingCalibration calibrate_serving(const ServingFitOptions& options) {
  return ServingFit(options).run();
}

std::string engine_yaml(const ServingCalibration& fitted, const std::string& configs_dir, const std::string& name,
                        const std::string& source) {
  // A base stands on its own, so of an engine with one all that it changes is said again.
  ConfigNode tree = load_config(fmt::format("{}/engines/{}.yaml", configs_dir, fitted.engine));
  if (tree.find("base") == nullptr) {
    tree = ConfigNode{};
    set_config(tree, "base", fitted.engine, "engine");
  }
  set_config(tree, "name", name, "engine");
  set_config(tree, "description", fmt::format("{} with fitted host overheads", fitted.engine), "engine");
  bool any = false;
  for (const FittedOverhead& one : fitted.overheads) {
    if (!one.undetermined.empty()) continue;
    any = true;
    set_config(tree, "host." + one.key,
               evidence_yaml({one.value, one.low, one.high, Grade::kMeasured, source}, Dimension::kTime), "engine");
  }
  if (!any) throw InputError(fmt::format("the data determine no host overhead of engine '{}'", fitted.engine));
  return "# Made by silicast calibrate serving.\n" + to_yaml(tree);
}

}  // namespace silicast
