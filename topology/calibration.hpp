// What a chip reaches of its datasheet under its software stack, by kernel class. Kept apart from the chip: the
// datasheet is a fact about hardware, this is a belief about software that improves with measurements.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/base/evidence.hpp"
#include "sim/io/config_reader.hpp"
#include "sim/io/quantity_text.hpp"

namespace silicast {

// Times of single kernels launched as a graph; sim/perf/roofline.hpp has the formulas. "start" is what a kernel takes
// that has next to nothing to do.
struct Calibration {
  struct Gemm {
    Evidence compute;         // 0 to 1: of the matrix peak, large GEMMs of 16-bit inputs
    Evidence narrow_compute;  // 0 to 1: the same of 8-bit or narrower inputs
    Evidence narrow_tile;     // rows of the smallest tile for 8-bit or narrower inputs; fewer are computed like so many
    Evidence memory;          // 0 to 1: of the memory bandwidth, large weights
    Evidence start;           // s
    Evidence per_k;           // s per element of the inner dimension, which every tile walks one after another
  };
  struct Experts {
    Evidence compute;         // 0 to 1: of the matrix peak, grouped GEMMs of 16-bit inputs over full tiles
    Evidence narrow_compute;  // 0 to 1: the same of 8-bit or narrower inputs
    Evidence narrow_tile;     // rows that each expert is computed with at the least, of 8-bit or narrower inputs
    Evidence memory;          // 0 to 1: of the memory bandwidth
    Evidence start;           // s for all of a layer's routed experts: routing, sorting, both GEMMs, the sum
    Evidence padding;         // rows that each expert with tokens adds: its last tile is not full
  };
  struct Attention {
    Evidence compute;        // 0 to 1: of the matrix peak, prefill over long chunks, heads of 128
    Evidence half_tokens;    // rows by which a chunk's cost exceeds its pairs: compute halves at this length
    Evidence start;          // s
    Evidence walk;           // s that one tile of queries takes to pass one key: floor of short chunks, long contexts
    Evidence memory;         // 0 to 1: of the memory bandwidth, decode over a 16-bit KV cache
    Evidence narrow_memory;  // 0 to 1: the same over an 8-bit cache, which is unpacked on the way
    Evidence item;           // s per decode sequence and KV head of a rank
    Evidence mixed;          // factor on decodes in one launch with prompts
  };
  struct Elementwise {
    Evidence memory;  // 0 to 1: of the memory bandwidth
    Evidence start;   // s
  };
  struct Collective {
    // Kernels that read the peers' memory, for messages of a few MB at most, within a node.
    Evidence start;       // s, before any byte moves
    Evidence step;        // s for a second phase, where there is one
    Evidence efficiency;  // 0 to 1: of the link bandwidth
    // The collective library (NCCL, HCCL).
    Evidence small_start;      // s for small messages
    Evidence per_rank;         // s for each rank beyond the first
    Evidence bulk_start;       // s for large messages, whose protocol takes longer to begin
    Evidence bulk_efficiency;  // 0 to 1: of the link bandwidth
    // Dispatch of tokens to experts, and back.
    Evidence exchange_start;       // s of one way
    Evidence exchange_efficiency;  // 0 to 1: of the link bandwidth
  };

  std::string chip;  // the chip file it belongs to
  std::string description;
  Gemm gemm;
  Experts experts;
  Attention attention;
  Elementwise elementwise;
  Collective collective;
};

// One number of a calibration, for whoever treats all alike.
struct CalibrationField {
  std::string_view group, key;  // "gemm", "compute"
  Evidence* evidence;
  Dimension dimension;
  Bounds bounds;
  bool more_is_better;
};
std::vector<CalibrationField> fields_of(Calibration& calibration);

// Schema: chip, description, and the groups and members above as keys, all required; EVIDENCE as in read_chip.
// Fractions are over 0 and at most 1.
Calibration read_calibration(const ConfigValue& calibration);

// Takes the numbers that the map has, {gemm: {compute: 0.6}}, and no others; plain ones are estimates without a range.
void override_calibration(ConfigMap& map, Calibration& calibration);

// A number at some maturity of the software: the worse end of its range at 0 (untuned), its value at 0.5 (typical), the
// better end at 1 (tuned), linear between.
double value_at_maturity(const Evidence& evidence, double maturity, bool more_is_better);

Calibration at_maturity(Calibration calibration, double maturity);

}  // namespace silicast
