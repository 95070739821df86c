// The flags of `vllm serve`.
#pragma once

#include <span>

#include "sim/run/launch/flags.hpp"

namespace silicast {

std::span<const FlagSpec> vllm_flags();

}  // namespace silicast
