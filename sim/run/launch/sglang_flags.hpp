// The flags of `python3 -m sglang.launch_server`.
#pragma once

#include <span>

#include "sim/run/launch/flags.hpp"

namespace silicast {

std::span<const FlagSpec> sglang_flags();

}  // namespace silicast
