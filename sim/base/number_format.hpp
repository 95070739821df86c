// Number formats of weights, activations and KV cache, as hardware and checkpoints name them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace silicast {

enum class NumberFormat { kFp32, kBf16, kFp16, kFp8, kInt8, kFp4 };

// Bytes of one number, scales left out.
constexpr double bytes_of(NumberFormat format) {
  switch (format) {
    case NumberFormat::kFp32:
      return 4;
    case NumberFormat::kBf16:
    case NumberFormat::kFp16:
      return 2;
    case NumberFormat::kFp8:
    case NumberFormat::kInt8:
      return 1;
    case NumberFormat::kFp4:
      return 0.5;
  }
  return 0;
}

std::string_view name_of(NumberFormat format);          // "fp32", "bf16", "fp16", "fp8", "int8", "fp4"
const std::vector<std::string>& number_format_names();  // in the order of the enum

}  // namespace silicast
