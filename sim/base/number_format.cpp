#include "sim/base/number_format.hpp"

namespace silicast {

const std::vector<std::string>& number_format_names() {
  static const std::vector<std::string> names = {"fp32",  "bf16", "fp16", "fp8",   "int8",
                                                 "mxfp8", "hif8", "int4", "mxfp4", "nvfp4"};
  return names;
}

std::string_view name_of(NumberFormat format) {
  return number_format_names()[static_cast<std::size_t>(format)];
}

}  // namespace silicast
