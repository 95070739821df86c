// Compiled lines against the curves they stand for.
#include "sim/perf/piecewise_fit.hpp"

#include <catch2/catch.hpp>
#include <cmath>

namespace silicast {
namespace {

double value(const PiecewiseLine& line, double x) {
  const auto& piece = line.at(x);
  return piece.value + piece.slope * (x - piece.start);
}

double worst_error(const PiecewiseLine& line, const std::function<double(double)>& curve, double last) {
  double worst = 0;
  for (int i = 0; i <= 200000; ++i) {
    const double even = last * i / 200000;
    const double near = last * std::pow(1e-8, i / 200000.0);
    for (double x : {even, near}) worst = std::max(worst, std::abs(value(line, x) / curve(x) - 1));
  }
  return worst;
}

}  // namespace

TEST_CASE("a smooth efficiency curve is compiled within a tenth of a per cent") {
  // Bandwidth that rises with the square root of the size, over a latency floor.
  const auto rising = [](double x) { return 1e-5 + x / (4e12 * std::sqrt((x + 1e5) / (x + 5e7))); };
  const PiecewiseLine line = fit_line(rising, 3e8, 1e-3);
  CHECK(worst_error(line, rising, 3e8) <= 1e-3);
  CHECK(line.pieces.size() > 1);
  CHECK(line.pieces.size() < 40);
  // A floor that bends smoothly into a straight line.
  const auto smooth = [](double x) { return std::hypot(1e-5, 2.4e-10 * x); };
  CHECK(worst_error(fit_line(smooth, 1e6, 1e-3), smooth, 1e6) <= 1e-3);
}

TEST_CASE("a straight line is one piece and stays itself beyond the end") {
  const PiecewiseLine line = fit_line([](double x) { return 2e-5 + 3e-10 * x; }, 1e7, 1e-3);
  REQUIRE(line.pieces.size() == 1);
  CHECK(value(line, 5e7) == Approx(2e-5 + 3e-10 * 5e7).epsilon(1e-12));
}

TEST_CASE("a kink is kept") {
  const auto kinked = [](double x) { return std::max(1e-5 + 1e-10 * x, 5e-10 * x); };
  const PiecewiseLine line = fit_line(kinked, 1e7, 1e-3);
  CHECK(line.pieces.size() >= 2);
  CHECK(line.pieces.size() <= 5);
  CHECK(worst_error(line, kinked, 1e7) <= 1e-3);
}

TEST_CASE("pieces join without a jump") {
  const PiecewiseLine line = fit_line([](double x) { return std::hypot(1e-5, 2.4e-10 * x); }, 1e6, 1e-3);
  REQUIRE(line.pieces.size() > 1);
  for (std::size_t i = 1; i < line.pieces.size(); ++i) {
    const auto& before = line.pieces[i - 1];
    CHECK(before.value + before.slope * (line.pieces[i].start - before.start) ==
          Approx(line.pieces[i].value).epsilon(1e-13));
  }
}

}  // namespace silicast
