// Does the queue grow without bound? Then no TTFT means anything: it only says how long the run was.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace silicast {

// One cohort of arrivals.
struct LoadPoint {
  double time = 0;       // s, of its first arrival
  double arrivals = 0;   // requests that arrived before it
  double in_system = 0;  // requests in the system at that moment
  double wait = 0;       // mean seconds from arrival to the first iteration (or the end, if there was none)
  double stay = 0;       // mean seconds from arrival to the end
};

struct StabilityVerdict {
  bool unstable = false;
  std::string reason;  // in words and figures, when unstable
};

// An overloaded queue grows in a straight line: n(t) = (arrival rate - service rate) t, and every second of
// simulated time adds load - 1 seconds of waiting. Whatever holds the requests, a queue or an ever larger
// batch, fewer leave than arrive. Unstable means that the number in the system
//   - rises over the last three quarters of the points by 1.7 standard deviations of a random walk of like
//     steps (a queue that is served in time turns back, so it keeps far below),
//   - follows over the second half a straight line that explains at least 0.4 of its variance and rises by at
//     least 2% of the arrivals (30% in runs under 500 arrivals) and at least 10 requests,
// and that this is no system still filling up with long requests: waiting rises by at least 2 ms per second
// and no cohort of the last quarter waited less than the first quarter did on average, or the first quarter
// stayed at most a fourth of the first half. Under 24 points: stable, not known.
StabilityVerdict judge_stability(std::span<const LoadPoint> points);

}  // namespace silicast
