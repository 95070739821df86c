#include "topology/fabric_draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/base/errors.hpp"

namespace silicast {
namespace {

std::size_t at(std::int32_t i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

std::vector<std::int32_t> pods_of(const std::vector<const NodeSpec*>& nodes) {
  std::vector<std::int32_t> pods;
  std::int32_t in_pod = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const NodeSpec& node = *nodes[i];
    const bool joins = i > 0 && node.pod && nodes[i - 1]->name == node.name && in_pod < node.pod->nodes;
    if (!joins) in_pod = 0;
    ++in_pod;
    pods.push_back(i == 0 ? 0 : pods.back() + (joins ? 0 : 1));
  }
  return pods;
}

FabricDraft::FabricDraft(const std::vector<const NodeSpec*>& nodes, const ClusterFabric& cluster)
    : nodes_(nodes), cluster_(cluster) {
  if (nodes.empty()) throw InputError(cluster.mark, "", "a fabric needs at least one node");
  graph_.first_chip.push_back(0);
  const std::vector<std::int32_t> pods = pods_of(nodes);
  pods_ = pods.back() + 1;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const NodeSpec& node = *nodes[i];
    SILICAST_CHECK(node.chips > 0, "node '{}' has {} chips", node.name, node.chips);
    for (std::int32_t c = 0; c < node.chips; ++c) {
      add_vertex(VertexKind::kChip, Tier::kNode);
      graph_.node_of_chip.push_back(static_cast<std::int32_t>(i));
      graph_.pod_of_chip.push_back(pods[i]);
    }
    graph_.first_chip.push_back(graph_.first_chip.back() + node.chips);
  }
  for (std::vector<Vertex>& up : up_) up.assign(graph_.node_of_chip.size(), -1);
}

void FabricDraft::set_up(Tier tier, Vertex chip, Vertex parent) {
  up_[static_cast<std::size_t>(tier)][at(chip)] = parent;
}

FabricDraft::Vertex FabricDraft::up_of(Tier tier, Vertex chip) const {
  return up_[static_cast<std::size_t>(tier)][at(chip)];
}

std::int32_t FabricDraft::pod_of_node(std::size_t node) const {
  return graph_.pod_of_chip[at(graph_.first_chip[node])];
}

FabricDraft::Vertex FabricDraft::add_vertex(VertexKind kind, Tier tier, std::int32_t switches) {
  graph_.vertices.push_back({kind, tier, switches});
  return static_cast<Vertex>(graph_.vertices.size()) - 1;
}

std::int32_t FabricDraft::source(std::string_view key, const Evidence& capacity, const Mark& mark) {
  const auto [found, fresh] =
      source_of_.emplace(std::pair(&capacity, key), static_cast<std::int32_t>(graph_.sources.size()));
  if (fresh) graph_.sources.push_back({std::string(key), capacity.grade, capacity.source, mark});
  return found->second;
}

void FabricDraft::add_link(Vertex from, Vertex to, double capacity, double latency, std::int32_t source) {
  const LinkSource& of = graph_.sources[at(source)];
  if (!(capacity > 0) || !std::isfinite(capacity))
    throw InputError(of.mark, fmt::format("{}.bandwidth", of.key),
                     fmt::format("a link needs a positive bandwidth, not {:g} B/s", capacity));
  if (!(latency >= 0) || !std::isfinite(latency))
    throw InputError(of.mark, fmt::format("{}.latency", of.key),
                     fmt::format("a link needs a latency of zero or more, not {:g} s", latency));
  graph_.links.push_back({from, to, BytesPerSecond(capacity), Seconds(latency), source});
}

void FabricDraft::join(Vertex a, Vertex b, double capacity, double latency, std::int32_t source) {
  join(a, b, capacity, latency, latency, source);
}

void FabricDraft::join(Vertex a, Vertex b, double capacity, double latency, double latency_back, std::int32_t source) {
  add_link(a, b, capacity, latency, source);
  add_link(b, a, capacity, latency_back, source);
}

FabricGraph FabricDraft::freeze() {
  const std::size_t count = graph_.vertices.size();
  std::vector<FabricLink>& links = graph_.links;
  std::sort(links.begin(), links.end(),
            [](const FabricLink& a, const FabricLink& b) { return std::pair(a.from, a.to) < std::pair(b.from, b.to); });
  graph_.first_out.assign(count + 1, 0);
  for (const FabricLink& link : links) ++graph_.first_out[at(link.from) + 1];
  for (std::size_t v = 0; v < count; ++v) graph_.first_out[v + 1] += graph_.first_out[v];
  // Hosts of a node are beside each other, not above.
  const auto host = [&](std::size_t v) { return graph_.vertices[v].kind == VertexKind::kHost; };
  graph_.first_up.assign(count, 0);
  for (std::size_t v = 0; v < count; ++v) {
    std::int32_t& up = graph_.first_up[v];
    for (up = graph_.first_out[v]; up < graph_.first_out[v + 1]; ++up)
      if (links[at(up)].to > static_cast<std::int32_t>(v) && !(host(v) && host(at(links[at(up)].to)))) break;
  }
  for (const FabricLink& link : links) graph_.reverse.push_back(graph_.link_between(link.to, link.from));
  for (std::size_t tier = 0; tier < kTiers; ++tier) {
    for (Vertex chip = 0; chip < graph_.first_chip.back(); ++chip) {
      const Vertex parent = up_[tier][at(chip)];
      graph_.up[tier].push_back(parent < 0 ? -1 : graph_.link_between(chip, parent));
    }
  }
  return std::move(graph_);
}

}  // namespace silicast
