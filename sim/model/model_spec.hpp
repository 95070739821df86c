// A decoder-only transformer as its publisher describes it: a stack of layers, each an attention and a feed-forward
// block of a few kinds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/number_format.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

enum class AttentionKind {
  kGrouped,     // multi-head with shared KV heads (GQA, MQA, MHA)
  kLatent,      // MLA: keys and values are rebuilt from one latent vector per token (DeepSeek-V2 on)
  kCompressed,  // one KV vector for all heads, kept for a window and, compressed, for what is before it (DeepSeek-V4)
  kLinear,      // a state of fixed size instead of a KV cache (gated delta rule: Qwen3-Next, Qwen3.5)
};
std::string_view name_of(AttentionKind kind);  // "grouped", "latent", "compressed", "linear"

// Sizes are of the whole model. What a kind does not have stays at its default.
struct AttentionSpec {
  AttentionKind kind = AttentionKind::kGrouped;
  std::int32_t heads = 0;         // query heads; kLinear: value heads
  std::int32_t kv_heads = 0;      // kGrouped: KV heads; kLinear: key heads; others 1
  std::int32_t head_size = 0;     // of queries and keys, the rotary part included; kLinear: of keys
  std::int32_t value_size = 0;    // of a head's values; kGrouped and kCompressed: head_size
  std::int32_t window = 0;        // tokens that a query sees, itself included; 0: all before it
  bool window_in_chunks = false;  // the window begins at a multiple of its size instead of sliding (Llama 4)
  bool qkv_bias = false;
  bool qk_norm = false;
  bool qk_norm_across_heads =
      false;                 // one norm over all of a token's heads, so tensor ranks must share sums (MiniMax-M2)
  bool output_gate = false;  // the query projection also gives a gate for the output: its width doubles
  // kLatent and kCompressed: ranks of the low-rank projections, 0 where the projection is direct.
  std::int32_t query_rank = 0;
  std::int32_t kv_rank = 0;    // kLatent: the latent's width, without the rotary part
  std::int32_t rope_size = 0;  // of a head's rotary part (kLatent: its key is one for all heads)
  // A query attends only to the best `top_tokens` KV entries, chosen by a small indexer over all; 0: to all.
  std::int32_t top_tokens = 0;
  std::int32_t index_heads = 0;
  std::int32_t index_size = 0;
  // kCompressed: tokens per compressed entry, 0 for none (the window alone); the output projection goes through
  // `output_groups` groups of rank `output_rank`.
  std::int32_t compression = 0;
  std::int32_t output_groups = 0;
  std::int32_t output_rank = 0;
  std::int32_t convolution = 0;  // kLinear: width of the short convolution before the state

  bool operator==(const AttentionSpec&) const = default;
};

struct FeedForwardSpec {
  std::int32_t intermediate = 0;  // width of the dense MLP, or of one routed expert
  bool gated = true;              // gate, up and down projections; otherwise up and down
  std::int32_t experts = 0;       // routed; 0: a dense MLP
  std::int32_t active = 0;        // routed experts of a token (top-k)
  std::int32_t shared = 0;        // width of the shared experts together, which see every token; 0: none
  bool bias = false;              // mixtures: of the experts' projections and the router

  bool mixture() const { return experts > 0; }
  bool operator==(const FeedForwardSpec&) const = default;
};

inline constexpr std::int32_t kMostLayers = 4096;

struct LayerSpec {
  std::int32_t attention = 0;     // index into ModelSpec::attentions
  std::int32_t feed_forward = 0;  // index into ModelSpec::feed_forwards

  bool operator==(const LayerSpec&) const = default;
};

struct ModelSpec {
  std::string name;          // "llama-3.1-70b"
  std::string architecture;  // Hugging Face class: "LlamaForCausalLM"
  // Repositories of this shape in these formats, the one that the figures are from first ("Qwen/Qwen3-32B"); may be
  // empty.
  std::vector<std::string> huggingface_ids;
  std::int32_t hidden = 0;  // model width
  std::int32_t vocabulary = 0;
  std::int32_t max_context = 0;           // tokens, prompt and output together
  std::int32_t residual_streams = 1;      // hyper-connections keep several copies of the hidden state (DeepSeek-V4)
  std::int32_t mtp_layers = 0;            // multi-token prediction layers in the checkpoint, built like the last layer
  std::vector<AttentionSpec> attentions;  // the kinds that occur
  std::vector<FeedForwardSpec> feed_forwards;
  std::vector<LayerSpec> layers;                     // from the input on, MTP layers left out
  bool tied_embeddings = false;                      // input embedding and LM head share one matrix
  bool output_bias = false;                          // of the attention's output projection (gpt-oss)
  NumberFormat native_format = NumberFormat::kBf16;  // of activations, norms, embeddings, routers and LM head
  NumberFormat weight_format = NumberFormat::kBf16;  // of the layers' GEMM weights in the published checkpoint
  NumberFormat expert_format = NumberFormat::kBf16;  // of the routed experts' weights there
  std::string source;

  std::int32_t layer_count() const { return static_cast<std::int32_t>(layers.size()); }
  const AttentionSpec& attention_of(std::int32_t layer) const;
  const FeedForwardSpec& feed_forward_of(std::int32_t layer) const;
  bool mixture() const;  // any layer has routed experts

  // Rows of the embedding and the LM head as engines store them: the vocabulary rounded up to a multiple of
  // 64 (vLLM, vocab_parallel_embedding.py).
  std::int32_t padded_vocabulary() const;
};

// A catalogue file (configs/models/NAME.yaml). Schema:
//   name, architecture, source: text              # architecture: a Hugging Face class, for the record
//   huggingface_ids: [Qwen/Qwen3-32B]             # optional, none; what engines are launched with (sim/run/launch)
//   layers, hidden, vocabulary, max_context: whole numbers
//   format: bf16 | fp16 | fp32
//   weights: fp8                                  # optional, `format`; of the layers' GEMM weights
//   expert_weights: mxfp4                         # optional, `weights`; of the routed experts'
//   tied_embeddings: false, output_bias: false, residual_streams: 1, mtp_layers: 0    # optional, these defaults
// One kind of grouped attention in all layers, as keys of the file itself:
//   heads, kv_heads, head_size; optional: window: 0, qkv_bias: false, qk_norm: false
// and one dense MLP:
//   intermediate; optional: gated_mlp: true
// or, of either, kinds by name (in ModelSpec in this order) with the layers that each has: slices as Python writes them
// ("0:3", "1:36:2", "::2") or single numbers, with commas between; one kind may leave `layers` out and has the rest.
//   attention:
//     local: {heads: 64, kv_heads: 8, head_size: 64, window: 128, layers: "::2"}
//     full: {kind: grouped, heads: 64, kv_heads: 8, head_size: 64}
//   feed_forward:
//     dense: {intermediate: 18432, layers: "0:3"}
//     experts: {intermediate: 2048, experts: 256, active: 8, shared: 2048}
// with the other keys of FeedForwardSpec and AttentionSpec by their names there, each for its kinds:
//   grouped (the default): heads, kv_heads, head_size; optional window, window_in_chunks, qkv_bias, qk_norm,
//                          output_gate
//   latent: heads, head_size, value_size, kv_rank, rope_size; optional query_rank, top_tokens
//   compressed: heads, head_size, window, query_rank, rope_size, output_groups, output_rank; optional compression,
//               top_tokens
//   linear: heads, kv_heads, head_size, value_size, convolution
// where top_tokens brings index_heads and index_size. Errors: InputError at the key.
ModelSpec read_model_spec(const ConfigValue& model);

// What `model` of a scenario stands for: a name of the catalogue or a path of such a file
// (configs_dir/models), {huggingface: FILE} with a config.json (huggingface_config.hpp), or the keys of a
// catalogue file in place.
ModelSpec read_model(const ConfigValue& model, const std::string& configs_dir);

}  // namespace silicast
