// How many of the nodes should prefill, and how many decode.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/study/capacity/capacity.hpp"

namespace silicast {

struct RatioAnswer {
  std::int64_t prefill_nodes = 0, decode_nodes = 0;
  std::optional<CapacityAnswer> capacity;
  std::string refused;  // why there is none: such pools cannot be built
};

// The capacity with the nodes of the pool that prefills and of the one that decodes shared out in other ways, as many
// in all: every way, or of over 16 nodes 15 of them, evenly. Errors (InputError): not one pool of each role, replicas
// or chips that such a pool counts by itself, no ratio that can be built; of find_capacity.
std::vector<RatioAnswer> capacity_by_ratio(const CapacityQuestion& question);

std::string ratios_text(const std::vector<RatioAnswer>& answers);
std::string ratios_json(const std::vector<RatioAnswer>& answers);

}  // namespace silicast
