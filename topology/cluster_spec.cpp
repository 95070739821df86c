// Reads cluster fabrics and divides a leaf's ports.
#include "topology/cluster_spec.hpp"

#include <algorithm>
#include <cmath>

namespace silicast {
namespace {

const std::vector<std::string>& kind_names() {
  static const std::vector<std::string> names{"single_switch", "clos2", "clos3"};
  return names;
}

}  // namespace

std::string_view name_of(FabricKind kind) {
  return kind_names()[static_cast<std::size_t>(kind)];
}

std::int32_t ClusterFabric::leaf_down_ports() const {
  const double over = oversubscription.value;
  const auto down = static_cast<std::int32_t>(std::floor(ports * over / (1 + over)));
  return std::clamp(down, 1, ports - 1);
}

ClusterFabric read_cluster_fabric(const ConfigValue& value) {
  ConfigMap map = value.map();
  ClusterFabric fabric;
  fabric.mark = value.mark();
  fabric.name = map.required("name").text();
  fabric.description = map.required("description").text();
  fabric.kind = static_cast<FabricKind>(map.required("kind").choice(kind_names(), "fabric kind"));
  fabric.hop_latency = map.required("hop_latency").evidence(Dimension::kTime, Bounds{0, 1});
  if (fabric.is_clos()) {
    fabric.ports =
        static_cast<std::int32_t>(map.required("ports").integer(fabric.kind == FabricKind::kClos3 ? 4 : 2, 4096));
    if (const auto rails = map.optional("rails")) fabric.rails = rails->boolean();
    fabric.oversubscription = map.required("oversubscription").evidence(Dimension::kNumber, Bounds{1, 64});
  } else {
    for (const char* key : {"ports", "oversubscription", "rails"})
      if (const auto given = map.optional(key)) given->fail("is of a Clos only; use kind: clos2 or clos3");
  }
  map.done();
  return fabric;
}

}  // namespace silicast
