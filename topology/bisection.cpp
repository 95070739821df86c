#include "topology/bisection.hpp"

#include <algorithm>

namespace silicast {
namespace {

// The chips of these nodes in two halves; `marks` has every other vertex as it is to be.
Bisection bisect(const Fabric& fabric, std::int32_t first_node, std::int32_t end_node, std::vector<std::int8_t> marks) {
  const std::int32_t first = fabric.first_chip(first_node), end = fabric.first_chip(end_node);
  const std::int32_t middle_node = first_node + (end_node - first_node) / 2;
  const std::int32_t middle = end_node - first_node > 1 ? fabric.first_chip(middle_node) : first + (end - first) / 2;
  for (std::int32_t chip = first; chip < end; ++chip) marks[static_cast<std::size_t>(chip)] = chip < middle ? 1 : 2;
  return {first_node, middle_node, end_node, std::min(middle - first, end - middle), max_flow(fabric.graph(), marks)};
}

}  // namespace

Bisection bisect_cluster(const Fabric& fabric) {
  return bisect(fabric, 0, fabric.nodes(), std::vector<std::int8_t>(fabric.vertices().size(), 0));
}

Bisection bisect_pod(const Fabric& fabric, std::int32_t pod) {
  std::vector<std::int8_t> marks;
  for (const FabricVertex& vertex : fabric.vertices())
    marks.push_back(vertex.kind == VertexKind::kChip || vertex.tier == Tier::kScaleOut ? -1 : 0);
  const auto pod_of = [&](std::int32_t node) { return fabric.pod_of(fabric.first_chip(node)); };
  std::int32_t first = 0;
  while (pod_of(first) != pod) ++first;
  std::int32_t end = first + 1;
  while (end < fabric.nodes() && pod_of(end) == pod) ++end;
  return bisect(fabric, first, end, std::move(marks));
}

}  // namespace silicast
