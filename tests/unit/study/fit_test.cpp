// Fits of made-up values: what is recovered, and what is refused.
#include "sim/study/calibration/fit.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "sim/base/random.hpp"

namespace silicast {
namespace {

// y = a + b x, measured at x = 0.1 .. 1000 with `noise`, in `shapes` shapes.
struct Line {
  std::vector<double> x, y;
  FitData data;

  Line(double a, double b, double noise, std::int32_t shapes, double largest = 1000) {
    RandomStream random(3, "fit line");
    for (double at = 0.1; at <= largest; at *= 1.2) {
      x.push_back(at);
      y.push_back((a + b * at) * std::exp(noise * random.normal()));
      data.shape.push_back(static_cast<std::int32_t>(x.size()) % shapes);
      data.weight.push_back(1);
    }
    data.errors = [this](const std::vector<double>& v, std::vector<double>& errors) {
      for (std::size_t i = 0; i < x.size(); ++i) errors[i] = std::log((v[0] + v[1] * x[i]) / y[i]);
    };
  }
};

const std::vector<FitParameter> kBoth = {{"a", 1, 0.01, 100}, {"b", 1, 0.001, 10}};

TEST_CASE("exact values give the parameters back, from far away") {
  Line line(5, 0.02, 0, 10);
  const auto fitted = fit_parameters(kBoth, line.data);
  CHECK(fitted[0].undetermined.empty());
  CHECK(fitted[0].value == Approx(5).epsilon(1e-3));
  CHECK(fitted[1].value == Approx(0.02).epsilon(1e-3));
  CHECK(fitted[1].low <= fitted[1].value);
  CHECK(fitted[1].high >= fitted[1].value);
}

TEST_CASE("a few wild values hardly move them, noise shows in the range") {
  Line line(5, 0.02, 0.1, 10);
  for (std::size_t i = 0; i < line.y.size(); i += 12) line.y[i] *= 8;
  const auto fitted = fit_parameters(kBoth, line.data);
  CHECK(fitted[0].value == Approx(5).epsilon(0.1));
  CHECK(fitted[1].value == Approx(0.02).epsilon(0.15));
  CHECK(fitted[0].high > fitted[0].low * 1.001);
}

TEST_CASE("a parameter that no case depends on stays where it is") {
  Line line(5, 0.02, 0, 10, 0.5);  // b x is at most 0.01 of 5
  const auto fitted = fit_parameters({{"a", 1, 0.01, 100}, {"b", 0.03, 0.001, 10}}, line.data);
  CHECK(fitted[0].value == Approx(5).epsilon(0.01));
  CHECK(fitted[1].value == 0.03);
  CHECK_FALSE(fitted[1].undetermined.empty());
}

TEST_CASE("cases of too few shapes carry fewer parameters") {
  Line line(5, 0.02, 0, 3);
  const auto fitted = fit_parameters(kBoth, line.data);
  CHECK(fitted[0].undetermined.empty() != fitted[1].undetermined.empty());
  const std::string why = fitted[0].undetermined + fitted[1].undetermined;
  CHECK(why == "3 independent cases carry 1 parameter, others matter more");
  line.data.shape.assign(line.x.size(), 0);
  for (const FittedParameter& one : fit_parameters(kBoth, line.data))
    CHECK(one.undetermined == "1 independent case carries 0 parameters, others matter more");
}

TEST_CASE("two parameters that make up for each other are not told apart") {
  Line line(5, 0.02, 0.02, 10);
  line.data.errors = [&](const std::vector<double>& v, std::vector<double>& errors) {
    for (std::size_t i = 0; i < line.x.size(); ++i) errors[i] = std::log((v[0] * v[1] + 0.02 * line.x[i]) / line.y[i]);
  };
  const auto fitted = fit_parameters({{"a", 1, 0.01, 100}, {"c", 1, 0.01, 100}}, line.data);
  if (fitted[0].undetermined.empty() && fitted[1].undetermined.empty())
    CHECK(fitted[0].value * fitted[1].value == Approx(5).epsilon(0.05));
}

TEST_CASE("a grid finds the better of two valleys") {
  FitData data;
  data.shape = {0};
  data.weight = {1};
  data.cases_per_parameter = 1;
  data.grid = 8;
  // A shallow valley at 1, a deep one at 50.
  data.errors = [](const std::vector<double>& v, std::vector<double>& errors) {
    errors[0] = std::min(0.2 + std::abs(std::log(v[0])), std::abs(std::log(v[0] / 50)));
  };
  const auto fitted = fit_parameters({{"a", 1, 0.1, 1000}}, data);
  CHECK(fitted[0].value == Approx(50).epsilon(0.05));
}

}  // namespace
}  // namespace silicast
