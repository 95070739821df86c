// Reads the config.json that a model's publisher ships, so that any model of a known architecture runs without a
// file of its own.
#pragma once

#include <string>
#include <vector>

#include "sim/io/config_reader.hpp"
#include "sim/model/model_spec.hpp"

namespace silicast {

// The Hugging Face classes that are modelled exactly (of those that also see images, the language model).
std::vector<std::string> known_architectures();

// The spec of a parsed config.json; `name` becomes the spec's. The language model of a nested file is its text_config.
// Absent keys have the defaults of transformers' class, but widths and counts must be there. Keys that do not change
// work or memory are ignored. Errors (InputError): an unknown architecture (lists the known ones); what is "not
// modelled yet" (biased MLP projections, weights partly quantised, ...); a missing or senseless shape.
ModelSpec read_huggingface_config(const ConfigValue& config, const std::string& name);

}  // namespace silicast
