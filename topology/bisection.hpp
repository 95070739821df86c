// What one half of a cluster, or of a pod, can send the other at once.
#pragma once

#include <cstdint>

#include "topology/fabric.hpp"

namespace silicast {

struct Bisection {
  // Nodes first_node .. middle_node - 1 against middle_node .. end_node - 1; of a single node its chips.
  std::int32_t first_node = 0, middle_node = 0, end_node = 0;
  std::int32_t chips = 0;  // of the smaller half; 0: a single chip has no halves
  BytesPerSecond rate;     // one way, by max-flow: a bound on every algorithm, whatever its routes
};

// The first half of the nodes, in their order, against the rest.
Bisection bisect_cluster(const Fabric& fabric);

// The same of one pod, without its NICs.
Bisection bisect_pod(const Fabric& fabric, std::int32_t pod);

}  // namespace silicast
