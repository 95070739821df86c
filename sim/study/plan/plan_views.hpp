// Ways to look at the compliant options of a service.
#pragma once

#include <string>
#include <vector>

#include "sim/study/plan/plan.hpp"

namespace silicast {

// What people compare of an option with the nodes that it needs; RMB, s, W, token/s.
struct OptionFigures {
  double per_hour = 0, per_million_tokens = 0, purchase = 0;
  double watts = 0;  // rated, all servers
  double ttft_p50 = 0, ttft_p99 = 0, tpot_p50 = 0, tpot_p99 = 0;
  double requests_per_replica = 0;  // 1/s
  double busy = 0;
  double tokens_per_user = 0;      // 1 / median TPOT
  double tokens_per_chip = 0;      // output, of all chips bought
  double tokens_per_megawatt = 0;  // output, provisioned
  std::int64_t chips = 0;
};
OptionFigures figures_of(const PlanSpec& plan, const SizedOption& sized, const std::string& configs_dir);

struct PlanView {
  std::string name;  // "cheapest", "fastest", "least power", "simplest", "firmest evidence"
  const SizedOption* option = nullptr;
  std::string figure;  // by which it was chosen
};
std::vector<PlanView> views_of(const PlanSpec& plan, const PlanAnswer& answer, std::size_t service,
                               const std::string& configs_dir);

// Options that none beats in both cost per hour and median time per output token; the cheapest first.
std::vector<const SizedOption*> pareto_front(const PlanSpec& plan, const PlanAnswer& answer, std::size_t service);

double per_hour_of(const PlanSpec& plan, const SizedOption& sized);  // RMB, with porting and the wait for it

}  // namespace silicast
