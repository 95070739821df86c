// What silicast can say of which model on which chip in which formats, and what that rests on.
#pragma once

#include <string>
#include <vector>

#include "sim/study/validation/validate.hpp"

namespace silicast {

enum class Support {
  kMeasured,     // cases of this model on this chip in these formats were compared
  kCalibrated,   // cases of the chip were, with another model or in other formats
  kEstimated,    // nothing of the chip was compared
  kUnsupported,  // it is refused, on one node and up to four
};
std::string_view name_of(Support support);  // "measured", ...

struct SupportRow {
  std::string model, chip, precision;  // "fp8/fp8/bf16": weights, activations, KV cache
  Support support = Support::kUnsupported;
  std::string reason;  // of kUnsupported, in the words of the last layout tried
};

// All models and chips of the catalogue, in the formats that the model is stored in, in the chip's 8-bit format, and in
// those of compared cases. Sorted by model, precision, chip.
std::vector<SupportRow> support_matrix(const ValidationReport& report, const ValidationOptions& options);

}  // namespace silicast
