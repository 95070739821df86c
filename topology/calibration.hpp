// What fraction of a chip's datasheet a serving stack reaches, per kernel class. Kept apart from the chip:
// the datasheet is a fact about hardware, this is a belief about software that improves with measurements.
#pragma once

#include <string>

#include "sim/base/evidence.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

// How the fields are meant: a GEMM of m tokens runs at peak * compute * m / (m + gemm_half_tokens), attention of a
// prompt chunk of m tokens at peak * attention_compute * m / (m + attention_half_tokens); a kernel that streams b
// bytes at bandwidth * memory * b / (b + memory_half_bytes). Every kernel also pays `launch`.
struct Calibration {
  std::string chip;  // the chip file it belongs to
  std::string description;
  Evidence compute;                // 0 to 1: of the matrix peak, GEMMs of many tokens
  Evidence gemm_half_tokens;       // m at which a GEMM reaches half of `compute`
  Evidence attention_compute;      // 0 to 1: of the matrix peak, prefill attention of very long chunks
  Evidence attention_half_tokens;  // chunk length at which prefill attention reaches half of that
  Evidence memory;                 // 0 to 1: of the memory bandwidth, large weights and KV
  Evidence memory_half_bytes;      // B at which a kernel reaches half of `memory`
  Evidence launch;                 // s per kernel when kernels are launched as a graph
  Evidence collective_start;       // s per collective, before any byte moves
  Evidence collective_efficiency;  // 0 to 1: of the link bandwidth, large messages
};

// Schema: the members above as keys, all required; EVIDENCE as in read_chip. Fractions are over 0 and at
// most 1.
Calibration read_calibration(const ConfigValue& calibration);

}  // namespace silicast
