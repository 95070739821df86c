// Which silicast this is: written beside every result.
#pragma once

#include <string_view>

namespace silicast {

std::string_view version();   // "0.1.0"
std::string_view git_hash();  // of the sources that were built, or "unknown"

}  // namespace silicast
