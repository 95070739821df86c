// A number of the catalogue is never bare: it has a range, a grade and a source, and every answer can
// say which grades it rests on.
#pragma once

#include <string>
#include <string_view>

namespace silicast {

// From firm to weak; the order is used when grades are combined (the weakest link counts).
enum class Grade { kMeasured, kVendor, kThirdParty, kEstimate };

std::string_view name_of(Grade grade);  // "measured", "vendor", "third_party", "estimate"

struct Evidence {
  double value = 0;  // SI base units (FLOP/s, B/s, B, W, s) or a plain number
  double low = 0;    // range the value is believed to lie in; low <= value <= high
  double high = 0;
  Grade grade = Grade::kEstimate;
  std::string source;
};

// a * b of non-negative numbers, end by end; as firm as the weaker of the two.
Evidence product(const Evidence& a, const Evidence& b);
// The same number times a factor that nobody doubts (a unit, a share); the factor is not negative.
Evidence scaled(Evidence evidence, double factor);
// 1 / a of a positive number: the ends change places.
Evidence inverse(Evidence a);

}  // namespace silicast
