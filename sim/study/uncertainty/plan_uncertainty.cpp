#include "sim/study/uncertainty/plan_uncertainty.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "sim/base/random.hpp"
#include "sim/study/capacity/capacity.hpp"
#include "sim/study/parallel_for.hpp"
#include "sim/study/uncertainty/drawn_catalogue.hpp"
#include "sim/study/uncertainty/plan_unknowns.hpp"

namespace silicast {
namespace {

constexpr double kDrawPrecision = 0.02;  // of the searches for capacity
constexpr double kBarPrecision = 0.002;  // of those whose differences are told

class Draws {
 public:
  Draws(const PlanSpec& plan, const PlanAnswer& answer, const UncertaintyOptions& options)
      : plan_(plan), answer_(answer), options_(options) {
    std::vector<const MixPart*> parts;
    for (const MixPart& part : answer.parts) parts.push_back(&part);
    unknowns_ = plan_unknowns(plan, parts, options.configs_dir);
  }

  PlanUncertainty run() {
    PlanUncertainty result;
    result.draws = options_.draws, result.unknowns = unknowns_.numbers.size();
    result.certain = unknowns_.certain;
    const std::vector<std::vector<double>> shares = draw_shares();
    std::vector<std::vector<Outcome>> outcomes(options_.draws);
    parallel_for(options_.draws, options_.threads, [&](std::size_t d) {
      DrawnValues values;
      for (std::size_t u = 0; u < unknowns_.numbers.size(); ++u)
        values.emplace_back(&unknowns_.numbers[u], unknowns_.numbers[u].at(shares[u][d]));
      for (const MixPart& part : answer_.parts) outcomes[d].push_back(outcome(part, values, kDrawPrecision));
    });
    for (std::size_t p = 0; p < answer_.parts.size(); ++p) result.options.push_back(gathered(p, outcomes));
    for (const ServiceAnswer& service : answer_.services) result.tornado.push_back(tornado(service));
    return result;
  }

 private:
  struct Outcome {
    double capacity = 0, per_million = 0, per_hour = 0, months = 0;
    std::map<std::string, bool> met;
    bool all_met = false;
    std::string refused;  // why there is nothing to say
  };

  std::vector<std::vector<double>> draw_shares() const {
    std::vector<std::vector<double>> shares;
    for (const Unknown& one : unknowns_.numbers) {
      RandomStream stream(plan_.seed, "unknown/" + one.name);
      shares.emplace_back();
      for (std::size_t d = 0; d < options_.draws; ++d) shares.back().push_back(stream.uniform());
    }
    return shares;
  }

  Outcome outcome(const MixPart& part, const DrawnValues& values, double precision) const {
    const DrawnCatalogue catalogue(options_.configs_dir, values);
    const PlanSpec plan = drawn_plan(plan_, part, values);
    SizedOption sized = *part.sized;
    sized.option.candidate = &plan.candidates[part.candidate];
    sized.option.service = &plan.services[part.service];
    const ConfigNode tree = scenario_of(plan, sized.option, sized.nodes);
    Outcome result;
    try {
      const Scenario scenario = read_scenario(tree, plan.path, {catalogue.path(), {}});
      sized.verdict = verdict_of(simulate(scenario, {}).summary, plan.least_good);
      result.all_met = sized.verdict.met;
      for (const TargetResult& one : sized.verdict.summary.total.goodput.targets)
        result.met[one.name] = one.met.value_or(false);
      const NodeCost cost = cost_of_nodes(plan, sized, catalogue.path());
      result.per_hour = cost.per_hour * static_cast<double>(sized.nodes) + cost.porting_per_hour;
      CapacityQuestion question;
      question.scenario = tree, question.path = plan.path, question.configs_dir = catalogue.path();
      question.least_good = plan.least_good, question.replications = 1, question.precision = precision;
      const CapacityAnswer capacity = find_capacity(question);
      result.capacity = capacity.kind == CapacityAnswer::Kind::kNone ? 0 : capacity.load;
      result.months =
          months_until_full(result.capacity / *scenario.workload_info.mean_rate, plan.growth.per_month.value);
      const Throughput& rates = sized.verdict.summary.total.throughput;
      const double tokens = (rates.prompt_tokens + rates.output_tokens) / rates.requests;
      result.per_million = result.capacity > 0 ? result.per_hour / (result.capacity * tokens * 3600 / 1e6)
                                               : std::numeric_limits<double>::infinity();
    } catch (const InputError& error) {  // memory that was drawn small holds no model
      result.refused = error.what();
      result.per_million = result.per_hour = std::numeric_limits<double>::infinity();
    }
    return result;
  }

  // `room`: capacity over the load of the first month.
  static double months_until_full(double room, double growth) {
    if (room < 1) return 0;
    return growth > 0 ? std::log(room) / std::log1p(growth) : std::numeric_limits<double>::infinity();
  }

  UncertainOption gathered(std::size_t p, const std::vector<std::vector<Outcome>>& outcomes) const {
    UncertainOption option;
    option.part = &answer_.parts[p];
    std::map<std::string, double> holds;
    for (const TargetResult& one : option.part->sized->verdict.summary.total.goodput.targets) holds[one.name] = 0;
    const double share = 1 / static_cast<double>(outcomes.size());
    for (const std::vector<Outcome>& draw : outcomes) {
      const Outcome& one = draw[p];
      option.capacity.push_back(one.capacity);
      option.per_million.push_back(one.per_million);
      option.per_hour.push_back(one.per_hour);
      option.months.push_back(one.months);
      option.all_hold += one.all_met ? share : 0;
      if (!one.refused.empty()) ++option.refused, option.refusal = one.refused;
      for (auto& [name, sum] : holds)
        if (const auto found = one.met.find(name); found != one.met.end() && found->second) sum += share;
    }
    for (const auto& [name, sum] : holds) option.targets.push_back(name), option.holds.push_back(sum);
    return option;
  }

  std::vector<TornadoBar> tornado(const ServiceAnswer& service) const {
    const MixPart* cheapest = nullptr;
    for (const MixPart& part : answer_.parts)
      if (!service.best.empty() && part.sized == service.best[0]) cheapest = &part;
    if (cheapest == nullptr || !options_.tornado) return {};
    const std::vector<Unknown> unknowns = plan_unknowns(plan_, {cheapest}, options_.configs_dir).numbers;
    const double base = outcome(*cheapest, {}, kBarPrecision).per_million;
    std::vector<TornadoBar> bars(unknowns.size());
    parallel_for(unknowns.size(), options_.threads, [&](std::size_t u) {
      const Unknown& one = unknowns[u];
      bars[u].name = one.name;
      bars[u].at_low = outcome(*cheapest, {{&one, one.low}}, kBarPrecision).per_million / base - 1;
      bars[u].at_high = outcome(*cheapest, {{&one, one.high}}, kBarPrecision).per_million / base - 1;
    });
    const auto width = [](const TornadoBar& bar) { return std::abs(bar.at_high - bar.at_low); };
    std::stable_sort(bars.begin(), bars.end(),
                     [&](const TornadoBar& a, const TornadoBar& b) { return width(a) > width(b); });
    return bars;
  }

  const PlanSpec& plan_;
  const PlanAnswer& answer_;
  const UncertaintyOptions& options_;
  PlanUnknowns unknowns_;
};

}  // namespace

PlanUncertainty draw_plan(const PlanSpec& plan, const PlanAnswer& answer, const UncertaintyOptions& options) {
  return Draws(plan, answer, options).run();
}

double beats(const UncertainOption& a, const UncertainOption& b) {
  double wins = 0;
  for (std::size_t d = 0; d < a.per_million.size(); ++d)
    wins += a.per_million[d] < b.per_million[d] ? 1 : a.per_million[d] == b.per_million[d] ? 0.5 : 0;
  return wins / static_cast<double>(a.per_million.size());
}

}  // namespace silicast
