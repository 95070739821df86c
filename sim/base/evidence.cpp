#include "sim/base/evidence.hpp"

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

}  // namespace silicast
