// Arithmetic of numbers with a range, a grade and a source.
#include "sim/base/evidence.hpp"

#include <catch2/catch.hpp>

namespace silicast {
namespace {

const Evidence kTwo{2, 1, 4, Grade::kMeasured, "a"};
const Evidence kFive{5, 4, 10, Grade::kThirdParty, "b"};

TEST_CASE("a product is as wide as its factors and as firm as the weaker") {
  const Evidence both = product(kTwo, kFive);
  CHECK((both.value == 10 && both.low == 4 && both.high == 40));
  CHECK(both.grade == Grade::kThirdParty);
  CHECK(both.source == "a; b");
}

TEST_CASE("a factor that nobody doubts moves the ends alike") {
  const Evidence half = scaled(kFive, 0.5);
  CHECK((half.value == 2.5 && half.low == 2 && half.high == 5));
  CHECK((half.grade == Grade::kThirdParty && half.source == "b"));
}

TEST_CASE("the ends of an inverse change places") {
  const Evidence inverted = inverse(kTwo);
  CHECK((inverted.value == 0.5 && inverted.low == 0.25 && inverted.high == 1));
  CHECK(inverted.grade == Grade::kMeasured);
}

}  // namespace
}  // namespace silicast
