// A node is a server: its chips, the scale-up wiring between them, the pod it may be part of, and its NICs.
// All bandwidths are one way and per chip.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/errors.hpp"
#include "sim/base/evidence.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

// Bandwidth in B/s, one way; latency in s, one way, from chip to chip (half of it on each chip's side).
struct LinkSpec {
  Evidence bandwidth;
  Evidence latency;
};

enum class Wiring {
  kMesh,    // a link between every two chips; a chip's bandwidth is divided evenly among them
  kSwitch,  // every chip on one non-blocking switch
  kGroups,  // meshes of `group` chips; beyond a group through the hosts (PCIe)
};
std::string_view name_of(Wiring wiring);  // "mesh", "switch", "groups"

// How groups of one node reach each other: every chip hangs on its host, hosts are joined in a mesh.
struct HostLinks {
  std::int32_t groups_per_host = 1;
  LinkSpec within;   // a chip and another group of the same host
  LinkSpec between;  // per chip, when all chips of a host talk to those of another; unused with one host
};

struct ScaleUp {
  Wiring wiring = Wiring::kSwitch;
  LinkSpec link;                   // bandwidth: all links of a chip together
  std::int32_t group = 0;          // chips of a group; kGroups only
  std::optional<HostLinks> hosts;  // kGroups only; without it the groups are islands
};

// One level of switches within a pod. Traffic is striped over all switches that stand side by side (UB loses under 3 %
// from one level to two), so that they act as one of their joint capacity.
struct PodLevel {
  std::string name;           // e.g. "L1"
  std::int32_t nodes = 1;     // that one group of such switches joins; 1: the node's own, whose ports serve both
  std::int32_t switches = 1;  // side by side in a group: planes times switches of a plane
  Evidence oversubscription;  // what the chips below can send over what goes on up, 1 or more; not of the last level
  Evidence latency;           // s, one way, between chips that meet here; not of the last level, nor of a node's own
};

inline constexpr std::size_t kMostPodLevels = 8;

// A scale-up domain of several nodes (CloudMatrix 384: 48 nodes): one non-blocking switch, or the levels of a Clos.
struct PodSpec {
  std::int32_t nodes = 1;
  LinkSpec link;                 // a chip and one of another node of the pod: its own ports, and the way over the top
  std::vector<PodLevel> levels;  // from the chips up, kMostPodLevels at most; the last joins all nodes
};

struct NodeSpec {
  std::string name;  // the stem of its file, e.g. "atlas-800-a3"
  std::string description;
  std::string chip;        // stem of the chip's file, or a path as the user wrote it
  std::int32_t chips = 0;  // packages, not dies
  ScaleUp scale_up;
  std::optional<PodSpec> pod;
  std::optional<LinkSpec> nic;        // scale-out, per chip; latency: both ends, switches left out
  std::optional<Evidence> host_link;  // B/s, one way, chip to host memory
  Mark mark;                          // where it was read, for messages
};

// Schema (EVIDENCE as in read_chip; LINK is {bandwidth: EVIDENCE, latency: EVIDENCE}):
//   name, description, chip: text
//   chips: 8
//   scale_up: {wiring: mesh | switch | groups, bandwidth: EVIDENCE, latency: EVIDENCE}
//     with groups also: group: 4, and optionally hosts: {groups_per_host: 2, within: LINK, between: LINK}
//   pod: {nodes: 48, bandwidth: EVIDENCE, latency: EVIDENCE}    # optional
//     and optionally levels: [{name: L1, nodes: 8, switches: 7, oversubscription: EVIDENCE, latency: EVIDENCE}, ...,
//     {name: L2, nodes: 48}]; switches: 1 by default; a first level of one node has no latency of its own
//   nic: LINK                                                   # optional
//   host_link: EVIDENCE                                         # optional
// Errors (InputError): groups must divide the chips, hosts the groups; `between` is required with several hosts and
// refused with one; 1 to 8 levels, which grow by whole groups up to the pod, slower with each; a level of one node
// needs a switch.
NodeSpec read_node(const ConfigValue& node);

}  // namespace silicast
