// Summaries as JSON: the same numbers as the table, in SI units, null where there is nothing to say.
#pragma once

#include <span>
#include <string>

#include "sim/report/summary.hpp"

namespace silicast {

// {"runs": [...]}, one object per run, two spaces of indentation, a newline at the end. Keys are those of
// metrics.hpp; numbers are the shortest text that reads back equal.
std::string summary_json(std::span<const Summary> runs);

}  // namespace silicast
