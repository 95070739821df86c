// The highest load at which a scenario meets its targets.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sim/study/capacity/binding.hpp"
#include "sim/study/capacity/load.hpp"
#include "sim/study/capacity/verdict.hpp"

namespace silicast {

struct CapacityQuestion {
  ConfigNode scenario;
  std::string path;  // its file, for messages and what it names
  std::string configs_dir;
  double least_good = 0.99;  // share of requests, where the targets are limits of single requests
  double precision = 0.01;   // of each search, relative
  std::int32_t replications = 10;
  std::size_t threads = 1;
};

struct CapacityAnswer {
  enum class Kind {
    kFound,
    kNone,       // missed at any load
    kUnlimited,  // met at the highest load that is tried (Load::most)
  };
  Kind kind = Kind::kFound;
  std::string unit;          // of loads: "requests/s", "clients"
  double load = 0;           // mean over the replications of the highest load that meets the targets
  double low = 0, high = 0;  // 95% confidence interval; of one replication (traces): the ends of the search
  bool sampled = true;       // false: nothing is drawn at random, so the interval is of the search alone
  std::vector<double> each;  // of each replication
  Verdict at;                // at `load`, of the first seed (kNone: at the lowest load that was tried)
  Verdict beyond;            // just above
  Binding binding;
  std::int64_t runs = 0;
};

// Bisection in ratios of the load, one search for each seed; seeds are the scenario's and those after it, shared by all
// loads. Errors (InputError): of the scenario; no targets; of Load.
CapacityAnswer find_capacity(const CapacityQuestion& question);

}  // namespace silicast
