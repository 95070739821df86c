// Greedy chords, each as long as the tolerance lets it be.
#include "sim/perf/piecewise_fit.hpp"

#include <cmath>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

constexpr int kSamples = 128;  // per spacing, for each chord that is tried
constexpr int kBisections = 60;

using Curve = std::function<double(double)>;

// Does the chord from `start` to `end` stay within the tolerance? Sampled evenly and, since cost curves
// bend most near their beginning, evenly in the logarithm too.
bool fits(const Curve& curve, double start, double end, double tolerance) {
  const double base = curve(start);
  const double slope = (curve(end) - base) / (end - start);
  const auto close_at = [&](double offset) {
    const double exact = curve(start + offset);
    return std::abs(base + slope * offset - exact) <= tolerance * exact;
  };
  const double ratio = std::pow(1e-9, 1.0 / kSamples);
  double near = end - start;
  for (int i = 1; i < kSamples; ++i) {
    near *= ratio;
    if (!close_at((end - start) * i / kSamples) || !close_at(near)) return false;
  }
  return true;
}

}  // namespace

PiecewiseLine fit_line(const Curve& curve, double last, double tolerance) {
  SILICAST_CHECK(last > 0 && tolerance > 0, "fit to {} within {}", last, tolerance);
  PiecewiseLine line;
  double start = 0;
  while (start < last) {
    double end = last;
    if (!fits(curve, start, last, 0.5 * tolerance)) {  // half: the samples miss the worst point by a little
      double good = start;
      for (int i = 0; i < kBisections; ++i) {
        const double middle = 0.5 * (good + end);
        (fits(curve, start, middle, 0.5 * tolerance) ? good : end) = middle;
      }
      end = good;
    }
    SILICAST_CHECK(end > start, "no chord fits the curve at {}", start);
    line.pieces.push_back({start, curve(start), (curve(end) - curve(start)) / (end - start)});
    start = end;
  }
  return line;
}

}  // namespace silicast
