// Interpolation against values worked out by hand.
#include "sim/perf/measured_grid.hpp"

#include <catch2/catch.hpp>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

double none(const MeasuredGrid::Point&) {
  return 1;
}

TEST_CASE("a curve is linear between its points, holds below the first, and goes on as the estimate does") {
  const MeasuredGrid curve({{{4}, 10}, {{2}, 6}, {{8}, 30}}, 1);
  CHECK(curve.at({2}, none) == 6);
  CHECK(curve.at({3}, none) == 8);
  CHECK(curve.at({4}, none) == 10);
  CHECK(curve.at({7}, none) == 25);
  CHECK(curve.at({8}, none) == 30);
  CHECK(curve.at({1}, none) == 6);
  CHECK(curve.at({0}, none) == 6);
  // An estimate of 5 at 8 and 7 at 12: 30 * 7 / 5.
  CHECK(curve.at({12}, [](const MeasuredGrid::Point& p) { return 1 + p[0] / 2; }) == Approx(42));
  CHECK(curve.last(0) == 8);
  CHECK(curve.values(0) == std::vector<double>{2, 4, 8});
}

TEST_CASE("a full grid is interpolated along both axes") {
  const MeasuredGrid grid({{{1, 1}, 1}, {{1, 3}, 3}, {{2, 1}, 5}, {{2, 3}, 15}}, 2);
  CHECK(grid.at({1, 2}, none) == 2);
  CHECK(grid.at({1.5, 1}, none) == 3);
  CHECK(grid.at({1.5, 2}, none) == 6);
  CHECK(grid.at({1.25, 1.5}, none) == Approx(0.75 * 1.5 + 0.25 * 7.5));
  CHECK(grid.values(1) == std::vector<double>{1, 3});
}

TEST_CASE("each value of the first axis has a grid of its own") {
  // At 1 up to 4, at 2 up to 2 only: between them, at 4, half of what is there and half of 2's last, scaled up.
  const MeasuredGrid grid({{{1, 2}, 10}, {{1, 4}, 20}, {{2, 2}, 40}}, 2);
  CHECK(grid.at({2, 2}, none) == 40);
  CHECK(grid.at({1.5, 3}, none) == Approx(0.5 * 15 + 0.5 * 40));
  const auto estimate = [](const MeasuredGrid::Point& p) { return p[0] * p[1]; };
  CHECK(grid.at({2, 4}, estimate) == Approx(80));
  CHECK(grid.at({1.5, 4}, estimate) == Approx(0.5 * 20 + 0.5 * 80));
  CHECK(grid.at({4, 4}, estimate) == Approx(40 * (4.0 * 4) / (2.0 * 2)));
}

TEST_CASE("what is linear in four coordinates is met exactly") {
  const auto truth = [](double a, double b, double c, double d) {
    return 1 + a + 2 * b + 3 * c + 4 * d + a * b * c * d;
  };
  std::vector<MeasuredGrid::Row> rows;
  for (const double a : {1, 3})
    for (const double b : {1, 2, 5})
      for (const double c : {2, 4})
        for (const double d : {0, 7}) rows.push_back({{a, b, c, d}, truth(a, b, c, d)});
  const MeasuredGrid grid(rows, 4);
  for (const double a : {1.0, 1.5, 2.9})
    for (const double b : {1.0, 1.7, 4.2})
      for (const double c : {2.0, 3.3})
        for (const double d : {0.0, 6.5}) CHECK(grid.at({a, b, c, d}, none) == Approx(truth(a, b, c, d)));
}

TEST_CASE("grids of no rows, of two rows at one point, of no time are our own mistakes") {
  CHECK_THROWS_AS(MeasuredGrid({}, 1), InternalError);
  CHECK_THROWS_AS(MeasuredGrid({{{1}, 1}, {{1}, 2}}, 1), InternalError);
  CHECK_THROWS_AS(MeasuredGrid({{{1}, 0}}, 1), InternalError);
}

}  // namespace
}  // namespace silicast
