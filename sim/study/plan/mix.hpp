// The cheapest nodes that carry all services under the caps: an integer program over the best option of each kind of
// node, with what each service's load takes of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/study/plan/cost_of_nodes.hpp"

namespace silicast {

// The best option of a service on a candidate, ready to be mixed with others.
struct MixPart {
  std::size_t service = 0, candidate = 0;  // of the plan
  const SizedOption* sized = nullptr;
  NodeCost cost;
  std::string stack;             // of software
  std::string porting;           // "CANN/llama-3.1-70b": a model is ported to a stack once
  double requests_per_node = 0;  // 1/s at the targets
};

struct MixPool {
  const MixPart* part = nullptr;
  std::int64_t needed = 0;  // nodes for the load
  std::int64_t bought = 0;  // with spares
};

struct Mix {
  std::vector<MixPool> pools;
  double per_hour = 0;  // RMB, with porting
  double purchase = 0;  // RMB
  double watts = 0;     // rated
  std::int64_t racks = 0;
};

// A cap of the plan as one number that can be moved: the budget, power, racks, chips of one candidate.
struct MixCap {
  std::string name;  // "budget", "power", "racks", "chips of hgx-h20-96"
  std::string unit;  // "RMB", "W", "racks", "chips"
  double amount = 0;
};
std::vector<MixCap> caps_of(const PlanSpec& plan);

struct MixQuestion {
  const PlanSpec* plan = nullptr;
  const std::vector<MixPart>* parts = nullptr;
  std::vector<double> demand;          // requests/s by service
  std::map<std::string, double> caps;  // amounts by name; infinity: lifted. Those left out: as in the plan
};

// Sizes of pools are tried one by one up to 256 steps of nodes, above that in 256ths of what carries the whole load.
// Nothing where no mix keeps the caps.
std::optional<Mix> cheapest_mix(const MixQuestion& question);

// The least amount of one cap, the others as they are, at which there is a mix; nothing: not by this cap alone.
std::optional<double> least_cap(const MixQuestion& question, const MixCap& cap);

}  // namespace silicast
