// Kernel sizes of one iteration, derived from the shapes of a dense decoder as vLLM lays it over ranks
// (column-parallel QKV and gate/up, row-parallel output and down projections, vocabulary-parallel embedding
// and LM head).
#include "sim/model/iteration_work.hpp"

#include "sim/base/check.hpp"

namespace silicast {
namespace {

// Fused add and RMSNorm: reads x and the residual, writes both.
constexpr double kNormPasses = 4;
// Greedy sampling: logits to FP32 (2 + 4 bytes for a 16-bit logit), one pass for the maximum (4).
constexpr double kSamplingBytesBeyondNative = 8;

}  // namespace

std::string_view name_of(KernelClass kernel_class) {
  switch (kernel_class) {
    case KernelClass::kGemm:
      return "gemm";
    case KernelClass::kAttentionPrefill:
      return "attention_prefill";
    case KernelClass::kAttentionDecode:
      return "attention_decode";
    case KernelClass::kElementwise:
      return "elementwise";
    case KernelClass::kAllReduce:
      return "all_reduce";
    case KernelClass::kAllGather:
      return "all_gather";
    case KernelClass::kSend:
      return "send";
  }
  return "";
}

StageWork::StageWork(const ModelSpec& model, const ParallelPlan& plan, const Precision& precision, std::int32_t stage)
    : model_(model), plan_(plan), precision_(precision), stage_(stage) {
  SILICAST_CHECK(stage >= 0 && stage < plan.stages(), "stage {} of {}", stage, plan.stages());
  layers_ = plan.stage_layers[static_cast<std::size_t>(stage)];
}

double StageWork::query_width() const {
  return static_cast<double>(model_.heads / plan_.tensor) * model_.head_size;
}

double StageWork::key_width() const {
  return static_cast<double>(plan_.kv_heads_per_rank(model_)) * model_.head_size;
}

// A GEMM of the layers: quantised weights and inputs, native output.
Kernel StageWork::gemm(std::string_view name, std::int64_t m, std::int64_t n, std::int64_t k) const {
  const double rows = static_cast<double>(m), columns = static_cast<double>(n), depth = static_cast<double>(k);
  Kernel kernel;
  kernel.kernel_class = KernelClass::kGemm;
  kernel.name = name;
  kernel.times = layers_;
  kernel.format = precision_.activations;
  kernel.m = m;
  kernel.n = n;
  kernel.k = k;
  kernel.flops = Flops(2 * rows * columns * depth);
  kernel.bytes =
      Bytes(columns * depth * bytes_of(precision_.weights) + rows * depth * bytes_of(precision_.activations) +
            rows * columns * bytes_of(model_.native_format));
  return kernel;
}

// `numbers` touched (one operation each: these kernels never bind on compute) and `bytes` moved by one
// launch.
Kernel StageWork::elementwise(std::string_view name, double times, double numbers, double bytes) const {
  Kernel kernel;
  kernel.kernel_class = KernelClass::kElementwise;
  kernel.name = name;
  kernel.times = times;
  kernel.format = model_.native_format;
  kernel.flops = Flops(numbers);
  kernel.bytes = Bytes(bytes);
  return kernel;
}

void StageWork::add_elementwise(std::vector<Kernel>& kernels, std::int64_t m) const {
  const double tokens = static_cast<double>(m);
  const double native = bytes_of(model_.native_format);
  const double hidden = tokens * model_.hidden;
  const double queries = tokens * query_width();
  const double keys = tokens * key_width();
  const double mlp = tokens * (static_cast<double>(model_.intermediate) / plan_.tensor);
  const bool first = stage_ == 0, last = stage_ + 1 == plan_.stages();
  const auto add = [&](std::string_view name, double times, double numbers, double bytes) {
    kernels.push_back(elementwise(name, times, numbers, bytes));
  };
  // Each rank looks up its share of the rows and writes all of them, zero where another rank has the row.
  if (first) add("embedding", 1, hidden, hidden * native * (1 + 1.0 / plan_.tensor));
  add("norm", 2.0 * layers_ + (last ? 1 : 0), hidden, kNormPasses * hidden * native);
  if (model_.qk_norm) add("qk_norm", layers_, queries + keys, 2 * (queries + keys) * native);
  add("rotary", layers_, queries + keys, 2 * (queries + keys) * native);
  add("kv_write", layers_, 2 * keys, 2 * keys * (native + bytes_of(precision_.kv)));
  add("activation", layers_, mlp, mlp * native * (model_.gated_mlp ? 3 : 2));
  const double narrow = bytes_of(precision_.activations);
  if (narrow >= native) return;
  add("quantise_hidden", 2.0 * layers_, hidden, hidden * (native + narrow));
  add("quantise_attention", layers_, queries, queries * (native + narrow));
  add("quantise_mlp", layers_, mlp, mlp * (native + narrow));
}

std::vector<Kernel> StageWork::token_kernels(std::int64_t m) const {
  SILICAST_CHECK(m >= 0, "{} tokens", m);
  std::vector<Kernel> kernels;
  if (m == 0) return kernels;
  const auto queries = static_cast<std::int64_t>(query_width());
  const auto keys = static_cast<std::int64_t>(key_width());
  const std::int64_t mlp = model_.intermediate / plan_.tensor;
  kernels.push_back(gemm("qkv_proj", m, queries + 2 * keys, model_.hidden));
  kernels.push_back(gemm("o_proj", m, model_.hidden, queries));
  if (model_.gated_mlp)
    kernels.push_back(gemm("mlp_gate_up", m, 2 * mlp, model_.hidden));
  else
    kernels.push_back(gemm("mlp_up", m, mlp, model_.hidden));
  kernels.push_back(gemm("mlp_down", m, model_.hidden, mlp));
  add_elementwise(kernels, m);

  const Bytes buffer(static_cast<double>(m) * model_.hidden * bytes_of(model_.native_format));
  Kernel message;
  message.format = model_.native_format;
  if (plan_.tensor > 1) {
    message.kernel_class = KernelClass::kAllReduce;
    message.name = "all_reduce";
    message.times = 2.0 * layers_ + (stage_ == 0 ? 1 : 0);
    message.message = buffer;
    kernels.push_back(message);
  }
  if (stage_ > 0 && plan_.tensor > 1) {
    message.kernel_class = KernelClass::kAllGather;
    message.name = "gather_received";
    message.times = 1;
    message.message = buffer * 2;  // the shares of what the stage before sent
    kernels.push_back(message);
  }
  if (stage_ + 1 < plan_.stages()) {
    message.kernel_class = KernelClass::kSend;
    message.name = "send";
    message.times = 1;
    message.message =
        buffer * (2.0 / plan_.tensor);  // hidden states and residual; every rank sends a share to its peer
    kernels.push_back(message);
  }
  return kernels;
}

std::vector<Kernel> StageWork::sequence_kernels(std::int64_t sequences) const {
  SILICAST_CHECK(sequences >= 0, "{} sequences", sequences);
  std::vector<Kernel> kernels;
  if (sequences == 0 || stage_ + 1 < plan_.stages()) return kernels;
  const double rows = static_cast<double>(sequences);
  const double native = bytes_of(model_.native_format);
  const double columns = static_cast<double>(model_.padded_vocabulary()) / plan_.tensor;
  Kernel head = gemm("lm_head", sequences, model_.padded_vocabulary() / plan_.tensor, model_.hidden);
  head.times = 1;
  head.format = model_.native_format;
  head.bytes = Bytes((columns * model_.hidden + rows * model_.hidden + rows * columns) * native);
  kernels.push_back(head);
  if (plan_.tensor > 1) {
    Kernel gather;
    gather.kernel_class = KernelClass::kAllGather;
    gather.name = "all_gather";
    gather.format = model_.native_format;
    gather.message = Bytes(rows * model_.padded_vocabulary() * native);
    kernels.push_back(gather);
  }
  // Every rank samples, over the whole vocabulary.
  const double logits = rows * model_.vocabulary;
  kernels.push_back(elementwise("sampling", 1, logits, logits * (native + kSamplingBytesBeyondNative)));
  return kernels;
}

Kernel StageWork::decode_attention(std::int64_t sequences, std::int64_t kv_tokens) const {
  SILICAST_CHECK(sequences >= 0 && kv_tokens >= sequences, "{} sequences over {} KV tokens", sequences, kv_tokens);
  const double keys = static_cast<double>(kv_tokens);
  Kernel kernel;
  kernel.kernel_class = KernelClass::kAttentionDecode;
  kernel.name = "decode_attention";
  kernel.times = layers_;
  kernel.format = model_.native_format;
  kernel.flops = Flops(4 * query_width() * keys);
  kernel.bytes = Bytes(2 * key_width() * keys * bytes_of(precision_.kv) +
                       2 * query_width() * static_cast<double>(sequences) * bytes_of(model_.native_format));
  return kernel;
}

Kernel StageWork::prefill_attention(std::int64_t tokens, std::int64_t context) const {
  SILICAST_CHECK(tokens >= 0 && context >= 0, "{} tokens over {}", tokens, context);
  const double chunk = static_cast<double>(tokens), past = static_cast<double>(context);
  const double pairs = chunk * past + chunk * (chunk + 1) / 2;
  Kernel kernel;
  kernel.kernel_class = KernelClass::kAttentionPrefill;
  kernel.name = "prefill_attention";
  kernel.times = layers_;
  kernel.format = model_.native_format;
  kernel.flops = Flops(4 * query_width() * pairs);
  kernel.bytes = Bytes(2 * key_width() * (past + chunk) * bytes_of(precision_.kv) +
                       2 * query_width() * chunk * bytes_of(model_.native_format));
  return kernel;
}

}  // namespace silicast
