// What one half of a cluster, or of a pod, can send the other at once.
#pragma once

#include <cstdint>

#include "topology/fabric.hpp"

namespace silicast {

struct Bisection {
  std::int32_t chips = 0;  // of the smaller half
  BytesPerSecond rate;     // one way, by max-flow: a bound on every algorithm, whatever its routes
};

// The first half of the nodes, in their order, against the rest; of a single node its chips. At least two chips.
Bisection bisect_cluster(const Fabric& fabric);

// The same of one pod, without its NICs.
Bisection bisect_pod(const Fabric& fabric, std::int32_t pod);

}  // namespace silicast
