// Measured attention of a replica: what IterationCost consults in place of its own lines, once for each run of
// iterations.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/perf/cost_pieces.hpp"
#include "sim/perf/kernel_tables.hpp"
#include "sim/perf/roofline.hpp"

namespace silicast {

class AttentionTable {
 public:
  // `rates` say how times go on beyond the tables, `mixed` is their factor on decodes beside prompts.
  AttentionTable(const AttentionGrids& grids, const AttentionRates& rates, double mixed, double layers,
                 std::int32_t max_sequences);

  // What a prompt chunk adds to a launch, seconds of all layers. Chunks of one iteration add up, as tiles of one
  // launch do.
  double prefill(std::int32_t tokens, std::int64_t context) const;
  // The rest of an iteration with prompts: the launch, and the decodes beside its largest chunk.
  double beside(std::int32_t largest, std::int64_t context, std::int32_t sequences, double kv_tokens) const;
  // An iteration of decodes alone, by the KV tokens of its batch. Linear between measured lengths; where a longer one
  // took less time, measured noise, as long as the shorter one.
  const PiecewiseLine& decodes(std::int32_t sequences) const { return decodes_[static_cast<std::size_t>(sequences)]; }

 private:
  double estimate(double chunk, double context, double sequences, double kv_length, double mixed) const;
  double prefill_time(double chunk, double context) const;
  PiecewiseLine decodes_of(double sequences) const;

  AttentionGrids grids_;
  AttentionRates rates_;
  double mixed_;
  double layers_;
  double start_ = 0;                    // of the shortest launch, one layer
  std::vector<PiecewiseLine> decodes_;  // [sequences]
};

}  // namespace silicast
