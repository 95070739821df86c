// Growth of the number in the system against chance and against what arrives.
#include "sim/report/stability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace silicast {
namespace {

constexpr std::size_t kMinPoints = 24;
constexpr double kManyArrivals = 500;  // with these figures false alarms at load 0.9 stay under 1% (the test)
constexpr double kMinExplained = 0.4;
constexpr double kMinDeviations = 1.7;
constexpr double kMinShareOfMany = 0.02;
constexpr double kMinShareOfFew = 0.3;
constexpr double kMinRequestsAdded = 10;
constexpr double kMinWaitSlope = 0.002;
constexpr double kMinStays = 4;  // of the first requests, within the first half

// The least-squares line through one member over time.
struct Trend {
  double slope = 0;
  double explained = 0;  // share of the variance
};

Trend trend_of(std::span<const LoadPoint> points, double LoadPoint::*member) {
  const double n = static_cast<double>(points.size());
  double mean_time = 0, mean = 0;
  for (const LoadPoint& point : points) {
    mean_time += point.time / n;
    mean += point.*member / n;
  }
  double tt = 0, tv = 0, vv = 0;
  for (const LoadPoint& point : points) {
    const double t = point.time - mean_time, v = point.*member - mean;
    tt += t * t;
    tv += t * v;
    vv += v * v;
  }
  if (!(tt > 0) || !(vv > 0)) return {};
  return {tv / tt, tv * tv / (tt * vv)};
}

double mean_of(std::span<const LoadPoint> points, double LoadPoint::*value) {
  double sum = 0;
  for (const LoadPoint& point : points) sum += point.*value;
  return sum / static_cast<double>(points.size());
}

// Whether the number in the system ends higher than a random walk with its steps would.
bool outgrows_random_walk(std::span<const LoadPoint> points) {
  const double steps = static_cast<double>(points.size() - 1);
  const double growth = points.back().in_system - points.front().in_system;
  double squares = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const double off = points[i].in_system - points[i - 1].in_system - growth / steps;
    squares += off * off;
  }
  return growth > kMinDeviations * std::sqrt(squares / (steps - 1) * steps);
}

bool waits_longer(std::span<const LoadPoint> points, const Trend& wait) {
  const std::size_t quarter = points.size() / 4;
  double least_late = points.back().wait;
  for (const LoadPoint& point : points.last(quarter)) least_late = std::min(least_late, point.wait);
  return wait.slope >= kMinWaitSlope && least_late >= mean_of(points.first(quarter), &LoadPoint::wait);
}

// Whether the first requests were long gone when the second half began.
bool has_filled(std::span<const LoadPoint> points, double half_time) {
  const double stay = mean_of(points.first(points.size() / 4), &LoadPoint::stay);
  return kMinStays * stay <= half_time - points.front().time;
}

}  // namespace

StabilityVerdict judge_stability(std::span<const LoadPoint> points) {
  if (points.size() < kMinPoints) return {};
  if (!outgrows_random_walk(points.subspan(points.size() / 4))) return {};
  const auto half = points.subspan(points.size() / 2);
  const double span = half.back().time - half.front().time;
  const double arrivals = half.back().arrivals - half.front().arrivals;
  const Trend number = trend_of(half, &LoadPoint::in_system), wait = trend_of(half, &LoadPoint::wait);
  const double added = number.slope * span;
  const double least_share = points.back().arrivals < kManyArrivals ? kMinShareOfFew : kMinShareOfMany;
  if (number.explained < kMinExplained || added < least_share * arrivals || added < kMinRequestsAdded) return {};
  if (!waits_longer(points, wait) && !has_filled(points, half.front().time)) return {};
  return {true, fmt::format("in the second half of the arrivals the number in the system grows by {:.3g} per second, "
                            "{:.3g}% of what arrives, and each second adds {:.3g} s of waiting",
                            number.slope, 100 * added / arrivals, wait.slope)};
}

}  // namespace silicast
