#include "sim/base/evidence.hpp"

#include <algorithm>
#include <utility>

namespace silicast {

std::string_view name_of(Grade grade) {
  switch (grade) {
    case Grade::kMeasured:
      return "measured";
    case Grade::kVendor:
      return "vendor";
    case Grade::kThirdParty:
      return "third_party";
    case Grade::kEstimate:
      return "estimate";
  }
  return "estimate";
}

Evidence product(const Evidence& a, const Evidence& b) {
  return {a.value * b.value, a.low * b.low, a.high * b.high, std::max(a.grade, b.grade), a.source + "; " + b.source};
}

Evidence scaled(Evidence evidence, double factor) {
  evidence.value *= factor;
  evidence.low *= factor;
  evidence.high *= factor;
  return evidence;
}

Evidence inverse(Evidence a) {
  a.value = 1 / a.value;
  a.low = 1 / std::exchange(a.high, 1 / a.low);
  return a;
}

}  // namespace silicast
