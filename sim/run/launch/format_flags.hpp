// The flags for number formats that vLLM and SGLang share.
#pragma once

#include <string>
#include <vector>

#include "sim/run/launch/family.hpp"

namespace silicast {

struct FormatFlags {
  std::vector<std::string> kv_types;  // of --kv-cache-dtype, those of FP8 begin so
  std::string kv_fp8;                 // the one that is printed
  std::vector<std::string> fp8;       // of --quantization: weights and activations in FP8
  std::vector<std::string> int8;      // likewise
};

void write_formats(const PoolScenario& pool, const FormatFlags& names, LaunchParts& parts);
void read_formats(const Flags& flags, const FormatFlags& names, LaunchedPool& pool);

}  // namespace silicast
