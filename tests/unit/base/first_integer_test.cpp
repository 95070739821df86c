// Where a condition begins to hold, whatever the guess.
#include "sim/base/first_integer.hpp"

#include <catch2/catch.hpp>
#include <initializer_list>

namespace silicast {
namespace {

TEST_CASE("the first integer that passes is found from any guess") {
  for (const std::int64_t first : {1, 2, 3, 7, 1000, 123456789}) {
    for (const double guess : {-5.0, 0.0, 0.5, 1.0, 2.0, 6.9, 7.0, 999.0, 1e6, 1.3e8, 9.9e14}) {
      INFO(first << " from " << guess);
      CHECK(first_integer(guess, [&](std::int64_t i) { return i >= first; }) == first);
    }
  }
}

TEST_CASE("what holds everywhere holds from 1 on") {
  for (const double guess : {-1e300, 0.0, 1.0, 50.0})
    CHECK(first_integer(guess, [](std::int64_t) { return true; }) == 1);
}

TEST_CASE("what never holds is forever") {
  CHECK(first_integer(3, [](std::int64_t) { return false; }) == kForever);
}

TEST_CASE("a guess that no count reaches is forever unasked") {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();
  for (const double guess : {1e15, 1e300, kInfinity, kNaN}) {
    int asked = 0;
    CHECK(first_integer(guess, [&](std::int64_t) { return ++asked > 0; }) == kForever);
    CHECK(asked == 0);
  }
}

TEST_CASE("a near guess is asked about a few times only") {
  constexpr std::int64_t kFirst = 1000000007;
  for (const double guess : {1e9, 1.00000001e9, 1000000007.0, 1000000008.0}) {
    int asked = 0;
    CHECK(first_integer(guess, [&](std::int64_t i) { return ++asked > 0 && i >= kFirst; }) == kFirst);
    CHECK(asked <= 8);  // the distance is 7 at most: 4 doubling steps past it, a bisection of 3
  }
}

}  // namespace
}  // namespace silicast
