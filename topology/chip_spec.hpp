// A chip is the package you buy (two dies in one package are one chip): what its datasheet says it can do.
// What a serving stack reaches of it is a Calibration, kept apart so that a datasheet never drifts to fit a
// benchmark.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "sim/base/evidence.hpp"
#include "sim/base/number_format.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

struct ChipSpec {
  std::string name;  // the stem of its file, e.g. "ascend-910c"
  std::string vendor;
  std::string description;
  std::string software;   // its stack, e.g. "CANN"; a key of the price sheet's stacks
  std::int32_t dies = 1;  // in the package; every figure here is for the whole package
  std::array<std::optional<Evidence>, kNumberFormats> peak;  // FLOP/s by NumberFormat: dense, matrix unit only
  Evidence memory_capacity;                                  // B
  Evidence memory_bandwidth;                                 // B/s
  Evidence tdp;                                              // W
  std::optional<Evidence> host_link;                         // B/s, one way, what the package can do to its host

  // Matrix peak at that format in FLOP/s, nullptr where the chip has no native support (FP8 weights on a chip
  // without FP8 need INT8 or BF16). BF16 and FP16 are one rate.
  const Evidence* peak_of(NumberFormat format) const;
};

// Schema:
//   name, vendor, description, software: text
//   dies: 2                            # optional, 1
//   peak: {bf16: EVIDENCE, fp8: ..., int8: ..., mxfp4: ...}   # FLOP/s by number format; bf16 is required, serves fp16
//   memory: {capacity: EVIDENCE, bandwidth: EVIDENCE}
//   tdp: EVIDENCE
//   host_link: EVIDENCE                # optional
// EVIDENCE is {value, range, grade, source} or a bare quantity. Errors: InputError at the value.
ChipSpec read_chip(const ConfigValue& chip);

}  // namespace silicast
