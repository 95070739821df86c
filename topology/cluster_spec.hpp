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
  kClos2,         // leaves and spines of `ports` ports; every leaf has one link to every spine
  kClos3,         // blocks of ports / 2 leaves with spines of their own; spine i of every block on the cores of plane i
};
std::string_view name_of(FabricKind kind);  // "single_switch", "clos2", "clos3"

struct ClusterFabric {
  std::string name;
  std::string description;
  FabricKind kind = FabricKind::kSingleSwitch;
  Evidence hop_latency;       // s for one switch with its cable; the NICs' own latency is the node's
  std::int32_t ports = 0;     // of every switch; not of a single switch
  Evidence oversubscription;  // capacity of a full leaf's NICs over that of its uplinks, 1 or more; as above
  bool rails = false;  // chip i of each node on leaf i of its group of nodes; else leaves fill node by node; as above
  Mark mark;           // where it was read, for messages

  bool is_clos() const { return kind != FabricKind::kSingleSwitch; }

  // Ports of a leaf that face NICs; the others face one spine each. The uplinks run at the speed that makes
  // the oversubscription exact in spite of whole ports. Both are at least 1.
  std::int32_t leaf_down_ports() const;
  std::int32_t leaf_up_ports() const { return ports - leaf_down_ports(); }
  // Leaves that one set of spines joins, and how many such blocks there can be.
  std::int32_t block_leaves() const { return kind == FabricKind::kClos3 ? ports / 2 : ports; }
  std::int32_t most_blocks() const { return kind == FabricKind::kClos3 ? ports : 1; }
};

// Schema (EVIDENCE as in read_chip):
//   name, description: text
//   kind: single_switch | clos2 | clos3
//   hop_latency: EVIDENCE
//   ports: 64, oversubscription: EVIDENCE (a number, 1 to 64)     # both required of a Clos, refused else
//   rails: true                                                   # optional, of a Clos
ClusterFabric read_cluster_fabric(const ConfigValue& fabric);

}  // namespace silicast
