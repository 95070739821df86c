// Whether a run meets its targets, and which of them is the furthest from it or the nearest to failing.
#pragma once

#include <string>

#include "sim/run/simulation.hpp"

namespace silicast {

struct Verdict {
  bool met = false;
  std::string target;  // "ttft_p99"; "share of good requests"; "stability" where the queue grows without bound
  double value = 0;    // s, or a share
  double limit = 0;
  double excess = 0;     // value over limit (of a share: bad requests over those allowed); over 1: not met; infinite:
                         // the queue grows without bound, or the run was stopped because it could not be met any more
  bool stopped = false;  // before its end: no summary
  Summary summary;
};

// `least_good`: the share of requests that must keep their own limits, where the targets have any. Ends early when the
// requests over a percentile's limit are already too many, counted in the second half of the run, which no warm-up
// takes away. Error (InputError): the scenario has no targets.
Verdict judge(const Scenario& scenario, double least_good);

// The same of a run that is over.
Verdict verdict_of(const Summary& summary, double least_good);

}  // namespace silicast
