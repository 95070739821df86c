// The answer to a plan: every option with its status, the cheapest nodes under the caps, what a cap or a target costs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/study/plan/mix.hpp"

namespace silicast {

struct PlanOptions {
  std::string configs_dir;
  std::size_t threads = 1;
  double seconds = 600;  // after which what was not sized yet is timed out
};

// What a cap of the plan, or a target, costs.
struct ShadowPrice {
  std::string what;     // "power", "ttft_p99 of chat"
  std::string change;   // "a tenth more", "lifted"
  double per_hour = 0;  // RMB that it would save; NaN: nothing would be found
};

// A month of growth with the nodes that it needs.
struct GrowthStep {
  std::int64_t month = 0;
  double load = 1;         // of today's
  std::optional<Mix> mix;  // of the winning pools; nothing: the caps are reached
};

// The plan's nodes under another load.
struct Cliff {
  double load = 1;  // of today's
  Verdict verdict;
};

struct ServiceAnswer {
  double requests_per_second = 0;
  std::vector<const SizedOption*> best;  // the cheapest compliant option of each candidate, the cheapest first
  Verdict verdict;                       // of the winning pools together
  bool verified = false;                 // the targets are met with them
  std::vector<Cliff> cliffs;
};

struct PlanAnswer {
  std::vector<SizedOption> ledger;  // in the order of services, candidates, options
  std::vector<MixPart> parts;       // the best options, ready to be mixed
  std::vector<ServiceAnswer> services;
  std::optional<Mix> mix;
  std::vector<std::string> no_mix;  // why there is none
  std::vector<ShadowPrice> shadow_prices;
  std::vector<GrowthStep> growth;
  std::int64_t runs = 0;
};

// Errors (InputError): of the plan. The answer points into the plan.
PlanAnswer solve_plan(const PlanSpec& plan, const PlanOptions& options);
PlanAnswer solve_plan(PlanSpec&& plan, const PlanOptions& options) = delete;

// The scenario of a service's winning pools, with the load at `share` of the plan's.
ConfigNode winning_scenario(const PlanSpec& plan, const Mix& mix, std::size_t service, double share = 1);

}  // namespace silicast
