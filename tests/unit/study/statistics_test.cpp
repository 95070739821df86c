// Errors by hand: medians, percentiles, and groups that count once.
#include "sim/study/validation/statistics.hpp"

#include <catch2/catch.hpp>

namespace silicast {
namespace {

TEST_CASE("figures of five errors by hand") {
  // Sorted: -0.4 -0.1 0 0.2 0.3; absolute: 0 0.1 0.2 0.3 0.4, whose p90 lies 0.6 of the way from 0.3 to 0.4.
  const ErrorStatistics errors = error_statistics({0.2, -0.1, 0.3, -0.4, 0});
  CHECK(errors.cases == 5);
  CHECK(errors.bias == Approx(0));
  CHECK(errors.median == Approx(0.2));
  CHECK(errors.p90 == Approx(0.36));
  CHECK(errors.mean == Approx(0.2));
}

TEST_CASE("an even number of errors has its median halfway") {
  const ErrorStatistics errors = error_statistics({-0.1, 0.3});
  CHECK(errors.bias == Approx(0.1));
  CHECK(errors.median == Approx(0.2));
  CHECK(errors.p90 == Approx(0.28));
}

TEST_CASE("one error is all of its figures") {
  const ErrorStatistics errors = error_statistics({-0.25});
  CHECK(errors.bias == -0.25);
  CHECK(errors.median == 0.25);
  CHECK(errors.p90 == 0.25);
  CHECK(errors.mean == 0.25);
}

TEST_CASE("a group of a hundred counts as much as a group of one") {
  const ErrorStatistics errors =
      over_groups({{"many", std::vector<double>(100, 0.5)}, {"few", {-0.1}}, {"other", {0.2, 0.2}}});
  CHECK(errors.cases == 103);
  CHECK(errors.groups == 3);
  CHECK(errors.bias == Approx(0.2));    // of -0.1, 0.2, 0.5
  CHECK(errors.median == Approx(0.2));  // of 0.1, 0.2, 0.5
  CHECK(errors.p90 == Approx(0.2));     // the same
  CHECK(errors.mean == Approx((0.1 + 0.2 + 0.5) / 3));
}

TEST_CASE("one group over groups is itself") {
  const std::vector<double> errors = {0.1, -0.3, 0.7};
  CHECK(over_groups({{"one", errors}}).p90 == error_statistics(errors).p90);
  CHECK(over_groups({{"one", errors}}).mean == error_statistics(errors).mean);
}

}  // namespace
}  // namespace silicast
