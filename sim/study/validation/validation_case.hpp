// One measurement of a real system, as a scenario that can be run and the values that it should give.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/io/config_node.hpp"
#include "sim/perf/breakdown.hpp"

namespace silicast {

struct Measurement {
  std::string metric;  // of metric.hpp
  double value = 0;    // in its base unit; positive
};

// The largest absolute relative error that a case asserts of itself.
struct CaseBound {
  std::string metric;
  double at_most = 0;
};

// The state of a serving run at an instant.
struct CurvePoint {
  double time = 0;  // s
  double running = 0;
  double waiting = 0;
};

// The scenario is simulated; requests count that arrive in [from, until) and are not among the first `skip`.
struct ServeQuestion {
  std::int64_t skip = 0;
  double from = 0;
  double until = std::numeric_limits<double>::infinity();
  std::vector<CurvePoint> measured_curve;  // at equal intervals, from one interval after the first arrival on
};

// One iteration of the scenario's pool is priced; prompts alike, each in one chunk.
struct IterationQuestion {
  BreakdownBatch batch;
  std::int32_t prompts = 1;  // chunks of batch.prefill_tokens each
  std::int32_t drafts = 0;   // verified with each decode sequence's token
  bool drafting = false;     // by the model's own MTP layers, whose time counts
};

// What memory the scenario's pool has for KV blocks, per chip and per replica.
struct MemoryQuestion {};

// What the case is about, as far as it is known before the scenario is read: names of the catalogue, or the source's
// own words where it has none.
struct CaseLabels {
  std::string model;
  std::string chip;
  std::string engine;
  std::string precision;  // weights/activations/kv
};

struct ValidationCase {
  std::string part;    // which reader made it: "closed_loop"
  std::string id;      // unique among all cases; says where the row stands
  std::string source;  // who measured it
  std::string group;   // cases alike, which count as one in overall figures
  CaseLabels labels;
  bool calibrates = false;  // some number of the catalogue was fitted on it
  ConfigNode scenario;
  std::string scenario_path;  // files that the scenario names are looked for beside it
  std::variant<ServeQuestion, IterationQuestion, MemoryQuestion> question;
  std::vector<Measurement> measured;
  std::vector<CaseBound> bounds;
  std::string unsupported;  // why it cannot be asked at all; empty where it can
};

// Whether a case is chosen by patterns such as "closed_loop", "h200,llama-3.1-*" or "*.yaml": one of them must match,
// all comma-separated parts of it, each by the part, the id, the group or a label. Shell wildcards. No patterns choose
// everything.
bool is_chosen(const ValidationCase& one, const std::vector<std::string>& patterns, const std::string& load = "");

}  // namespace silicast
