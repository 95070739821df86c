// The number formats of a checkpoint's weights, from the quantization_config of its config.json.
#pragma once

#include "sim/io/config_reader.hpp"
#include "sim/model/model_spec.hpp"

namespace silicast::huggingface {

// Sets weight_format and expert_format of a spec whose layers and native format are known. Errors (InputError): a
// method or width that is not modelled, or weights of which some layers' are quantised and others not, the routed
// experts aside.
void read_quantisation(const ConfigValue& quantisation, ModelSpec& spec);

}  // namespace silicast::huggingface
