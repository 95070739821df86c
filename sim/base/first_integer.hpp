// Where a condition on the whole numbers begins to hold, found from a guess: rounding only shifts where to look first.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace silicast {

inline constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

// The integer i >= 1 with passed(i) and, but for i = 1, not passed(i - 1); kForever beyond 1e15, which no count here
// reaches and where doubles still count exactly. `passed` stays true once true. Steps double away from the guess, then
// a bisection closes in.
template <class Passed>
std::int64_t first_integer(double guess, Passed passed) {
  constexpr double kFar = 1e15;
  if (!(guess < kFar)) return kForever;
  std::int64_t high = guess < 1 ? 1 : static_cast<std::int64_t>(guess);
  std::int64_t low = high - 1;  // ends as a place not passed, or 0
  for (std::int64_t step = 1; low > 0 && passed(low); step *= 2) {
    high = low;
    low = std::max<std::int64_t>(0, low - step);
  }
  for (std::int64_t step = 1; !passed(high); step *= 2) {
    if (static_cast<double>(high) > kFar) return kForever;
    low = high;
    high += step;
  }
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    (passed(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace silicast
