// What one iteration must compute and move, per rank of a pipeline stage, before any hardware is known.
// Kernels come in groups by what their size depends on, so that their prices can be compiled to tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/model/attention_work.hpp"
#include "sim/model/engine_spec.hpp"
#include "sim/model/expert_load.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/model/parallel_plan.hpp"
#include "sim/model/rank_matrices.hpp"

namespace silicast {

enum class KernelClass {
  kGemm,
  kExperts,  // grouped GEMM over the experts of a rank
  kAttentionPrefill,
  kAttentionDecode,
  kElementwise,
  kAllReduce,
  kAllGather,
  kReduceScatter,
  kAllToAll,
  kSend
};
std::string_view name_of(KernelClass kernel_class);  // "gemm", "attention_prefill", ...

// Who takes part in a message.
enum class RankGroup { kTensor, kStage, kNextStage };  // ranks of a tensor group, all of the stage, the stage after

struct Kernel {
  KernelClass kernel_class = KernelClass::kGemm;
  std::string_view name;                       // "qkv_proj", "mlp_gate_up", "all_reduce"...
  double times = 1;                            // launches per iteration (one per layer, usually)
  NumberFormat format = NumberFormat::kBf16;   // that the matrix unit works in
  NumberFormat weights = NumberFormat::kBf16;  // as stored; unpacked on the way in where it differs from `format`
  std::int64_t m = 0, n = 0, k = 0;            // GEMM shape on this rank; 0 for other classes
  double count = 0;                            // tokens that it serves (LM head, sampling: sequences)
  double experts = 0;                          // of a grouped GEMM: distinct experts that share the m rows
  bool padded = false;                         // of a grouped GEMM: every expert's tiles are full
  Flops flops;                                 // of one launch, on this rank
  Bytes bytes;                                 // read and written by one launch in chip memory, on this rank
  Bytes output;                                // of these bytes, a GEMM's results
  // All-reduce and send: the buffer that each rank holds; all-gather and reduce-scatter: the whole; all-to-all: what
  // each rank sends.
  Bytes message;
  // All-to-all of copies that ranks of a node share: one copy of all of a rank's tokens, and experts that each goes to;
  // 0: a copy for each.
  Bytes copy;
  double spread = 0;
  RankGroup group = RankGroup::kTensor;
};

// What an engine's choice of kernels changes, see EngineSpec.
struct KernelPolicy {
  ExpertExchange exchange = ExpertExchange::kAllGather;
  double expert_skew = 0;
  double padded_rows = 0;
  bool fused = false;
};

// Work of stage `stage` of the plan, per rank.
class StageWork {
 public:
  StageWork(const ModelSpec& model, const ParallelPlan& plan, const Precision& precision, std::int32_t stage,
            const KernelPolicy& policy = {});

  // Everything that sees the `m` tokens of a rank's own requests: projections, dense and shared blocks, norms, rotary,
  // residuals, KV writes, embedding (first stage), the all-reduces (tensor > 1; those of routed experts too where data
  // is 1), the send to the next stage (not in the last). Empty for m = 0.
  std::vector<Kernel> token_kernels(std::int64_t m) const;
  // Routed experts for `tokens` of all ranks of the stage, on the busiest, and what gathers them where data > 1 and
  // the engine exchanges by all-gather. Empty without routed experts and for no tokens.
  std::vector<Kernel> expert_kernels(std::int64_t tokens) const;
  // Dispatch and combine of a rank with `tokens` of its own, where data > 1 and the engine exchanges by all-to-all.
  std::vector<Kernel> exchange_kernels(std::int64_t tokens) const;
  // LM head, all-gather of logits (tensor > 1) and sampling of `sequences` sequences; empty but in the last
  // stage, and for 0 sequences.
  std::vector<Kernel> sequence_kernels(std::int64_t sequences) const;
  // Kernels of attention, see AttentionPart.
  const std::vector<AttentionPart>& attention() const { return attention_; }

  std::int32_t layers() const { return layers_; }

 private:
  Kernel gemm(const RankMatrix& matrix, double times, std::int64_t m) const;
  Kernel elementwise(std::string_view name, double times, double numbers, double bytes) const;
  Kernel message(KernelClass kernel_class, std::string_view name, double times, Bytes size, RankGroup group) const;
  void add_elementwise(std::vector<Kernel>& kernels, std::int64_t m) const;
  void add_attention_elementwise(std::vector<Kernel>& kernels, std::int64_t m) const;
  void add_block_elementwise(std::vector<Kernel>& kernels, std::int64_t m) const;
  void add_messages(std::vector<Kernel>& kernels, std::int64_t m) const;

  ModelSpec model_;
  ParallelPlan plan_;
  Precision precision_;
  std::int32_t stage_;
  std::int32_t layers_;
  KernelPolicy policy_;
  std::vector<double> attention_layers_;  // of the stage, by kind
  std::vector<double> block_layers_;
  std::vector<AttentionPart> attention_;
  std::vector<std::optional<ExpertLoads>> loads_;  // by feed-forward kind; of mixtures
};

}  // namespace silicast
