// What one iteration must compute and move, per rank of a pipeline stage, before any hardware is known.
// Kernels come in four groups by what their size depends on, so that their prices can be compiled to tables.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/model/parallel_plan.hpp"

namespace silicast {

enum class KernelClass { kGemm, kAttentionPrefill, kAttentionDecode, kElementwise, kAllReduce, kAllGather, kSend };
std::string_view name_of(KernelClass kernel_class);  // "gemm", "attention_prefill", ...

struct Kernel {
  KernelClass kernel_class = KernelClass::kGemm;
  std::string_view name;                      // "qkv_proj", "mlp_gate_up", "all_reduce"...
  double times = 1;                           // launches per iteration (one per layer, usually)
  NumberFormat format = NumberFormat::kBf16;  // that the matrix unit works in
  std::int64_t m = 0, n = 0, k = 0;           // GEMM shape on this rank; 0 for other classes
  Flops flops;                                // of one launch, on this rank
  Bytes bytes;                                // read and written by one launch in chip memory, on this rank
  Bytes message;  // all-reduce and send: the buffer that each rank holds; all-gather: the gathered result
};

// Work of stage `stage` of the plan, per rank.
class StageWork {
 public:
  StageWork(const ModelSpec& model, const ParallelPlan& plan, const Precision& precision, std::int32_t stage);

  // Everything that sees `m` tokens: projections, MLP, norms, rotary, residuals, KV writes, embedding (first
  // stage), the two all-reduces of each layer and the embedding's (tensor > 1), the send to the next stage
  // (not in the last). Empty for m = 0.
  std::vector<Kernel> token_kernels(std::int64_t m) const;
  // LM head, all-gather of logits (tensor > 1) and sampling of `sequences` sequences; empty but in the last
  // stage, and for 0 sequences.
  std::vector<Kernel> sequence_kernels(std::int64_t sequences) const;
  // Attention of `sequences` decode tokens over `kv_tokens` KV tokens in all. Like the next, one launch per
  // layer, computed in the native format whatever the KV cache holds.
  Kernel decode_attention(std::int64_t sequences, std::int64_t kv_tokens) const;
  // Causal attention of a prompt chunk of `tokens` over `context` earlier tokens and itself.
  Kernel prefill_attention(std::int64_t tokens, std::int64_t context) const;

  std::int32_t layers() const { return layers_; }

 private:
  Kernel gemm(std::string_view name, std::int64_t m, std::int64_t n, std::int64_t k) const;
  Kernel elementwise(std::string_view name, double times, double numbers, double bytes) const;
  void add_elementwise(std::vector<Kernel>& kernels, std::int64_t m) const;
  double query_width() const;  // numbers of one token's queries on a rank
  double key_width() const;    // numbers of one token's keys on a rank

  ModelSpec model_;
  ParallelPlan plan_;
  Precision precision_;
  std::int32_t stage_;
  std::int32_t layers_;
};

}  // namespace silicast
