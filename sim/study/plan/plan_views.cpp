#include "sim/study/plan/plan_views.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace silicast {
namespace {

std::vector<const SizedOption*> compliant(const PlanSpec& plan, const PlanAnswer& answer, std::size_t service) {
  std::vector<const SizedOption*> options;
  for (const SizedOption& one : answer.ledger)
    if (one.status == OptionStatus::kCompliant && one.option.service == &plan.services[service])
      options.push_back(&one);
  return options;
}

// Chips of a replica, then keys that differ from the engine's own.
double complexity(const SizedOption& sized) {
  const EngineLimitsChoice& limits = sized.option.limits;
  return 10.0 * sized.option.chips + static_cast<double>(sized.option.layout.entries.size()) +
         (limits.max_sequences > 0 ? 1 : 0) + (limits.max_batched_tokens > 0 ? 1 : 0);
}

double weakness(const SizedOption& sized) {
  const Summary& summary = sized.verdict.summary;
  return 10 * static_cast<double>(summary.latency_weakest) + static_cast<double>(summary.cost->weakest);
}

// Of answers of one token there is none.
std::string per_token(const SizedOption& sized) {
  const double tpot = sized.verdict.summary.total.tpot.p50;
  return std::isfinite(tpot) ? fmt::format("{} per token, median", format_quantity(tpot, Dimension::kTime)) : "-";
}

}  // namespace

double per_hour_of(const PlanSpec& plan, const SizedOption& sized) {
  const Cost& cost = *sized.verdict.summary.cost;
  const std::optional<CostBasis>& basis = plan.basis == PlanBasis::kRent ? cost.rent : cost.purchase;
  return basis ? basis->per_hour.rmb.value * cost.porting_delay_factor.value : kNoValue;
}

OptionFigures figures_of(const PlanSpec& plan, const SizedOption& sized, const std::string& configs_dir) {
  const Summary& summary = sized.verdict.summary;
  const NodeCost cost = cost_of_nodes(plan, sized, configs_dir);
  const auto nodes = static_cast<double>(sized.nodes);
  OptionFigures figures;
  figures.per_hour = per_hour_of(plan, sized);
  const double tokens = summary.total.throughput.prompt_tokens + summary.total.throughput.output_tokens;
  figures.per_million_tokens = figures.per_hour / (tokens * 3600 / 1e6);
  figures.purchase = nodes * cost.purchase;
  figures.watts = nodes * cost.watts;
  figures.ttft_p50 = summary.total.ttft.p50, figures.ttft_p99 = summary.total.ttft.p99;
  figures.tpot_p50 = summary.total.tpot.p50, figures.tpot_p99 = summary.total.tpot.p99;
  figures.busy = summary.use[0].busy;
  figures.requests_per_replica = summary.total.throughput.requests / summary.use[0].replicas;
  figures.chips = sized.nodes * sized.option.node_chips;
  const double output = summary.total.throughput.output_tokens;
  figures.tokens_per_user = 1 / figures.tpot_p50;
  figures.tokens_per_chip = output / static_cast<double>(figures.chips);
  figures.tokens_per_megawatt = output / (figures.watts / 1e6);
  return figures;
}

std::vector<PlanView> views_of(const PlanSpec& plan, const PlanAnswer& answer, std::size_t service,
                               const std::string& configs_dir) {
  const std::vector<const SizedOption*> options = compliant(plan, answer, service);
  if (options.empty()) return {};
  const auto least = [&](const std::function<double(const SizedOption&)>& of) {
    return *std::min_element(options.begin(), options.end(), [&](const SizedOption* a, const SizedOption* b) {
      const double x = of(*a), y = of(*b);
      return x != y ? x < y : per_hour_of(plan, *a) < per_hour_of(plan, *b);
    });
  };
  const auto watts = [&](const SizedOption& one) { return figures_of(plan, one, configs_dir).watts; };
  const SizedOption* cheapest = least([&](const SizedOption& one) { return per_hour_of(plan, one); });
  const SizedOption* fastest = least([](const SizedOption& one) { return one.verdict.summary.total.tpot.p50; });
  const SizedOption* cool = least(watts);
  const SizedOption* simple = least(complexity);
  const SizedOption* firm = least(weakness);
  return {
      {"cheapest", cheapest, fmt::format("{:.2f} RMB/h", per_hour_of(plan, *cheapest))},
      {"fastest", fastest, per_token(*fastest)},
      {"least power", cool, fmt::format("{} rated", format_quantity(watts(*cool), Dimension::kPower))},
      {"simplest", simple, fmt::format("{} chips a replica", simple->option.chips)},
      {"firmest evidence", firm,
       fmt::format("latency by {}, cost by {} figures at the weakest", name_of(firm->verdict.summary.latency_weakest),
                   name_of(firm->verdict.summary.cost->weakest))},
  };
}

std::vector<const SizedOption*> pareto_front(const PlanSpec& plan, const PlanAnswer& answer, std::size_t service) {
  std::vector<const SizedOption*> options = compliant(plan, answer, service);
  std::stable_sort(options.begin(), options.end(), [&](const SizedOption* a, const SizedOption* b) {
    const double x = per_hour_of(plan, *a), y = per_hour_of(plan, *b);
    return x != y ? x < y : a->verdict.summary.total.tpot.p50 < b->verdict.summary.total.tpot.p50;
  });
  std::vector<const SizedOption*> front;
  for (const SizedOption* one : options)
    if (front.empty() || one->verdict.summary.total.tpot.p50 < front.back()->verdict.summary.total.tpot.p50)
      front.push_back(one);
  return front;
}

}  // namespace silicast
