// Number formats of weights, activations and KV cache, as hardware and checkpoints name them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace silicast {

// fp8 is E4M3 with a scale per tensor, channel or 128 x 128 block; mxfp8 and mxfp4 (OCP microscaling) have a shared
// exponent per 32 numbers, nvfp4 an FP8 scale per 16, int4 a 16-bit scale per 32 to 128, hif8 (Huawei) none.
enum class NumberFormat { kFp32, kBf16, kFp16, kFp8, kInt8, kMxFp8, kHiF8, kInt4, kMxFp4, kNvFp4 };
inline constexpr std::size_t kNumberFormats = 10;

// Bytes of one number with its share of the scales.
constexpr double bytes_of(NumberFormat format) {
  switch (format) {
    case NumberFormat::kFp32:
      return 4;
    case NumberFormat::kBf16:
    case NumberFormat::kFp16:
      return 2;
    case NumberFormat::kFp8:
    case NumberFormat::kInt8:
    case NumberFormat::kHiF8:
      return 1;
    case NumberFormat::kMxFp8:
      return 1 + 1.0 / 32;
    case NumberFormat::kInt4:
      return 0.5 + 2.0 / 64;
    case NumberFormat::kMxFp4:
      return 0.5 + 1.0 / 32;
    case NumberFormat::kNvFp4:
      return 0.5 + 1.0 / 16;
  }
  return 0;
}

std::string_view name_of(NumberFormat format);  // "fp32", "bf16", ..., "mxfp8", "hif8", "int4", "mxfp4", "nvfp4"
const std::vector<std::string>& number_format_names();  // in the order of the enum

}  // namespace silicast
