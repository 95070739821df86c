// The closed form of a run of iterations against a scan over its iterations.
#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

// Durations from nanoseconds to seconds, growing slowly, fast or not at all.
IterationRun any_run() {
  IterationRun run;
  run.start = {draw<std::int64_t>(0, 1'000'000'000'000)};
  const double first = *rc::gen::element(1e-9, 2.5e-9, 1.7e-6, 0.9e-3, 1.0 / 3, 2.0);
  run.line = {first, first * *rc::gen::element(0.0, 1e-9, 1e-4, 0.01, 1.0, 30.0), 1'000'000};
  run.done = draw<std::int64_t>(0, 50);
  run.end = run.done + draw<std::int64_t>(1, 200);
  return run;
}

// At the end of an iteration, just beside it, anywhere, or after the run.
SimTime any_time(const IterationRun& run) {
  const std::int64_t from = run.end_of(run.done).ns, to = run.end_of(run.end).ns;
  switch (draw(0, 3)) {
    case 0:
      return {to + draw<std::int64_t>(0, 5)};
    case 1:
      return {draw(from, to)};
    default:
      return {std::max(from, run.end_of(draw(run.done, run.end)).ns + draw<std::int64_t>(-1, 1))};
  }
}

std::int64_t in_flight_by_scan(const IterationRun& run, SimTime time) {
  for (std::int64_t j = run.done + 1; j < run.end; ++j)
    if (run.end_of(j) >= time) return j;
  return run.end;
}

std::int64_t ended_by_scan(const IterationRun& run, SimTime time) {
  std::int64_t ended = run.done;
  for (std::int64_t j = run.done + 1; j <= run.end; ++j)
    if (run.end_of(j) <= time) ended = j;
  return ended;
}

TEST_CASE("iterations end at the start plus their cumulative duration, rounded once") {
  // 1.5 ns, then 0.5 ns more each time: 1.5, 3.5, 6, 9 ns; ties go to even.
  IterationRun run;
  run.start = {100};
  run.line = {1.5e-9, 0.5e-9, 1000};
  CHECK(run.end_of(0).ns == 100);
  CHECK(run.end_of(3).ns == 106);
  CHECK(run.end_of(4).ns == 109);
}

TEST_CASE("the iteration in flight at an instant ends at it or is the first to end after it") {
  // 1 ms each: 1, 2, ... 5 ms.
  IterationRun run;
  run.line = {1e-3, 0, 1000};
  run.end = 5;
  CHECK(run.in_flight(at(2)) == 2);
  CHECK(run.in_flight({at(2).ns + 1}) == 3);
  CHECK(run.in_flight(at(9)) == 5);
}

TEST_CASE("an iteration that ends at an instant has ended by it") {
  IterationRun run;
  run.line = {1e-3, 0, 1000};
  run.end = 5;
  CHECK(run.ended_by({at(2).ns - 1}) == 1);
  CHECK(run.ended_by(at(2)) == 2);
  CHECK(run.ended_by(at(9)) == 5);
}

TEST_CASE("the iteration in flight is that of a scan") {
  check_property(3000, [] {
    const IterationRun run = any_run();
    const SimTime time = any_time(run);
    RC_ASSERT(run.in_flight(time) == in_flight_by_scan(run, time));
  });
}

TEST_CASE("the iterations that have ended are those of a scan") {
  check_property(3000, [] {
    const IterationRun run = any_run();
    const SimTime time = any_time(run);
    RC_ASSERT(run.ended_by(time) == ended_by_scan(run, time));
  });
}

TEST_CASE("the iteration in flight is found at once in a run of a billion") {
  IterationRun run;
  run.line = {1e-3, 1e-12, 2'000'000'000};
  run.end = 1'000'000'000;
  for (std::int64_t j : {1LL, 2LL, 12'345LL, 999'999'999LL, 1'000'000'000LL}) {
    INFO(j);
    CHECK(run.in_flight(run.end_of(j)) == j);
    CHECK(run.ended_by(run.end_of(j)) == j);
  }
}

}  // namespace
}  // namespace silicast::testing
