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

PodSpec read_pod(const ConfigValue& value) {
  ConfigMap map = value.map();
  PodSpec pod;
  pod.nodes = static_cast<std::int32_t>(map.required("nodes").integer(2, 100000));
  pod.link = link_keys(map);
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
  if (const auto pod = map.optional("pod")) spec.pod = read_pod(*pod);
  if (const auto nic = map.optional("nic")) spec.nic = read_link(*nic);
  if (const auto host = map.optional("host_link")) spec.host_link = host->evidence(Dimension::kByteRate, kLinkBounds);
  map.done();
  return spec;
}

}  // namespace silicast
