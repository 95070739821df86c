// A plan file: what is to be served, on which nodes it may be, and what must not be exceeded.
//
//   name: buy-2026
//   services:                            # or model, workload, targets (and max_context) at the top for a single one
//     - {name: chat, model: llama-3.1-70b, workload: {preset: azure-2023-conversation}, targets: {tpot_p99: 50 ms}}
//   candidates:
//     - {node: hgx-h20-96, engine: vllm, precisions: [8bit], layouts: auto, limits: auto, maturity: typical,
//        most_chips: 64}
//   prices: china-2026
//   basis: purchase                      # or rent
//   least_good: 0.99                     # share of requests that keep their own limits
//   caps: {budget: 50000000 RMB, power: 500 kW, racks: {count: 10, power: 40 kW}}
//   spare_nodes: 1                       # of each pool, on top of what the load needs
//   availability: {share: 0.999, failures_per_node_day: 0.005, repair: 24 h}
//   traffic: {value: 1, range: [0.7, 1.5], grade: estimate, source: "..."}   # the true load over the one that is given
//   growth: {per_month: 0.05, months: 24}    # or, as all of these, {value: 0.05, range: [0.02, 0.1], ...}
//   seed: 1
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/io/config_reader.hpp"

namespace silicast {

// One model and its clients.
struct PlanService {
  std::string name;
  ConfigNode model, workload;
  std::optional<ConfigNode> targets;  // none: those of the workload's use case
  std::optional<ConfigNode> max_context;
  ConfigValue at;
};

struct EngineLimitsChoice {
  std::int64_t max_sequences = 0;       // 0: the engine's own
  std::int64_t max_batched_tokens = 0;  // the same
};

// A kind of node, and which ways of using it are tried.
struct PlanCandidate {
  std::string node = {};
  std::string engine = {};
  std::vector<ConfigNode> precisions = {};
  std::vector<ConfigNode> layouts = {};         // empty: all that make sense
  std::vector<EngineLimitsChoice> limits = {};  // empty: the engine's own, and smaller ones
  std::optional<ConfigNode> maturity = {};
  std::int64_t most_chips = 0;  // that can be bought; 0: any number
};

enum class PlanBasis { kPurchase, kRent };

struct PlanCaps {
  double budget = 0;  // RMB to buy; 0, as of all of these: no cap
  double watts = 0;   // rated, of all servers
  std::int64_t racks = 0;
  double rack_watts = 0;
};

struct PlanAvailability {
  double share = 0;  // of time in which enough nodes of a pool must be up, each pool by itself; 0: not asked
  double failures_per_node_day = 0;
  double repair_days = 0;
};

struct PlanGrowth {
  Evidence per_month;
  std::int64_t months = 0;  // 0: none
};

struct PlanSpec {
  std::string name;
  std::string path;
  std::vector<PlanService> services;
  std::vector<PlanCandidate> candidates;
  ConfigNode prices;
  PlanBasis basis = PlanBasis::kPurchase;
  double least_good = 0.99;
  PlanCaps caps;
  std::int64_t spare_nodes = 0;
  PlanAvailability availability;
  Evidence traffic{1, 1, 1, Grade::kMeasured, "as given"};  // factor of every service's load
  PlanGrowth growth;
  std::uint64_t seed = 1;
};

// Errors (InputError): as of the reader; no service, no candidate, two of one name; caps that no node can keep are no
// error but an answer.
PlanSpec read_plan(const std::string& path, const std::string& configs_dir, const std::vector<std::string>& settings);

}  // namespace silicast
