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

}  // namespace silicast
