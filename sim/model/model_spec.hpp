// A dense decoder-only transformer as its publisher describes it (grouped-query attention, gated or plain MLP).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/number_format.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

struct ModelSpec {
  std::string name;            // "llama-3.1-70b"
  std::string architecture;    // Hugging Face class: "LlamaForCausalLM"
  std::int32_t layers = 0;
  std::int32_t hidden = 0;             // model width
  std::int32_t heads = 0;              // query heads
  std::int32_t kv_heads = 0;
  std::int32_t head_size = 0;
  std::int32_t intermediate = 0;       // MLP width
  std::int32_t vocabulary = 0;
  std::int32_t max_context = 0;        // tokens, prompt and output together
  bool gated_mlp = true;               // gate, up and down projections; otherwise up and down
  bool tied_embeddings = false;        // input embedding and LM head share one matrix
  bool qkv_bias = false;
  bool qk_norm = false;
  NumberFormat native_format = NumberFormat::kBf16;  // of the published checkpoint
  std::string source;

  // Parameters, by where they live. Norms and biases count.
  double layer_parameters() const;       // of one layer
  double layer_matrix_parameters() const;  // its GEMM weights alone: what quantisation shrinks
  double embedding_parameters() const;   // input embedding
  double head_parameters() const;        // LM head; 0 when tied
  double parameters() const;             // all
  double kv_numbers_per_token() const;   // K and V of all layers, whole model
};

}  // namespace silicast
