// Does the queue grow without bound? Then no TTFT means anything: it only says how long the run was.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace silicast {

// One cohort of arrivals.
struct LoadPoint {
  double time = 0;       // s, of its first arrival
  double in_system = 0;  // requests in the system at that moment
  double wait = 0;       // mean seconds from arrival to the first iteration (or the end, if there was none)
};

struct StabilityVerdict {
  bool unstable = false;
  std::string reason;  // in words and figures, when unstable
};

// An overloaded queue grows in a straight line: n(t) = (arrival rate - service rate) t, and every second of
// arrivals adds 1 - 1/load seconds of waiting. Unstable means that over the second half of the arrivals, for
// both the requests in the system and the wait, a straight line through the points (least squares)
//   - explains at least half of their variance (a stable queue goes up and down),
//   - rises over that half by at least a quarter of its mean there (a line from zero rises by two thirds),
// and that each second of arrivals adds at least 2 ms of waiting, that no cohort of the last quarter waited
// less than the mean of the first quarter, and that at least 10 requests were added. Under 16 points: stable,
// not known.
StabilityVerdict judge_stability(std::span<const LoadPoint> points);

}  // namespace silicast
