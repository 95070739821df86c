// Number formats as flags say them: the checkpoint's own, quantised while it loads, or another float type.
#pragma once

#include <optional>
#include <string>

#include "sim/io/config_node.hpp"
#include "sim/model/parallel_plan.hpp"

namespace silicast {

struct LaunchFormats {
  // "": as the checkpoint has them; "fp8", "int8": weights and activations; "int4": weights; "checkpoint": others,
  // which only the checkpoint says.
  std::string quantisation;
  std::string dtype;  // "": the model's; "bf16", "fp16"
  std::string kv;     // "": the type above; "fp8"
};

// `precision` of a pool; nullopt: as published, which needs no key. "checkpoint" says nothing more.
std::optional<ConfigNode> precision_node(const LaunchFormats& formats, const ModelSpec& model);

// What flags can say of a precision. `whole`: all of it; otherwise the checkpoint must hold the rest.
struct SaidFormats {
  LaunchFormats formats;
  bool whole = true;
};
SaidFormats say_formats(const Precision& precision, const ModelSpec& model);

// All of a precision as a pool's key: {weights: fp8, activations: fp8, kv: bf16}.
ConfigNode precision_node(const Precision& precision, const ModelSpec& model);
std::string describe(const Precision& precision, const ModelSpec& model);

}  // namespace silicast
