// Reads the config.json that a model's publisher ships, so that any dense model of a known architecture runs
// without a file of its own.
#pragma once

#include <string>
#include <vector>

#include "sim/io/config_reader.hpp"
#include "sim/model/model_spec.hpp"

namespace silicast {

// The Hugging Face classes that are modelled exactly.
std::vector<std::string> known_architectures();

// The spec of a parsed config.json; `name` becomes the spec's. Absent keys have the defaults of transformers'
// class. Keys that do not change work or memory are ignored. Errors (InputError): an unknown architecture
// (lists the known ones); a mixture of experts, latent attention, sliding windows, biased output or MLP
// projections or weight formats other than FP8 and INT8 ("not modelled yet"); a missing or senseless shape.
ModelSpec read_huggingface_config(const ConfigValue& config, const std::string& name);

}  // namespace silicast
