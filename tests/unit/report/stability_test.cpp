// Overload is told from load on simulated queues, on loads that merely vary, and on systems that fill up.
#include "sim/report/stability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <queue>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/report/cohorts.hpp"

using namespace silicast;

namespace {

// M/M/k from empty, each server 1 request/s on average, in the cohorts of the recorder: at most 128, the last
// left out. `swing` makes the arrival rate go up and down by that share, four times.
struct Queue {
  int servers;
  double load;
  int requests;
  double swing = 0;

  std::vector<LoadPoint> points(std::uint64_t seed) const {
    RandomStream random(seed, "queue");
    std::priority_queue<double, std::vector<double>, std::greater<>> free_at, departures;
    for (int k = 0; k < servers; ++k) free_at.push(0);
    int size = 1 << kFirstCohortShift;
    while ((requests - 1) / size >= kMaxCohorts) size *= 2;
    std::vector<LoadPoint> result;
    double now = 0;
    for (int i = 0; i < requests; ++i) {
      const double phase = 2 * 3.14159265 * i / requests;
      now += random.exponential() / (servers * load * (1 + swing * std::sin(4 * phase)));
      while (!departures.empty() && departures.top() <= now) departures.pop();
      if (i % size == 0) result.push_back({now, static_cast<double>(i), static_cast<double>(departures.size()), 0, 0});
      const double start = std::max(now, free_at.top()), end = start + random.exponential();
      free_at.pop();
      free_at.push(end);
      departures.push(end);
      result.back().wait += (start - now) / size;
      result.back().stay += (end - now) / size;
    }
    result.pop_back();
    return result;
  }

  // Runs called unstable, in percent.
  double alarms(int seeds) const {
    int alarms = 0;
    for (int seed = 0; seed < seeds; ++seed)
      alarms += judge_stability(points(static_cast<std::uint64_t>(seed))).unstable;
    return 100.0 * alarms / seeds;
  }
};

// 64 cohorts of `size` arrivals, 10 s each; the number and the wait grow by as much per cohort, from 100 and
// 0.
std::vector<LoadPoint> line(double size, double number, double wait, double stay) {
  std::vector<LoadPoint> points;
  for (int i = 0; i < 64; ++i) points.push_back({10.0 * i, size * i, 100 + number * i, wait * i, stay});
  return points;
}

}  // namespace

TEST_CASE("a queue at load 0.9 is called unstable in under 1% of runs of any length, short ones included") {
  for (const int servers : {1, 8})
    for (const int requests : {200, 300, 500, 600, 1000, 5000}) {
      INFO(servers << " servers, " << requests << " requests");
      CHECK(Queue{servers, 0.9, requests}.alarms(1000) < 1);
    }
  CHECK(Queue{1, 0.9, 100'000}.alarms(40) == 0);
  CHECK(Queue{1, 0.3, 100'000}.alarms(40) == 0);
}

TEST_CASE("overload by 10% is found in 95% of runs of 5,000 requests, and always in long ones") {
  for (const int servers : {1, 8}) {
    INFO(servers << " servers");
    CHECK(Queue{servers, 1.1, 5000}.alarms(400) >= 95);
    CHECK(Queue{servers, 1.1, 20'000}.alarms(100) == 100);
    CHECK(Queue{servers, 2, 1'000}.alarms(100) == 100);
  }
}

// Prints the table of METRICS.md: test_report "[measure]".
TEST_CASE("share of runs called unstable, measured", "[.][measure]") {
  for (const int servers : {1, 8})
    for (const double load : {0.9, 0.95, 1.05, 1.1, 1.2, 1.5, 2.0, 4.0})
      for (const int requests : {150, 200, 300, 500, 600, 1000, 2000, 5000, 20'000})
        fmt::print("{} servers, load {}, {} requests: {:.1f}%\n", servers, load, requests,
                   Queue{servers, load, requests}.alarms(1000));
}

TEST_CASE("a load that swings below capacity is stable") {
  CHECK(Queue{1, 0.6, 50'000, 0.4}.alarms(20) == 0);
}

TEST_CASE("the reason states the growth") {
  REQUIRE(judge_stability(line(60, 30, 5, 1)).reason ==
          "in the second half of the arrivals the number in the system grows by 3 per second, 50% of what "
          "arrives, "
          "and each second adds 0.5 s of waiting");
}

TEST_CASE("a batch that grows and grows is unstable before anybody waits") {
  CHECK(judge_stability(line(60, 6, 0, 1)).unstable);
}

TEST_CASE("a system that still fills up with requests longer than the run is not judged unstable") {
  CHECK_FALSE(judge_stability(line(60, 6, 0, 1000)).unstable);
}

TEST_CASE("under 500 requests only growth by three tenths of the arrivals is told from chance") {
  CHECK_FALSE(judge_stability(line(7, 2, 5, 1)).unstable);
  CHECK(judge_stability(line(8, 2, 5, 1)).unstable);
  CHECK(judge_stability(line(7, 3, 5, 1)).unstable);
}

TEST_CASE("more requests in flight, but few against what arrives, is growth of the load and not of a queue") {
  CHECK_FALSE(judge_stability(line(600, 3, 0.001, 1)).unstable);
}

TEST_CASE("too few points, and points at one instant, are not judged") {
  std::vector<LoadPoint> burst = line(60, 30, 5, 1);
  CHECK_FALSE(judge_stability(std::span(burst).first(23)).unstable);
  for (LoadPoint& point : burst) point.time = 0;
  CHECK_FALSE(judge_stability(burst).unstable);
}
