// Overload is told from load on single-server queues (Lindley's recursion) and on loads that merely vary.
#include "sim/report/stability.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <queue>

#include "sim/base/random.hpp"

using namespace silicast;

namespace {

// M/M/1 at the given load, 1 request/s served on average; `points` cohorts.
std::vector<LoadPoint> queue_points(double load, int requests, int points, std::uint64_t seed,
                                    double swing = 0) {
  RandomStream random(seed, "queue");
  std::vector<LoadPoint> result;
  std::queue<double> departures;
  double now = 0, free_at = 0;
  const int per_point = requests / points;
  for (int i = 0; i < requests; ++i) {
    const double phase = 2 * 3.14159265 * i / requests;
    now += random.exponential() / (load * (1 + swing * std::sin(4 * phase)));
    while (!departures.empty() && departures.front() <= now) departures.pop();
    if (i % per_point == 0 && static_cast<int>(result.size()) < points)
      result.push_back({now, static_cast<double>(departures.size()), 0});
    const double wait = std::max(0.0, free_at - now);
    result.back().wait += wait / per_point;
    free_at = now + wait + random.exponential();
    departures.push(free_at);
  }
  return result;
}

}  // namespace

TEST_CASE("a queue loaded to at most 0.9 is never called unstable") {
  for (const double load : {0.3, 0.7, 0.9})
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      INFO("load " << load << ", seed " << seed);
      REQUIRE_FALSE(judge_stability(queue_points(load, 100'000, 100, seed)).unstable);
    }
}

TEST_CASE("an overloaded queue is called unstable, short or long") {
  for (const double load : {1.1, 1.5, 4.0})
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      INFO("load " << load << ", seed " << seed);
      REQUIRE(judge_stability(queue_points(load, 20'480, 64, seed)).unstable);
    }
  REQUIRE(judge_stability(queue_points(2, 1'024, 64, 1)).unstable);
}

TEST_CASE("the reason states the growth") {
  std::vector<LoadPoint> points;
  for (int i = 0; i < 64; ++i) points.push_back({10.0 * i, 30.0 * i, 0.5 * 10 * i});
  const StabilityVerdict verdict = judge_stability(points);
  REQUIRE(verdict.reason ==
          "in the second half of the arrivals the requests in the system grow by 3 per second and each "
          "second of arrivals "
          "adds 0.5 s of waiting");
}

TEST_CASE("a load that swings below capacity is stable") {
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    REQUIRE_FALSE(judge_stability(queue_points(0.6, 50'000, 100, seed, 0.4)).unstable);
}

TEST_CASE("more requests in flight without waiting is growth of the load, not of a queue") {
  std::vector<LoadPoint> points;
  for (int i = 0; i < 64; ++i) points.push_back({10.0 * i, 100 + 3.0 * i, 0.001});
  REQUIRE_FALSE(judge_stability(points).unstable);
}

TEST_CASE("too few points, and points at one instant, are not judged") {
  std::vector<LoadPoint> few, burst;
  for (int i = 0; i < 15; ++i) few.push_back({1.0 * i, 100.0 * i, 1.0 * i});
  for (int i = 0; i < 64; ++i) burst.push_back({0, 100.0 * i, 1.0 * i});
  REQUIRE_FALSE(judge_stability(few).unstable);
  REQUIRE_FALSE(judge_stability(burst).unstable);
}
