// Reads node files and checks that groups and hosts divide the chips.
#include "topology/node_spec.hpp"

#include <fmt/format.h>

namespace silicast {
namespace {

constexpr Bounds kLinkBounds{1e6, 1e15};
constexpr Bounds kLatencyBounds{0, 1};

const std::vector<std::string>& wiring_names() {
  static const std::vector<std::string> names{"mesh", "switch", "groups"};
  return names;
}

LinkSpec link_keys(ConfigMap& map) {
  LinkSpec link;
  link.bandwidth = map.required("bandwidth").evidence(Dimension::kByteRate, kLinkBounds);
  link.latency = map.required("latency").evidence(Dimension::kTime, kLatencyBounds);
  return link;
}

LinkSpec read_link(const ConfigValue& value) {
  ConfigMap map = value.map();
  const LinkSpec link = link_keys(map);
  map.done();
  return link;
}

HostLinks read_hosts(const ConfigValue& value, std::int32_t groups) {
  ConfigMap map = value.map();
  HostLinks hosts;
  const ConfigValue per_host = map.required("groups_per_host");
  hosts.groups_per_host = static_cast<std::int32_t>(per_host.integer(1, 1024));
  if (groups % hosts.groups_per_host != 0)
    per_host.fail(fmt::format("{} groups do not fill hosts of {}", groups, hosts.groups_per_host));
  hosts.within = read_link(map.required("within"));
  if (groups > hosts.groups_per_host) {
    hosts.between = read_link(map.required("between"));
    // Chip to host takes half of `within` at each end; what lies between the hosts is the rest.
    if (hosts.between.latency.value < hosts.within.latency.value)
      map.fail("the latency between hosts must be at least the latency within one");
  } else if (const auto between = map.optional("between")) {
    between->fail("the node has one host only");
  }
  map.done();
  return hosts;
}

ScaleUp read_scale_up(const ConfigValue& value, std::int32_t chips) {
  ConfigMap map = value.map();
  ScaleUp scale_up;
  scale_up.wiring = static_cast<Wiring>(map.required("wiring").choice(wiring_names(), "wiring"));
  scale_up.link = link_keys(map);
  if (scale_up.wiring == Wiring::kGroups) {
    const ConfigValue group = map.required("group");
    scale_up.group = static_cast<std::int32_t>(group.integer(1, 1024));
    if (chips % scale_up.group != 0)
      group.fail(fmt::format("{} chips do not fill groups of {}", chips, scale_up.group));
    if (const auto hosts = map.optional("hosts")) scale_up.hosts = read_hosts(*hosts, chips / scale_up.group);
  }
  map.done();
  return scale_up;
}

// Keys that a level must not have say whose they are.
void refuse(ConfigMap& map, const char* key, std::string_view why) {
  if (const auto given = map.optional(key)) given->fail(why);
}

PodLevel read_level(const ConfigValue& value, const PodSpec& pod, const ScaleUp& scale_up, const PodLevel* below,
                    bool last) {
  ConfigMap map = value.map();
  PodLevel level;
  level.name = map.required("name").text();
  const ConfigValue nodes = map.required("nodes");
  level.nodes = static_cast<std::int32_t>(nodes.integer(1, 100000));
  if (const auto switches = map.optional("switches"))
    level.switches = static_cast<std::int32_t>(switches->integer(1, 100000));
  if (below != nullptr && (level.nodes <= below->nodes || level.nodes % below->nodes != 0))
    nodes.fail(fmt::format("a group of {} nodes is not made of whole groups of {}", level.nodes, below->nodes));
  if (last && level.nodes != pod.nodes)
    nodes.fail(fmt::format("the last level joins {} nodes of {}; let it join the whole pod", level.nodes, pod.nodes));
  if (last) {
    refuse(map, "oversubscription", "nothing lies above the last level");
    refuse(map, "latency", "over the last level it is the latency of the pod");
    level.latency = pod.link.latency;
  } else {
    level.oversubscription = map.required("oversubscription").evidence(Dimension::kNumber, Bounds{1, 64});
  }
  if (level.nodes == 1) {
    if (scale_up.wiring != Wiring::kSwitch)
      nodes.fail("a level of one node is the node's own switches; scale_up.wiring must be switch");
    if (pod.link.bandwidth.value > scale_up.link.bandwidth.value)
      nodes.fail(fmt::format("chips reach the pod through the node's own switches, at {} each; pod.bandwidth is more",
                             format_quantity(scale_up.link.bandwidth.value, Dimension::kByteRate)));
    refuse(map, "latency", "within one node it is the latency of scale_up");
    level.latency = scale_up.link.latency;
  } else if (!last) {
    level.latency = map.required("latency").evidence(Dimension::kTime, kLatencyBounds);
  }
  if (below != nullptr && level.latency.value < below->latency.value)
    value.fail(fmt::format("the latency over {} must be at least that over {}", level.name, below->name));
  map.done();
  return level;
}

PodSpec read_pod(const ConfigValue& value, const ScaleUp& scale_up) {
  ConfigMap map = value.map();
  PodSpec pod;
  pod.nodes = static_cast<std::int32_t>(map.required("nodes").integer(2, 100000));
  pod.link = link_keys(map);
  if (const auto levels = map.optional("levels")) {
    const std::vector<ConfigValue> list = levels->list();
    if (list.empty()) levels->fail("needs at least one level; leave it out for one non-blocking switch");
    if (list.size() > kMostPodLevels)
      levels->fail(fmt::format("lists {} levels; a pod has at most {}", list.size(), kMostPodLevels));
    for (std::size_t i = 0; i < list.size(); ++i)
      pod.levels.push_back(
          read_level(list[i], pod, scale_up, i == 0 ? nullptr : &pod.levels.back(), i + 1 == list.size()));
  }
  map.done();
  return pod;
}

}  // namespace

std::string_view name_of(Wiring wiring) {
  return wiring_names()[static_cast<std::size_t>(wiring)];
}

NodeSpec read_node(const ConfigValue& node) {
  ConfigMap map = node.map();
  NodeSpec spec;
  spec.mark = node.mark();
  spec.name = map.required("name").text();
  spec.description = map.required("description").text();
  spec.chip = map.required("chip").text();
  spec.chips = static_cast<std::int32_t>(map.required("chips").integer(1, 1024));
  spec.scale_up = read_scale_up(map.required("scale_up"), spec.chips);
  if (const auto pod = map.optional("pod")) spec.pod = read_pod(*pod, spec.scale_up);
  if (const auto nic = map.optional("nic")) spec.nic = read_link(*nic);
  if (const auto host = map.optional("host_link")) spec.host_link = host->evidence(Dimension::kByteRate, kLinkBounds);
  map.done();
  return spec;
}

}  // namespace silicast
