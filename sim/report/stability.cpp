// Least-squares trend of the second half of a run.
#include "sim/report/stability.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace silicast {
namespace {

constexpr std::size_t kMinPoints = 16;
constexpr double kMinExplained = 0.5;
constexpr double kMinRise = 0.25;
constexpr double kMinWaitSlope = 0.002;
constexpr double kMinRequestsAdded = 10;

struct Trend {
  double mean = 0;
  double slope = 0;
  double explained = 0;  // share of the variance
};

template <class Value>
Trend trend_of(std::span<const LoadPoint> points, Value value) {
  const double n = static_cast<double>(points.size());
  double mean_time = 0, mean = 0;
  for (const LoadPoint& point : points) {
    mean_time += point.time / n;
    mean += value(point) / n;
  }
  double tt = 0, tv = 0, vv = 0;
  for (const LoadPoint& point : points) {
    const double t = point.time - mean_time, v = value(point) - mean;
    tt += t * t;
    tv += t * v;
    vv += v * v;
  }
  if (!(tt > 0) || !(vv > 0)) return {mean, 0, 0};
  return {mean, tv / tt, tv * tv / (tt * vv)};
}

bool rises(const Trend& trend, double span) {
  return trend.slope > 0 && trend.explained >= kMinExplained && trend.slope * span >= kMinRise * trend.mean;
}

}  // namespace

StabilityVerdict judge_stability(std::span<const LoadPoint> points) {
  if (points.size() < kMinPoints) return {};
  const auto half = points.subspan(points.size() / 2);
  const double span = half.back().time - half.front().time;
  const Trend queue = trend_of(half, [](const LoadPoint& point) { return point.in_system; });
  const Trend wait = trend_of(half, [](const LoadPoint& point) { return point.wait; });
  if (!rises(queue, span) || !rises(wait, span)) return {};
  if (wait.slope < kMinWaitSlope || queue.slope * span < kMinRequestsAdded) return {};
  double first_quarter = 0, least_late = points.back().wait;
  const std::size_t quarter = points.size() / 4;
  for (const LoadPoint& point : points.first(quarter))
    first_quarter += point.wait / static_cast<double>(quarter);
  for (const LoadPoint& point : points.last(quarter)) least_late = std::min(least_late, point.wait);
  if (least_late < first_quarter) return {};
  return {true,
          fmt::format(
              "in the second half of the arrivals the requests in the system grow by {:.3g} per second and "
              "each second of arrivals adds {:.3g} s of waiting",
              queue.slope, wait.slope)};
}

}  // namespace silicast
