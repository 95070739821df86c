// Prices any kernel of one pipeline stage: rooflines on its chip, collectives over its links.
#pragma once

#include <cstdint>

#include "sim/perf/compile_cost.hpp"
#include "sim/perf/roofline.hpp"

namespace silicast {

class StagePrice {
 public:
  // The setup must outlive this.
  StagePrice(const ReplicaSetup& setup, std::int32_t stage);

  const StageWork& work() const { return work_; }
  const AttentionRates& attention() const { return attention_; }
  double layers() const { return work_.layers(); }

  // One launch of a GEMM, an elementwise kernel or a collective (attention is priced by its rates).
  KernelPrice kernel(const Kernel& kernel) const;

  // Entries of StageCost: seconds of all layers. Every iteration has one attention kernel per layer, for its
  // prompts and decodes together, so its launch counts among the tokens.
  double tokens(std::int32_t count) const;
  double sequences(std::int32_t count) const;
  double decode_base(std::int32_t count) const { return layers() * attention_.decode_sequence * count; }
  double decode_kv(double kv_tokens) const { return layers() * attention_.decode_kv(kv_tokens); }

 private:
  const ReplicaSetup& setup_;
  std::int32_t stage_;
  StageWork work_;
  AttentionRates attention_;
};

}  // namespace silicast
