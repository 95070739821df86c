// Number formats: their names, and what a number takes with its share of the scales.
#include "sim/base/number_format.hpp"

#include <catch2/catch.hpp>
#include <set>

namespace silicast {
namespace {

TEST_CASE("a number takes its own bits and its share of the scales") {
  CHECK(bytes_of(NumberFormat::kFp32) == 4);
  CHECK(bytes_of(NumberFormat::kBf16) == 2);
  CHECK(bytes_of(NumberFormat::kFp16) == 2);
  CHECK(bytes_of(NumberFormat::kFp8) == 1);
  CHECK(bytes_of(NumberFormat::kInt8) == 1);
  CHECK(bytes_of(NumberFormat::kHiF8) == 1);
  CHECK(32 * bytes_of(NumberFormat::kMxFp8) == 32 + 1);  // 32 numbers and one exponent
  CHECK(32 * bytes_of(NumberFormat::kMxFp4) == 16 + 1);
  CHECK(16 * bytes_of(NumberFormat::kNvFp4) == 8 + 1);  // 16 numbers and one FP8 scale
  CHECK(64 * bytes_of(NumberFormat::kInt4) == 32 + 2);  // 64 numbers and one 16-bit scale
}

TEST_CASE("every format has a name of its own, in the order of the enum") {
  const std::vector<std::string>& names = number_format_names();
  CHECK(names ==
        std::vector<std::string>{"fp32", "bf16", "fp16", "fp8", "int8", "mxfp8", "hif8", "int4", "mxfp4", "nvfp4"});
  CHECK(names.size() == kNumberFormats);
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == kNumberFormats);
  CHECK(name_of(NumberFormat::kFp32) == "fp32");
  CHECK(name_of(NumberFormat::kMxFp8) == "mxfp8");
  CHECK(name_of(NumberFormat::kHiF8) == "hif8");
  CHECK(name_of(NumberFormat::kNvFp4) == "nvfp4");
}

}  // namespace
}  // namespace silicast
