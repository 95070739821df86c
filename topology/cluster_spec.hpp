// The scale-out fabric between nodes (and pods): which switches the NICs hang on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/base/errors.hpp"
#include "sim/base/evidence.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

enum class FabricKind {
  kSingleSwitch,  // every NIC on one non-blocking switch of as many ports as needed: the ideal
  kClos2,         // leaves of `ports` ports, filled node by node, and spines; every leaf has one link to every spine
};
std::string_view name_of(FabricKind kind);  // "single_switch", "clos2"

struct ClusterFabric {
  std::string name;
  std::string description;
  FabricKind kind = FabricKind::kSingleSwitch;
  Evidence hop_latency;       // s for one switch with its cable; the NICs' own latency is the node's
  std::int32_t ports = 0;     // of a leaf and of a spine; kClos2 only
  Evidence oversubscription;  // capacity of a full leaf's NICs over that of its uplinks, 1 or more; kClos2 only
  Mark mark;                  // where it was read, for messages

  // Ports of a leaf that face NICs; the others face one spine each. The uplinks run at the speed that makes
  // the oversubscription exact in spite of whole ports. Both are at least 1.
  std::int32_t leaf_down_ports() const;
  std::int32_t leaf_up_ports() const { return ports - leaf_down_ports(); }
};

// Schema (EVIDENCE as in read_chip):
//   name, description: text
//   kind: single_switch | clos2
//   hop_latency: EVIDENCE
//   ports: 64, oversubscription: EVIDENCE (a number, 1 to 64)     # clos2 only, both required
ClusterFabric read_cluster_fabric(const ConfigValue& fabric);

}  // namespace silicast
