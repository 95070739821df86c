// Intervals by hand, and how often they cover the truth on queues whose mean and p99 of waiting are known.
#include "sim/report/intervals.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <queue>

#include "sim/base/random.hpp"
#include "sim/report/batched_series.hpp"

using namespace silicast;

namespace {

std::vector<BatchSum> batches_of(std::initializer_list<double> means) {
  std::vector<BatchSum> batches;
  for (const double mean : means) batches.push_back({10, 10 * mean});
  return batches;
}

// M/M/k from empty; each server serves 1 request/s on average.
struct Queue {
  int servers;
  double load;
  int requests;

  // Erlang's C: the share that waits. The wait of those is exponential with this rate.
  double rate() const { return servers * (1 - load); }
  double share_waiting() const {
    const double a = servers * load;
    double term = 1, sum = 0;
    for (int k = 0; k < servers; ++k, term *= a / k) sum += term;
    return term / (1 - load) / (sum + term / (1 - load));
  }
  double mean_wait() const { return share_waiting() / rate(); }
  double p99_wait() const { return std::log(share_waiting() / 0.01) / rate(); }

  Distribution waits(std::uint64_t seed) const {
    RandomStream random(seed, "queue");
    std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
    for (int k = 0; k < servers; ++k) free_at.push(0);
    BatchedSeries series;
    double now = 0;
    for (int i = 0; i < requests; ++i) {
      now += random.exponential() / (servers * load);
      const double start = std::max(now, free_at.top());
      free_at.pop();
      free_at.push(start + random.exponential());
      series.add(i, start - now);
    }
    return series.distribution(0);
  }
};

// How many of `seeds` intervals hold the true value, in percent.
struct Coverage {
  double mean = 0, p99 = 0;
  double given_mean = 0, given_p99 = 0;  // runs that have an interval, percent
};
Coverage coverage_of(const Queue& queue, int seeds) {
  int mean = 0, p99 = 0, given_mean = 0, given_p99 = 0;
  const auto holds = [](const Interval& interval, double truth) {
    return interval.low <= truth && truth <= interval.high;
  };
  for (int seed = 0; seed < seeds; ++seed) {
    const Distribution waits = queue.waits(static_cast<std::uint64_t>(seed));
    given_mean += std::isfinite(waits.mean_interval.low);
    given_p99 += std::isfinite(waits.p99_interval.low);
    mean += holds(waits.mean_interval, queue.mean_wait());
    p99 += holds(waits.p99_interval, queue.p99_wait());
  }
  return {100.0 * mean / given_mean, 100.0 * p99 / given_p99, 100.0 * given_mean / seeds, 100.0 * given_p99 / seeds};
}

}  // namespace

TEST_CASE("Student's t agrees with the tables, and between whole degrees errs on the wide side") {
  CHECK(student_t975(1) == Approx(12.706).epsilon(1e-4));
  CHECK(student_t975(4) == Approx(2.776).epsilon(1e-3));
  CHECK(student_t975(5) == Approx(2.571).epsilon(1e-3));
  CHECK(student_t975(10) == Approx(2.228).epsilon(1e-3));
  CHECK(student_t975(31) == Approx(2.0395).epsilon(1e-4));
  CHECK(student_t975(1000) == Approx(1.9623).epsilon(1e-4));
  CHECK(student_t975(2.5) > 3.57465);
  CHECK(student_t975(2.5) < 3.57465 * 1.02);
}

TEST_CASE("the interval of uncorrelated, symmetric batches is the textbook one") {
  const Interval interval = mean_interval(batches_of({1, 5, 2, 4, 3, 3, 4, 2, 5, 1}));
  const double half = 2.262157 * std::sqrt(20.0 / 9 / 10);
  CHECK(interval.low == Approx(3 - half).epsilon(1e-4));
  CHECK(interval.high == Approx(3 + half).epsilon(1e-4));
}

TEST_CASE("batches that follow each other widen the interval and cost degrees of freedom") {
  // Lag 1: (4 - 1 + 4) / 10 = 0.7, and 0.1 for the bias: worth 0.2 / 1.8 of ten batches, variance 10/9.
  const Interval interval = mean_interval(batches_of({2, 2, 2, 2, 2, 4, 4, 4, 4, 4}));
  CHECK(interval.high == Approx(3 + 4.302653).epsilon(1e-4));
  CHECK(interval.low == Approx(3 - 4.302653).epsilon(1e-4));
}

TEST_CASE("a batch far above the rest stretches the interval upwards") {
  const Interval interval = mean_interval(batches_of({1, 1, 1, 1, 1, 1, 1, 1, 1, 11}));
  CHECK(interval.high - 2 > 2 * (2 - interval.low));
}

TEST_CASE("fewer than ten batches give no interval") {
  std::vector<BatchSum> nine = batches_of({1, 5, 2, 4, 3, 3, 4, 2, 5});
  nine.push_back({0, 0});
  CHECK(std::isnan(mean_interval(nine).low));
}

TEST_CASE("fewer than 2,500 observations give no interval of the p99") {
  std::vector<Sketch> batches(10);
  for (int i = 0; i < 2499; ++i) batches[static_cast<std::size_t>(i % 10)].add(1 + i % 100);
  CHECK(std::isnan(p99_interval(batches, 50, 99).low));
  batches[0].add(1);
  CHECK(p99_interval(batches, 50, 99).low <= 99);
}

TEST_CASE("equal values have an interval of no width up to the sketch's") {
  std::vector<Sketch> batches(64);
  for (Sketch& batch : batches) batch.add(2, 1000);
  const Interval interval = p99_interval(batches, 2, 2);
  CHECK(interval.low == Approx(2).epsilon(kSketchError));
  CHECK(interval.high == Approx(2).epsilon(kSketchError));
}

TEST_CASE("intervals of M/M/1 waiting times cover the truth: means in 88% of runs and more, p99 in 80%") {
  for (const double load : {0.8, 0.9})
    for (const int requests : {20'000, 200'000}) {
      INFO("load " << load << ", " << requests << " requests");
      const Coverage coverage = coverage_of({1, load, requests}, 200);
      CHECK(coverage.mean >= 88);
      CHECK(coverage.p99 >= 80);
      CHECK(coverage.given_mean == 100);
      CHECK(coverage.given_p99 == 100);
    }
}

// Prints the table of METRICS.md: test_report "[measure]".
TEST_CASE("coverage of intervals, measured", "[.][measure]") {
  for (const Queue queue : {Queue{1, 0.8, 5'000}, Queue{1, 0.8, 20'000}, Queue{1, 0.8, 200'000}, Queue{1, 0.9, 5'000},
                            Queue{1, 0.9, 20'000}, Queue{1, 0.9, 200'000}, Queue{8, 0.81, 5'000},
                            Queue{8, 0.81, 20'000}, Queue{8, 0.9, 5'000}, Queue{8, 0.9, 20'000}, Queue{8, 0.96, 5'000},
                            Queue{8, 0.96, 20'000}, Queue{8, 0.96, 200'000}}) {
    const Coverage coverage = coverage_of(queue, 400);
    fmt::print("| {} | {} | {} | {:.0f} ({:.0f}) | {:.0f} ({:.0f}) |\n", queue.servers, queue.load, queue.requests,
               coverage.mean, coverage.given_mean, coverage.p99, coverage.given_p99);
  }
}
