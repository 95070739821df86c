// What a search for capacity varies: how often an open loop's clients ask, or how many clients a closed loop has.
#pragma once

#include <string>

#include "sim/run/scenario.hpp"

namespace silicast {

class Load {
 public:
  // Of a scenario, whose `tree` is read for its workload only. Errors (InputError): its rate is not known; a closed
  // loop that a preset hides.
  Load(const ConfigNode& tree, Scenario scenario);

  bool open() const { return scenario_.workload_info.open_loop; }
  const char* unit() const { return open() ? "requests/s" : "clients"; }
  double given() const { return given_; }                               // the scenario's own, in `unit`
  double least() const { return open() ? 2e-3 * given_ / speed_ : 1; }  // load that is tried, in `unit`
  double most() const;
  // The scenario at another load and seed, without its output; nothing is read again. Arrivals of one seed stay the
  // same draws, nearer together (common random numbers); a closed loop goes at least eight rounds.
  Scenario at(double load, std::uint64_t seed) const;

 private:
  Scenario scenario_;
  ConfigNode tree_;  // {workload: ...}
  double given_ = 0;
  double speed_ = 1;
  std::int64_t requests_ = 0;  // of a closed loop
};

}  // namespace silicast
