// Consecutive iterations of an unchanged batch, as a closed form: iteration j (from 1) ends at
// start + round(1e9 * D(j)) ns, D the cumulative duration. Leap and step mode use the same formula.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "sim/base/sim_time.hpp"
#include "sim/perf/iteration_cost.hpp"

namespace silicast {

struct IterationRun {
  SimTime start;
  IterationLine line;
  std::int64_t done = 0;  // iterations that have ended
  std::int64_t end = 0;   // the iteration whose end is the next event

  SimTime end_of(std::int64_t iteration) const { return start + Seconds(cumulative(line, iteration)); }

  // The iteration in flight at `time`: the smallest j in (done, end] that ends at or after it; `end` if none does.
  // The root of D(j) = time - start is a guess; the integers decide.
  std::int64_t in_flight(SimTime time) const {
    if (end == done + 1) return end;
    const double elapsed = (time - start).value();
    const double b = line.first - 0.5 * line.slope;
    const double root = 2 * elapsed / (b + std::sqrt(std::max(0.0, b * b + 2 * line.slope * elapsed)));
    std::int64_t j = done + 1;
    if (root > static_cast<double>(j)) j = root < static_cast<double>(end) ? static_cast<std::int64_t>(root) : end;
    j = std::min(j, end);
    while (j > done + 1 && end_of(j - 1) >= time) --j;
    while (j < end && end_of(j) < time) ++j;
    return j;
  }

  // Iterations that have ended at `time`, its own instant included; between done and end.
  std::int64_t ended_by(SimTime time) const {
    if (end_of(end) <= time) return end;
    return in_flight(SimTime{time.ns + 1}) - 1;
  }
};

}  // namespace silicast
