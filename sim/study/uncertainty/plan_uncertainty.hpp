// How firm a plan's answer is: its best options with every number of the catalogue that has a range drawn anew.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/report/json_text.hpp"
#include "sim/study/plan/plan.hpp"
#include "sim/study/uncertainty/unknown.hpp"

namespace silicast {

// One of the plan's best options, draw by draw. The number of nodes stays as planned.
struct UncertainOption {
  const MixPart* part = nullptr;
  std::vector<double> capacity;     // requests/s at the targets; 0: they are missed at any load
  std::vector<double> per_million;  // RMB per million tokens at that load; infinite with it
  std::vector<double> per_hour;     // RMB, with porting
  std::vector<double> months;       // until the planned nodes are full; 0: from the start; infinite: never
  std::vector<std::string> targets;
  std::vector<double> holds;  // share of draws in which each target is met at the plan's load
  double all_hold = 0;        // share in which all are
  std::size_t refused = 0;    // draws whose scenario is not valid: the model has no room in memory drawn small
  std::string refusal;        // why, of the last
};

// Cost per million tokens at capacity of the cheapest option with one unknown at the ends of its range.
struct TornadoBar {
  std::string name;
  double at_low = 0, at_high = 0;  // relative to `base` - 1
};

struct PlanUncertainty {
  std::vector<UncertainOption> options;  // as PlanAnswer::parts
  std::size_t draws = 0;
  std::size_t unknowns = 0;
  std::vector<std::string> certain;  // price sheets and use cases of the user's own, whose numbers are not drawn
  std::vector<std::vector<TornadoBar>> tornado;  // of each service's cheapest option, the widest first
};

struct UncertaintyOptions {
  std::string configs_dir;
  std::size_t draws = 100;
  std::size_t threads = 1;
  bool tornado = true;  // two searches more for every number
};

// Draws are shared by all options (common random numbers). Chips, nodes, engines and prices are drawn number by number,
// what kernels reach of a chip by one maturity for each software stack: its ranges are ends of one thing, not
// independent; the plan's traffic and growth, and its use cases, where they have ranges. Errors (InputError): of the
// scenarios.
PlanUncertainty draw_plan(const PlanSpec& plan, const PlanAnswer& answer, const UncertaintyOptions& options);

// Share of draws in which `a` costs less per million tokens at its capacity than `b`.
double beats(const UncertainOption& a, const UncertainOption& b);

std::string uncertainty_text(const PlanSpec& plan, const PlanUncertainty& found);
void put_uncertainty(JsonText& json, const PlanSpec& plan, const PlanUncertainty& found);  // as an object

double quantile(std::vector<double> values, double share);  // of draws; an infinite neighbour is not reached into

}  // namespace silicast
