// Evidence as it stands in a file of the catalogue.
#pragma once

#include <string>

#include "sim/base/evidence.hpp"
#include "sim/io/quantity_text.hpp"

namespace silicast {

// "{value: 3.5 us, range: [3 us, 5.5 us], grade: measured, source: "..."}" of a time or a number.
std::string evidence_yaml(const Evidence& evidence, Dimension dimension);

}  // namespace silicast
