// Prices any kernel of one pipeline stage: rooflines on its chip, collectives over its links.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "sim/perf/compile_cost.hpp"
#include "sim/perf/roofline.hpp"

namespace silicast {

class StagePrice {
 public:
  // The setup must outlive this.
  StagePrice(const ReplicaSetup& setup, std::int32_t stage);

  const StageWork& work() const { return work_; }
  const std::vector<AttentionRates>& attention() const { return attention_; }  // of work().attention()

  // One launch of a GEMM, an elementwise kernel or a collective (attention is priced by its rates): by the setup's
  // tables where they have it, else by rooflines.
  KernelPrice kernel(const Kernel& kernel) const;
  // Whether tables have attention: then none of it is in the entries below.
  bool measures_attention() const { return setup_.measured && !setup_.measured->attention.empty(); }

  // Entries of StageCost: seconds of all layers. Every iteration has one attention kernel per layer and part, for its
  // prompts and decodes together, so its start counts among the tokens.
  double tokens(std::int64_t count) const;
  double experts(std::int64_t tokens) const;  // with what gathers them
  double exchange(std::int64_t tokens) const;
  // Of the exchanges of a rank with so many tokens, the share that hides behind its computing, were all ranks alike;
  // attention's way through the KV cache is not counted on.
  double hidden_share(std::int64_t tokens) const;
  double sequences(std::int64_t count) const;
  double decode_base(std::int32_t sequences) const;

  // What a kernel takes at least in an iteration of so many tokens, s.
  double floor_of(std::int64_t tokens) const {
    return static_cast<double>(tokens) > setup_.graph_tokens ? setup_.eager_launch : 0;
  }

  // Of all tokens, or of both halves that the engine computes one after the other.
  double in_batches(std::int64_t tokens, const std::function<double(std::int64_t)>& seconds) const;

 private:
  KernelPrice roofline(const Kernel& kernel) const;
  std::optional<Seconds> measured(const Kernel& kernel) const;
  Seconds measured_layer(const Kernel& kernel, const MeasuredGrid& times) const;
  Seconds measured_experts(const Kernel& kernel) const;
  double talk(std::int64_t tokens) const;                    // exchanges with nothing beside them, s
  double hidden(std::int64_t tokens, double talking) const;  // of those, what hides behind computing, s
  // All launches, none shorter than `floor`, with the part of the messages that hides behind the rest.
  double sum(const std::vector<Kernel>& kernels, double floor = 0) const;

  const ReplicaSetup& setup_;
  std::int32_t stage_;
  StageWork work_;
  std::vector<AttentionRates> attention_;
};

}  // namespace silicast
