// Kernel sizes of one iteration, derived from the shapes of a decoder as vLLM lays it over ranks
// (rank_matrices.hpp, vocabulary-parallel embedding and LM head).
#include "sim/model/iteration_work.hpp"

#include <cmath>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

// Fused add and RMSNorm: reads x and the residual, writes both.
constexpr double kNormPasses = 4;
// Greedy sampling: logits to FP32 (2 + 4 bytes for a 16-bit logit), one pass for the maximum (4).
constexpr double kSamplingBytesBeyondNative = 8;

// Sorting rows by expert, quantising, the activation between the GEMMs, the weighted sum: what a fused layer moves
// beside weights is as much as this many passes over its inputs and inner activations (H200, BF16: 10 bytes per
// number).
constexpr double kActivationPasses = 5;
// Rows that only pad are read, activated and written but not gathered: inputs in 8 bits and outputs in 16, gate and up
// in 16 bits twice and their product in 8.
constexpr double kPaddedHiddenBytes = 3, kPaddedWidthBytes = 9;
// Up to so many tokens of a rank, dispatch and combine use the low-latency kernels, which send a copy for each expert;
// larger messages send one for each rank, which travels between nodes once for all ranks of a node (DeepEP).
constexpr std::int64_t kLowLatencyTokens = 256;

// Layers of a stage by one of their indices into the model's kinds.
template <class Index>
std::vector<double> count_layers(const ModelSpec& model, const ParallelPlan& plan, std::int32_t stage,
                                 std::size_t kinds, Index index) {
  std::vector<double> counts(kinds, 0);
  const std::int32_t first = plan.first_layer(stage);
  for (std::int32_t i = first; i < first + plan.stage_layers[static_cast<std::size_t>(stage)]; ++i)
    ++counts[static_cast<std::size_t>(index(model.layers[static_cast<std::size_t>(i)]))];
  return counts;
}

// Numbers that one token adds to the KV cache of a layer on a rank.
double kv_numbers(const AttentionSpec& attention, const ParallelPlan& plan) {
  switch (attention.kind) {
    case AttentionKind::kGrouped:
      return 2.0 * static_cast<double>(plan.kv_heads_per_rank(attention)) * attention.head_size;
    case AttentionKind::kLatent:
      return attention.kv_rank + attention.rope_size;
    case AttentionKind::kCompressed:
      return attention.head_size;
    case AttentionKind::kLinear:
      return 0;
  }
  return 0;
}

}  // namespace

std::string_view name_of(KernelClass kernel_class) {
  switch (kernel_class) {
    case KernelClass::kGemm:
      return "gemm";
    case KernelClass::kExperts:
      return "experts";
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
    case KernelClass::kReduceScatter:
      return "reduce_scatter";
    case KernelClass::kAllToAll:
      return "all_to_all";
    case KernelClass::kSend:
      return "send";
  }
  return "";
}

StageWork::StageWork(const ModelSpec& model, const ParallelPlan& plan, const Precision& precision, std::int32_t stage,
                     const KernelPolicy& policy)
    : model_(model), plan_(plan), precision_(precision), stage_(stage), policy_(policy) {
  SILICAST_CHECK(stage >= 0 && stage < plan.stages(), "stage {} of {}", stage, plan.stages());
  layers_ = plan.stage_layers[static_cast<std::size_t>(stage)];
  attention_layers_ =
      count_layers(model, plan, stage, model.attentions.size(), [](const LayerSpec& layer) { return layer.attention; });
  block_layers_ = count_layers(model, plan, stage, model.feed_forwards.size(),
                               [](const LayerSpec& layer) { return layer.feed_forward; });
  attention_ = attention_parts(model, plan, precision, plan.first_layer(stage), layers_);
  for (const FeedForwardSpec& block : model.feed_forwards)
    loads_.push_back(block.mixture() ? std::optional(ExpertLoads(block, plan, policy.expert_skew)) : std::nullopt);
}

// Quantised weights and inputs, native output.
Kernel StageWork::gemm(const RankMatrix& matrix, double times, std::int64_t m) const {
  const double rows = static_cast<double>(m), columns = static_cast<double>(matrix.n);
  const double depth = static_cast<double>(matrix.k), copies = static_cast<double>(matrix.copies);
  NumberFormat weights = precision_.weights, inputs = precision_.activations;
  if (matrix.store == WeightStore::kNative) weights = inputs = model_.native_format;
  Kernel kernel;
  kernel.kernel_class = KernelClass::kGemm;
  kernel.name = matrix.name;
  kernel.times = times;
  kernel.format = inputs;
  kernel.weights = weights;
  kernel.m = m;
  kernel.n = matrix.n * matrix.copies;  // groups side by side fill the chip as one wide matrix does
  kernel.k = matrix.k;
  kernel.flops = Flops(2 * rows * columns * depth * copies);
  kernel.output = Bytes(rows * columns * bytes_of(model_.native_format) * copies);
  kernel.bytes =
      Bytes((columns * depth * bytes_of(weights) + rows * depth * bytes_of(inputs)) * copies) + kernel.output;
  return kernel;
}

// `numbers` touched (one operation each: these kernels never bind on compute) and `bytes` moved by one
// launch.
Kernel StageWork::elementwise(std::string_view name, double times, double numbers, double bytes) const {
  Kernel kernel;
  kernel.kernel_class = KernelClass::kElementwise;
  kernel.name = name;
  kernel.times = times;
  kernel.format = kernel.weights = model_.native_format;
  kernel.flops = Flops(numbers);
  kernel.bytes = Bytes(bytes);
  return kernel;
}

Kernel StageWork::message(KernelClass kernel_class, std::string_view name, double times, Bytes size,
                          RankGroup group) const {
  Kernel kernel;
  kernel.kernel_class = kernel_class;
  kernel.name = name;
  kernel.times = times;
  kernel.format = kernel.weights = model_.native_format;
  kernel.message = size;
  kernel.group = group;
  return kernel;
}

void StageWork::add_elementwise(std::vector<Kernel>& kernels, std::int64_t m) const {
  const double native = bytes_of(model_.native_format), narrow = bytes_of(precision_.activations);
  const double hidden = static_cast<double>(m) * model_.hidden;
  const bool first = stage_ == 0, last = stage_ + 1 == plan_.stages();
  // Each rank looks up its share of the rows and writes all of them, zero where another rank has the row.
  if (first) kernels.push_back(elementwise("embedding", 1, hidden, hidden * native * (1 + 1.0 / plan_.tensor)));
  if (!(policy_.fused && plan_.tensor > 1))
    kernels.push_back(elementwise("norm", 2.0 * layers_ + (last ? 1 : 0), hidden, kNormPasses * hidden * native));
  // Hyper-connections mix the copies of the hidden state before and after each block.
  if (model_.residual_streams > 1)
    kernels.push_back(elementwise("residual_mix", 2.0 * layers_, hidden * model_.residual_streams,
                                  2 * model_.residual_streams * hidden * native));
  add_attention_elementwise(kernels, m);
  add_block_elementwise(kernels, m);
  if (narrow < native && !policy_.fused)
    kernels.push_back(elementwise("quantise_hidden", 2.0 * layers_, hidden, hidden * (native + narrow)));
}

void StageWork::add_attention_elementwise(std::vector<Kernel>& kernels, std::int64_t m) const {
  const double tokens = static_cast<double>(m);
  const double native = bytes_of(model_.native_format), narrow = bytes_of(precision_.activations);
  for (std::size_t kind = 0; kind < attention_layers_.size(); ++kind) {
    const double times = attention_layers_[kind];
    if (times == 0) continue;
    const AttentionSpec& attention = model_.attentions[kind];
    const double heads = tokens * static_cast<double>(plan_.heads_per_rank(attention));
    const double queries = heads * attention.head_size;
    const double outputs = heads * (attention.value_size > 0 ? attention.value_size : attention.head_size);
    const double written = tokens * kv_numbers(attention, plan_);
    const double rotated = queries + 0.5 * written;
    // Over all heads at once the sums of squares meet between the ranks, and the steps around that are kernels of their
    // own.
    const double steps = attention.qk_norm_across_heads && plan_.tensor > 1 ? 4 : 1;
    if (attention.qk_norm) kernels.push_back(elementwise("qk_norm", steps * times, rotated, 2 * rotated * native));
    if (steps > 1)
      kernels.push_back(message(KernelClass::kAllReduce, "qk_norm_sum", times, Bytes(8 * tokens), RankGroup::kTensor));
    if (attention.kind == AttentionKind::kLinear) {
      const double mixed = queries + 2 * outputs;
      kernels.push_back(elementwise("convolution", times, mixed, 2 * mixed * native));
      kernels.push_back(elementwise("gated_norm", times, outputs, 3 * outputs * native));
    } else {
      kernels.push_back(elementwise("rotary", times, rotated, 2 * rotated * native));
      if (!policy_.fused)
        kernels.push_back(elementwise("kv_write", times, written, written * (native + bytes_of(precision_.kv))));
    }
    if (attention.output_gate) kernels.push_back(elementwise("output_gate", times, outputs, 3 * outputs * native));
    if (narrow < native && !policy_.fused)
      kernels.push_back(elementwise("quantise_attention", times, outputs, outputs * (native + narrow)));
  }
}

void StageWork::add_block_elementwise(std::vector<Kernel>& kernels, std::int64_t m) const {
  const double native = bytes_of(model_.native_format), narrow = bytes_of(precision_.activations);
  for (std::size_t kind = 0; kind < block_layers_.size(); ++kind) {
    const FeedForwardSpec& block = model_.feed_forwards[kind];
    const std::int32_t width = block.mixture() ? block.shared : block.intermediate;
    const double times = block_layers_[kind];
    if (times == 0 || width == 0) continue;
    const double mlp = static_cast<double>(m) * (static_cast<double>(width) / plan_.tensor);
    kernels.push_back(elementwise("activation", times, mlp, mlp * native * (block.gated ? 3 : 2)));
    if (narrow < native && !policy_.fused)
      kernels.push_back(elementwise("quantise_mlp", times, mlp, mlp * (native + narrow)));
  }
}

void StageWork::add_messages(std::vector<Kernel>& kernels, std::int64_t m) const {
  const Bytes buffer(static_cast<double>(m) * model_.hidden * bytes_of(model_.native_format));
  if (plan_.tensor > 1) {
    // After attention and after the block. Data-parallel ranks combine routed experts instead (expert_kernels).
    double times = layers_ + (stage_ == 0 ? 1 : 0);
    for (std::size_t kind = 0; kind < block_layers_.size(); ++kind) {
      const FeedForwardSpec& block = model_.feed_forwards[kind];
      if (plan_.data == 1 || !block.mixture() || block.shared > 0) times += block_layers_[kind];
    }
    kernels.push_back(message(KernelClass::kAllReduce, "all_reduce", times, buffer, RankGroup::kTensor));
    // The shares of what the stage before sent: hidden states and residual.
    if (stage_ > 0)
      kernels.push_back(message(KernelClass::kAllGather, "gather_received", 1, buffer * 2, RankGroup::kTensor));
  }
  // Keys and values of a prompt go to all groups that share it, and the groups' partial attention is put together.
  for (std::size_t kind = 0; plan_.context > 1 && kind < attention_layers_.size(); ++kind) {
    const AttentionSpec& attention = model_.attentions[kind];
    const double times = attention_layers_[kind], tokens = static_cast<double>(m);
    const double outputs = static_cast<double>(plan_.heads_per_rank(attention)) *
                           (attention.value_size > 0 ? attention.value_size : attention.head_size);
    const double native = bytes_of(model_.native_format);
    if (times == 0) continue;
    kernels.push_back(message(KernelClass::kAllGather, "context_gather", times,
                              Bytes(plan_.context * tokens * kv_numbers(attention, plan_) * native),
                              RankGroup::kStage));
    kernels.push_back(message(KernelClass::kReduceScatter, "context_combine", times, Bytes(tokens * outputs * native),
                              RankGroup::kStage));
  }
  // Every rank sends a share to its peer.
  if (stage_ + 1 < plan_.stages())
    kernels.push_back(message(KernelClass::kSend, "send", 1, buffer * (2.0 / plan_.tensor), RankGroup::kNextStage));
}

std::vector<Kernel> StageWork::token_kernels(std::int64_t m) const {
  SILICAST_CHECK(m >= 0, "{} tokens", m);
  std::vector<Kernel> kernels;
  if (m == 0) return kernels;
  for (std::size_t kind = 0; kind < attention_layers_.size(); ++kind)
    if (attention_layers_[kind] > 0)
      for (const RankMatrix& matrix : attention_matrices(model_, model_.attentions[kind], plan_))
        kernels.push_back(gemm(matrix, attention_layers_[kind], m));
  for (std::size_t kind = 0; kind < block_layers_.size(); ++kind)
    if (block_layers_[kind] > 0)
      for (const RankMatrix& matrix : feed_forward_matrices(model_, model_.feed_forwards[kind], plan_))
        if (matrix.store != WeightStore::kExpert) kernels.push_back(gemm(matrix, block_layers_[kind], m));
  add_elementwise(kernels, m);
  add_messages(kernels, m);
  for (Kernel& kernel : kernels) kernel.count = static_cast<double>(m);
  return kernels;
}

std::vector<Kernel> StageWork::expert_kernels(std::int64_t tokens) const {
  SILICAST_CHECK(tokens >= 0, "{} tokens", tokens);
  std::vector<Kernel> kernels;
  if (tokens == 0) return kernels;
  const double native = bytes_of(model_.native_format);
  for (std::size_t kind = 0; kind < block_layers_.size(); ++kind) {
    const FeedForwardSpec& block = model_.feed_forwards[kind];
    const double times = block_layers_[kind];
    if (times == 0 || !block.mixture()) continue;
    ExpertLoad load = loads_[kind]->load(tokens);
    double padding = 0;
    if (policy_.padded_rows > 0) {
      load.experts = static_cast<double>(plan_.experts_per_rank(block));
      padding = load.experts * (policy_.padded_rows - 1);
    }
    Kernel kernel;
    kernel.kernel_class = KernelClass::kExperts;
    kernel.name = "experts";
    kernel.times = times;
    kernel.format = precision_.expert_activations;
    kernel.weights = precision_.experts;
    kernel.m = static_cast<std::int64_t>(std::ceil(load.rows + padding));
    kernel.experts = load.experts;
    kernel.padded = padding > 0;
    kernel.count = load.rows / block.active;
    double numbers = 0;  // of one expert
    for (const RankMatrix& matrix : feed_forward_matrices(model_, block, plan_))
      if (matrix.store == WeightStore::kExpert) numbers += static_cast<double>(matrix.n * matrix.k);
    const double width = static_cast<double>(block.intermediate) / plan_.expert_tensor();
    kernel.flops = Flops(2 * (load.rows + padding) * numbers);
    kernel.output = Bytes(kActivationPasses * load.rows * (model_.hidden + width) * native +
                          padding * (kPaddedHiddenBytes * model_.hidden + kPaddedWidthBytes * width));
    kernel.bytes = Bytes(load.experts * numbers * bytes_of(precision_.experts)) + kernel.output;
    kernels.push_back(kernel);
    if (plan_.data == 1 || policy_.exchange != ExpertExchange::kAllGather) continue;
    const Bytes all(static_cast<double>(tokens) * model_.hidden * native);
    kernels.push_back(message(KernelClass::kAllGather, "dispatch", times, all, RankGroup::kStage));
    kernels.push_back(message(KernelClass::kReduceScatter, "combine", times, all, RankGroup::kStage));
  }
  return kernels;
}

std::vector<Kernel> StageWork::exchange_kernels(std::int64_t tokens) const {
  SILICAST_CHECK(tokens >= 0, "{} tokens", tokens);
  std::vector<Kernel> kernels;
  if (tokens == 0 || plan_.data == 1 || policy_.exchange != ExpertExchange::kAllToAll) return kernels;
  const double native = bytes_of(model_.native_format), narrow = bytes_of(precision_.expert_activations);
  for (std::size_t kind = 0; kind < block_layers_.size(); ++kind) {
    const FeedForwardSpec& block = model_.feed_forwards[kind];
    const double times = block_layers_[kind];
    if (times == 0 || !block.mixture()) continue;
    // Tensor ranks share the sending.
    const double ranks = plan_.ranks();
    const bool low_latency = tokens <= kLowLatencyTokens;
    const double reached = low_latency ? block.active : ranks * (1 - std::pow(1 - 1 / ranks, block.active));
    const double copies = reached * (1 - 1 / ranks);
    const double numbers = static_cast<double>(tokens) / plan_.tensor * model_.hidden;
    const auto exchange = [&](std::string_view name, double bytes) {
      Kernel kernel = message(KernelClass::kAllToAll, name, times, Bytes(numbers * copies * bytes), RankGroup::kStage);
      kernel.copy = Bytes(numbers * bytes);
      kernel.spread = low_latency ? 0 : block.active;
      kernels.push_back(kernel);
    };
    exchange("dispatch", narrow);
    exchange("combine", native);
  }
  return kernels;
}

std::vector<Kernel> StageWork::sequence_kernels(std::int64_t sequences) const {
  SILICAST_CHECK(sequences >= 0, "{} sequences", sequences);
  std::vector<Kernel> kernels;
  if (sequences == 0 || stage_ + 1 < plan_.stages()) return kernels;
  const double rows = static_cast<double>(sequences);
  const double native = bytes_of(model_.native_format);
  kernels.push_back(gemm({"lm_head", model_.padded_vocabulary() / plan_.tensor, model_.hidden, 1, WeightStore::kNative},
                         1, sequences));
  if (plan_.tensor > 1)
    kernels.push_back(message(KernelClass::kAllGather, "all_gather", 1,
                              Bytes(rows * model_.padded_vocabulary() * native), RankGroup::kTensor));
  // Every rank samples, over the whole vocabulary.
  const double logits = rows * model_.vocabulary;
  kernels.push_back(elementwise("sampling", 1, logits, logits * (native + kSamplingBytesBeyondNative)));
  for (Kernel& kernel : kernels) kernel.count = rows;
  return kernels;
}

}  // namespace silicast
