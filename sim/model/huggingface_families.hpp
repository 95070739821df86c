// The layers of each family of models that publishers describe in a config.json.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sim/io/config_reader.hpp"
#include "sim/model/model_spec.hpp"

namespace silicast::huggingface {

struct Family {
  std::string_view architecture;  // Hugging Face class
  // Fills the layers and what depends on the family; the model's widths and context are already there. `config` is the
  // part of the file that describes the language model.
  void (*read_layers)(const ConfigValue& config, std::int32_t layers, ModelSpec& spec);
};

std::span<const Family> grouped_families();  // ordinary attention in all layers (huggingface_grouped.cpp)
std::span<const Family> hybrid_families();   // ordinary and linear attention (huggingface_hybrid.cpp)
std::span<const Family> latent_families();   // DeepSeek and its relatives (huggingface_latent.cpp)

}  // namespace silicast::huggingface
