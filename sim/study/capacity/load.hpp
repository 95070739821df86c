// What a search for capacity varies: how often an open loop's clients ask, or how many clients a closed loop has.
#pragma once

#include <string>

#include "sim/run/scenario.hpp"

namespace silicast {

class Load {
 public:
  // Of a scenario as its file has it and as it was read. Errors (InputError): its rate is not known; a closed loop that
  // a preset hides.
  static Load of(const ConfigNode& tree, const Scenario& scenario);

  bool open() const { return open_; }
  const char* unit() const { return open_ ? "requests/s" : "clients"; }
  double given() const { return given_; }         // the scenario's own, in `unit`
  double least() const { return open_ ? 2e-3 * given_ / speed_ : 1; }  // load that is tried, in `unit`
  // The scenario at another load. Arrivals of one seed stay the same draws, nearer together (common random numbers); a
  // closed loop goes at least eight rounds.
  ConfigNode at(double load) const;

 private:
  ConfigNode tree_;
  bool open_ = true;
  double given_ = 0;
  double speed_ = 1;
  std::int64_t requests_ = 0;  // of a closed loop
};

}  // namespace silicast
