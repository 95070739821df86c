// Properties that rapidcheck tries on random cases, always the same ones.
#pragma once

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <sstream>

namespace silicast::testing {

// Evenly one of low to high, both included, whatever the size of the case: rapidcheck's own ranges are narrow
// in its first cases.
template <class T>
T draw(T low, T high) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(low, static_cast<T>(high + 1)));
}

// Whether a property holds in `cases` random cases, always the same ones; says how it fails. A Testable is
// what rapidcheck takes: a function that draws and asserts (RC_ASSERT).
template <class Testable>
void check_property(int cases, Testable property) {
  rc::detail::TestParams params;
  params.seed = 1;
  params.maxSuccess = cases;
  const auto result = rc::detail::checkTestable(property, rc::detail::TestMetadata{}, params);
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  INFO(message.str());
  CHECK(result.template is<rc::detail::SuccessResult>());
}

}  // namespace silicast::testing
