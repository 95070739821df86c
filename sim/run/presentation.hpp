// Results as text, for programs that may not reach below this layer.
#pragma once

#include <string>
#include <vector>

#include "sim/report/summary.hpp"

namespace silicast {

std::string table_of(const Summary& summary);
std::string json_of(const Summary& summary);

// Result files side by side; at least one. Errors (InputError): a file that is not one of silicast's results.
std::string comparison_of(const std::vector<std::string>& files);

}  // namespace silicast
