#include "sim/study/calibration/fit.hpp"

#include <fmt/format.h>
#include <nlopt.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

constexpr double kSmallError = 0.1;     // where the loss turns from quadratic to linear
constexpr double kNudge = 1.1;          // by which a parameter is moved to see what depends on it
constexpr double kLeastEffect = 0.005;  // of that on the tenth of the cases that it matters most for
constexpr double kWide = 1.5;           // a parameter that may move so far either way
constexpr double kFlat = 0.01;          // without the loss growing by this share is not told
constexpr int kFolds = 5;
constexpr double kLoose = 3;

double loss_of(double error) {
  const double x = error / kSmallError;
  return kSmallError * (std::sqrt(1 + x * x) - 1);
}

class Fit {
 public:
  Fit(const std::vector<FitParameter>& parameters, const FitData& data) : parameters_(parameters), data_(data) {
    for (const FitParameter& one : parameters) {
      SILICAST_CHECK(one.low > 0 && one.low < one.high, "{} from {} to {}", one.name, one.low, one.high);
      values_.push_back(std::clamp(one.start, one.low, one.high));
      result_.push_back({one.start, one.start, one.start, ""});
    }
    errors_.resize(data.shape.size());
  }

  std::vector<FittedParameter> run() {
    leave_what_nothing_tells();
    leave_what_is_too_many();
    optimise();
    if (leave_what_is_flat()) optimise();
    leave_out_folds();
    return result_;
  }

 private:
  bool is_free(std::size_t i) const { return result_[i].undetermined.empty(); }
  std::vector<std::size_t> free() const {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      if (is_free(i)) indices.push_back(i);
    return indices;
  }
  void leave(std::size_t i, std::string why) {
    result_[i].undetermined = std::move(why);
    values_[i] = parameters_[i].start;
  }

  // Mean over the cases, but those of the fold.
  double loss(const std::vector<double>& values) {
    data_.errors(values, errors_);
    double sum = 0, weights = 0;
    for (std::size_t i = 0; i < errors_.size(); ++i) {
      if (fold_ >= 0 && data_.shape[i] % kFolds == fold_) continue;
      sum += data_.weight[i] * loss_of(errors_[i]);
      weights += data_.weight[i];
    }
    return weights > 0 ? sum / weights : 0;
  }

  void leave_what_nothing_tells() {
    std::vector<double> before(errors_.size()), effects(errors_.size());
    data_.errors(values_, before);
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      std::vector<double> moved = values_;
      moved[i] = values_[i] * kNudge <= parameters_[i].high ? values_[i] * kNudge : values_[i] / kNudge;
      data_.errors(moved, errors_);
      for (std::size_t c = 0; c < errors_.size(); ++c) effects[c] = std::abs(errors_[c] - before[c]);
      const std::size_t tenth = effects.size() / 10;
      double effect = 0;
      if (!effects.empty()) {
        std::nth_element(effects.begin(), effects.end() - 1 - static_cast<std::ptrdiff_t>(tenth), effects.end());
        effect = effects[effects.size() - 1 - tenth];
      }
      effects_.push_back(effect);
      if (effect < kLeastEffect) leave(i, "hardly any measured value depends on it");
    }
  }

  void leave_what_is_too_many() {
    const std::size_t independent = std::set<std::int32_t>(data_.shape.begin(), data_.shape.end()).size();
    const std::size_t most = independent / static_cast<std::size_t>(data_.cases_per_parameter);
    std::vector<std::size_t> indices = free();
    std::stable_sort(indices.begin(), indices.end(),
                     [&](std::size_t a, std::size_t b) { return effects_[a] > effects_[b]; });
    for (std::size_t i = most; i < indices.size(); ++i)
      leave(indices[i],
            fmt::format("{} independent case{} carr{} {} parameter{}, others matter more", independent,
                        independent == 1 ? "" : "s", independent == 1 ? "ies" : "y", most, most == 1 ? "" : "s"));
  }

  // NLopt minimises over logarithms, each scaled to its range.
  void optimise() {
    indices_ = free();
    const auto n = static_cast<unsigned>(indices_.size());
    if (n == 0) return;
    if (data_.grid > 0 && fold_ < 0) try_grid();
    const std::unique_ptr<nlopt_opt_s, void (*)(nlopt_opt)> search(
        nlopt_create(data_.grid > 0 ? NLOPT_LN_COBYLA : NLOPT_LN_SBPLX, n), nlopt_destroy);
    std::vector<double> x;
    for (const std::size_t i : indices_) x.push_back(scaled(i, values_[i]));
    nlopt_set_lower_bounds1(search.get(), 0);
    nlopt_set_upper_bounds1(search.get(), 1);
    nlopt_set_initial_step1(search.get(), 0.05);
    nlopt_set_xtol_abs1(search.get(), 1e-4);
    nlopt_set_maxeval(search.get(), data_.evaluations);
    nlopt_set_min_objective(search.get(), &Fit::objective, this);
    double least = 0;
    const nlopt_result done = nlopt_optimize(search.get(), x.data(), &least);
    SILICAST_CHECK(done > 0 || done == NLOPT_ROUNDOFF_LIMITED, "NLopt ended with {}", static_cast<int>(done));
    unscale(x.data());
  }

  // Every combination of values that divide the ranges evenly; the best so far stays if none is better.
  void try_grid() {
    std::vector<double> best = values_;
    double least = loss(best);
    std::vector<int> at(indices_.size(), 0);
    for (bool more = true; more;) {
      for (std::size_t j = 0; j < at.size(); ++j) {
        const FitParameter& one = parameters_[indices_[j]];
        values_[indices_[j]] = one.low * std::pow(one.high / one.low, (at[j] + 0.5) / data_.grid);
      }
      if (const double here = loss(values_); here < least) {
        least = here;
        best = values_;
      }
      more = false;
      for (std::size_t j = 0; j < at.size() && !more; ++j) {
        more = ++at[j] < data_.grid;
        if (!more) at[j] = 0;
      }
    }
    values_ = best;
  }

  static double objective(unsigned, const double* x, double*, void* self) {
    Fit& fit = *static_cast<Fit*>(self);
    fit.unscale(x);
    return fit.loss(fit.values_);
  }
  double scaled(std::size_t i, double value) const {
    const FitParameter& one = parameters_[i];
    return std::log(value / one.low) / std::log(one.high / one.low);
  }
  void unscale(const double* x) {
    for (std::size_t j = 0; j < indices_.size(); ++j) {
      const FitParameter& one = parameters_[indices_[j]];
      values_[indices_[j]] = one.low * std::exp(x[j] * std::log(one.high / one.low));
    }
  }

  // Each alone: what others make up for shows when shapes are left out.
  bool leave_what_is_flat() {
    const double least = loss(values_);
    std::vector<std::size_t> flat;
    for (const std::size_t i : free()) {
      bool grows = false;
      for (const double factor : {kWide, 1 / kWide}) {
        std::vector<double> moved = values_;
        moved[i] = std::clamp(values_[i] * factor, parameters_[i].low, parameters_[i].high);
        grows = grows || loss(moved) > least * (1 + kFlat);
      }
      if (!grows) flat.push_back(i);
    }
    for (const std::size_t i : flat)
      leave(i, fmt::format("errors are alike from {:.3g} to {:.3g} times the best value", 1 / kWide, kWide));
    return !flat.empty();
  }

  int independent() const {
    return static_cast<int>(std::set<std::int32_t>(data_.shape.begin(), data_.shape.end()).size());
  }

  void leave_out_folds() {
    const std::vector<double> best = values_;
    std::vector<double> low = best, high = best;
    for (fold_ = 0; fold_ < std::min(kFolds, independent()); ++fold_) {
      values_ = best;
      optimise();
      for (std::size_t i = 0; i < best.size(); ++i) {
        low[i] = std::min(low[i], values_[i]);
        high[i] = std::max(high[i], values_[i]);
      }
    }
    fold_ = -1;
    values_ = best;
    bool left = false;
    for (const std::size_t i : free()) {
      // Nothing checks what one independent case says.
      if (independent() == 1) low[i] = best[i] / kLoose, high[i] = best[i] * kLoose;
      const double end = best[i] < 1.001 * parameters_[i].low ? parameters_[i].low : parameters_[i].high;
      if (std::abs(best[i] / end - 1) < 0.001) {
        leave(i, fmt::format("the best value is at the end of what is possible, {:.3g}", end));
        left = true;
        continue;
      }
      if (independent() == 1 || high[i] <= kLoose * low[i]) continue;
      leave(i, fmt::format("between {:.3g} and {:.3g} times the best value without a fifth of the shapes",
                           low[i] / best[i], high[i] / best[i]));
      left = true;
    }
    if (left) optimise();
    for (const std::size_t i : free())
      result_[i] = {values_[i], std::min(low[i], values_[i]), std::max(high[i], values_[i]), ""};
  }

  const std::vector<FitParameter>& parameters_;
  const FitData& data_;
  std::vector<double> values_, effects_, errors_;
  std::vector<FittedParameter> result_;
  std::vector<std::size_t> indices_;  // of the parameters that the search in progress moves
  int fold_ = -1;                     // left out; -1: none
};

}  // namespace

std::vector<FittedParameter> fit_parameters(const std::vector<FitParameter>& parameters, const FitData& data) {
  SILICAST_CHECK(data.shape.size() == data.weight.size(), "{} shapes, {} weights", data.shape.size(),
                 data.weight.size());
  return Fit(parameters, data).run();
}

}  // namespace silicast
