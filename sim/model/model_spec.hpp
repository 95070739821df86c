// A dense decoder-only transformer as its publisher describes it (grouped-query attention, gated or plain
// MLP).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/number_format.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

struct ModelSpec {
  std::string name;          // "llama-3.1-70b"
  std::string architecture;  // Hugging Face class: "LlamaForCausalLM"
  std::int32_t layers = 0;
  std::int32_t hidden = 0;  // model width
  std::int32_t heads = 0;   // query heads
  std::int32_t kv_heads = 0;
  std::int32_t head_size = 0;
  std::int32_t intermediate = 0;  // MLP width
  std::int32_t vocabulary = 0;
  std::int32_t max_context = 0;  // tokens, prompt and output together
  bool gated_mlp = true;         // gate, up and down projections; otherwise up and down
  bool tied_embeddings = false;  // input embedding and LM head share one matrix
  bool qkv_bias = false;
  bool qk_norm = false;
  NumberFormat native_format = NumberFormat::kBf16;  // of activations, norms, embeddings and LM head
  NumberFormat weight_format = NumberFormat::kBf16;  // of the layers' GEMM weights in the published checkpoint
  std::string source;

  // Parameters, by where they live. Norms and biases count.
  double layer_parameters() const;         // of one layer
  double layer_matrix_parameters() const;  // its GEMM weights alone: what quantisation shrinks
  double embedding_parameters() const;     // input embedding
  double head_parameters() const;          // LM head; 0 when tied
  double parameters() const;               // all
  double kv_numbers_per_token() const;     // K and V of all layers, whole model

  // Rows of the embedding and the LM head as engines store them: the vocabulary rounded up to a multiple of
  // 64 (vLLM, vocab_parallel_embedding.py).
  std::int32_t padded_vocabulary() const;
};

// A catalogue file (configs/models/NAME.yaml). Schema:
//   name, architecture, source: text              # architecture: a Hugging Face class, for the record
//   layers, hidden, heads, kv_heads, head_size, intermediate, vocabulary, max_context: whole numbers
//   format: bf16 | fp16 | fp32
//   gated_mlp: true, tied_embeddings: false, qkv_bias: false, qk_norm: false    # optional, these defaults
//   weights: fp8                                  # optional, `format`; of the layers' GEMM weights
// Errors: InputError at the key.
ModelSpec read_model_spec(const ConfigValue& model);

// What `model` of a scenario stands for: a name of the catalogue or a path of such a file
// (configs_dir/models), {huggingface: FILE} with a config.json (huggingface_config.hpp), or the keys of a
// catalogue file in place.
ModelSpec read_model(const ConfigValue& model, const std::string& configs_dir);

}  // namespace silicast
