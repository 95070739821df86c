// Small nodes and fabrics with round numbers, for tests whose expectations are worked out by hand.
#pragma once

#include <catch2/catch.hpp>
#include <string>

#include "topology/cluster_spec.hpp"
#include "topology/node_spec.hpp"

namespace silicast {

inline Evidence evidence_of(double value) {
  return {value, value, value, Grade::kEstimate, "test"};
}
inline LinkSpec link_of(double bandwidth, double latency) {
  return {evidence_of(bandwidth), evidence_of(latency)};
}

inline NodeSpec node_of(Wiring wiring, int chips, double bandwidth, double latency, const std::string& name = "n") {
  NodeSpec node;
  node.name = name;
  node.chip = name;
  node.chips = chips;
  node.scale_up.wiring = wiring;
  node.scale_up.link = link_of(bandwidth, latency);
  node.mark = Mark{name + ".yaml", 1, 1};
  return node;
}

inline PodSpec pod_of(std::int32_t nodes, const LinkSpec& link) {
  PodSpec pod;
  pod.nodes = nodes;
  pod.link = link;
  return pod;
}

inline PodLevel level_of(std::int32_t nodes, double latency, double oversubscription = 1) {
  PodLevel level;
  level.name = "level";
  level.nodes = nodes;
  level.oversubscription = evidence_of(oversubscription);
  level.latency = evidence_of(latency);
  return level;
}

inline ClusterFabric single_switch(double hop) {
  ClusterFabric cluster;
  cluster.name = std::string("switch");
  cluster.hop_latency = evidence_of(hop);
  cluster.mark = {"s.yaml", 1, 1};
  return cluster;
}

inline ClusterFabric clos(int ports, double oversubscription, double hop) {
  ClusterFabric cluster = single_switch(hop);
  cluster.kind = FabricKind::kClos2;
  cluster.ports = ports;
  cluster.oversubscription = evidence_of(oversubscription);
  return cluster;
}

// What the call throws, "" when it does not.
template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace silicast
