// An instant of simulated time: integer nanoseconds since the start of the run (292 years fit).
// Durations are double Seconds; the two meet in one rounding point, nanoseconds().
#pragma once

#include <cmath>
#include <compare>
#include <cstdint>
#include <limits>

#include "sim/base/units.hpp"

namespace silicast {

// Nearest nanosecond, ties to even; the only place where a duration becomes an integer. Needs |duration| < 2^53 ns.
inline std::int64_t nanoseconds(Seconds duration) {
  return std::llrint(duration.value() * 1e9);
}

struct SimTime {
  std::int64_t ns = 0;

  constexpr auto operator<=>(const SimTime&) const = default;
  friend SimTime operator+(SimTime time, Seconds duration) { return {time.ns + nanoseconds(duration)}; }
  friend constexpr Seconds operator-(SimTime end, SimTime start) {
    return Seconds(static_cast<double>(end.ns - start.ns) * 1e-9);
  }
  // Seconds since the start of the run.
  constexpr double seconds() const { return static_cast<double>(ns) * 1e-9; }
  static constexpr SimTime never() { return {std::numeric_limits<std::int64_t>::max()}; }
};

}  // namespace silicast
