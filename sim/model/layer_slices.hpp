// Which layers of a model are of which kind, written as Python's slices.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/io/config_reader.hpp"

namespace silicast {

// The layers that `slices` names: "0:3", "1:36:2", "::2", "5", or several of them with commas between. In the order of
// the text. Errors (InputError): no such text, a slice that is empty or reaches beyond the `count` layers, a layer
// twice.
std::vector<std::int32_t> read_layer_slices(const ConfigValue& slices, std::int32_t count);

// Of each of `count` layers the position of its kind in `kinds`, a mapping from names to mappings with an optional key
// `layers`. One kind may leave it out and has the rest. Errors (InputError): a layer of two kinds or of none.
std::vector<std::int32_t> share_layers(const ConfigValue& kinds, std::int32_t count);

}  // namespace silicast
