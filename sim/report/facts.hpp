// What the report must know of the cluster beyond what the serving layer announces; plain numbers that the
// run fills in from the catalogue.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/evidence.hpp"
#include "sim/perf/work_rates.hpp"
#include "sim/report/badge.hpp"
#include "sim/report/targets.hpp"
#include "topology/price_sheet.hpp"

namespace silicast {

// Medians of measured kernels on NVIDIA parts (H200 GEMMs, B200 attention); for other chips they are
// estimates. A price sheet replaces them.
PowerShares default_power_shares();
// Server watts per chip watt where no price sheet says it.
Evidence default_server_factor();

struct PoolFacts {
  std::string name;
  std::string chip;
  Badge badge;
  std::int32_t replicas = 1;
  std::int32_t chips_per_replica = 1;
  std::int32_t unused_chips = 0;  // bought with the nodes, in no replica
  WorkRates work;
  std::int64_t kv_blocks = 0;  // per replica
  Evidence tdp;                // W per chip; value 0: not known, no energy is reported
  PowerShares shares = default_power_shares();
  Evidence server_factor = default_server_factor();
  bool default_power = true;  // no price sheet gave shares and server_factor: the notes say so
};

struct ClassFacts {
  std::string name;
  Targets targets;
  std::int32_t model = 0;  // that its requests ask for
};

// Which part of a run the report measures.
struct MeasureWindow {
  enum class Mode { kMser, kNone, kGiven };
  Mode mode = Mode::kMser;
  double from = 0;                                         // s, kGiven only
  double until = std::numeric_limits<double>::infinity();  // s, kGiven only; no later than the last arrival
};

// mser | none | {from: 60 s, until: 600 s} (`until` optional). Errors (InputError): until not after from.
MeasureWindow read_measure_window(const ConfigValue& value);

struct RunFacts {
  std::string name;
  std::vector<PoolFacts> pools;     // by PoolId
  bool transfers = false;           // some pools prefill and others decode
  std::vector<std::string> tiers;   // names of those below the caches of prompts, by their numbers
  std::vector<ClassFacts> classes;  // by ClassId; at least one
  std::vector<std::string> models;  // by number
  MeasureWindow window;
};

}  // namespace silicast
