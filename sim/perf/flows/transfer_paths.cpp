#include "sim/perf/flows/transfer_paths.hpp"

#include <algorithm>
#include <numeric>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

// Vertices of the fabric that are taken together (union by lowest number, so the outcome does not depend on the order).
class Merged {
 public:
  explicit Merged(std::size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), 0); }
  std::int32_t of(std::int32_t vertex) {
    std::int32_t& parent = parent_[static_cast<std::size_t>(vertex)];
    if (parent != vertex) parent = of(parent);
    return parent;
  }
  void join(const std::vector<std::int32_t>& vertices) {
    for (const std::int32_t vertex : vertices) {
      const std::int32_t a = of(vertices.front()), b = of(vertex);
      parent_[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
    }
  }

 private:
  std::vector<std::int32_t> parent_;
};

// What the vertices, all chips or all switches of one level, reach one level higher in a tier; empty at its top.
std::vector<std::int32_t> above(const FabricGraph& graph, const std::vector<std::int32_t>& vertices, Tier tier) {
  std::vector<std::int32_t> found;
  const auto reach = [&](std::int32_t link) {
    const std::int32_t to = graph.links[static_cast<std::size_t>(link)].to;
    const FabricVertex& other = graph.vertices[static_cast<std::size_t>(to)];
    // Routes of a pod may begin at the switches of its nodes, those of a node end there.
    if (other.tier == tier || (tier == Tier::kPod && other.tier == Tier::kNode)) found.push_back(to);
  };
  for (const std::int32_t vertex : vertices) {
    const auto i = static_cast<std::size_t>(vertex);
    if (graph.vertices[i].kind == VertexKind::kChip) {
      const std::int32_t first = graph.up[static_cast<std::size_t>(tier)][i];
      if (first >= 0) reach(first);
    } else {
      for (std::int32_t link = graph.first_up[i]; link < graph.first_out[i + 1]; ++link) reach(link);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

// Of all chips, -1 where they differ.
template <class Of>
std::int32_t common(const std::vector<std::int32_t>& chips, Of of) {
  for (const std::int32_t chip : chips)
    if (of(chip) != of(chips.front())) return -1;
  return of(chips.front());
}

}  // namespace

TransferPaths::TransferPaths(const Fabric& fabric, const std::vector<std::vector<std::int32_t>>& groups) {
  Merged merged(fabric.vertices().size());
  ends_.resize(groups.size());
  std::vector<char> taken(static_cast<std::size_t>(fabric.chips()));
  for (std::size_t g = 0; g < groups.size(); ++g) {
    SILICAST_CHECK(!groups[g].empty());
    for (const std::int32_t chip : groups[g])
      SILICAST_CHECK(!std::exchange(taken[static_cast<std::size_t>(chip)], 1), "chip {} is in two groups", chip);
    merged.join(groups[g]);
    ends_[g].node = common(groups[g], [&](std::int32_t chip) { return fabric.node_of(chip); });
    ends_[g].pod = common(groups[g], [&](std::int32_t chip) { return fabric.pod_of(chip); });
    for (std::size_t tier = 0; tier < kTiers; ++tier)
      for (std::vector<std::int32_t> level = groups[g]; !level.empty();
           level = above(fabric.graph(), level, static_cast<Tier>(tier))) {
        merged.join(level);
        ends_[g].levels[tier].push_back({level.front()});
      }
  }
  for (const FabricLink& link : fabric.links()) {
    const std::int32_t from = merged.of(link.from), to = merged.of(link.to);
    if (from == to) continue;
    const auto [place, added] = link_of_.try_emplace({from, to}, static_cast<std::int32_t>(capacities_.size()));
    const auto i = static_cast<std::size_t>(place->second);
    if (added) {
      capacities_.push_back(link.capacity);
      latencies_.push_back(link.latency);
    } else {
      capacities_[i] += link.capacity;
      latencies_[i] = std::max(latencies_[i], link.latency);
    }
  }
  for (End& end : ends_)
    for (std::vector<Level>& levels : end.levels)
      for (std::size_t i = 0; i < levels.size(); ++i) {
        levels[i].vertex = merged.of(levels[i].vertex);
        if (i == 0) continue;
        levels[i].up = link(levels[i - 1].vertex, levels[i].vertex);
        levels[i].down = link(levels[i].vertex, levels[i - 1].vertex);
        SILICAST_CHECK(levels[i].up >= 0 && levels[i].down >= 0, "a way up without a way down");
      }
}

std::int32_t TransferPaths::link(std::int32_t from, std::int32_t to) const {
  const auto found = link_of_.find({from, to});
  return found == link_of_.end() ? -1 : found->second;
}

// Up the first, over a link that leads from there to the top of the second where the two are not one, and down it.
void TransferPaths::over(std::span<const Level> up, std::int32_t across, std::span<const Level> down) {
  for (const Level& level : up.subspan(1)) path_.push_back(level.up);
  if (across >= 0) path_.push_back(across);
  for (std::size_t i = down.size(); i-- > 1;) path_.push_back(down[i].down);
}

bool TransferPaths::connect(const End& from, const End& to, Tier tier) {
  const std::span<const Level> up = from.levels[static_cast<std::size_t>(tier)],
                               down = to.levels[static_cast<std::size_t>(tier)];
  // A direct link; else the lowest that stands above both; else a link between two that stand above one each.
  const std::int32_t direct = tier == Tier::kNode ? link(up[0].vertex, down[0].vertex) : -1;
  if (direct >= 0) {
    over(up.first(1), direct, down.first(1));
    return true;
  }
  for (std::size_t i = 1; i < up.size(); ++i)
    for (std::size_t j = 1; j < down.size(); ++j)
      if (up[i].vertex == down[j].vertex) {
        over(up.first(i + 1), -1, down.first(j + 1));
        return true;
      }
  for (std::size_t i = 1; i < up.size(); ++i)
    for (std::size_t j = 1; j < down.size(); ++j)
      if (const std::int32_t across = link(up[i].vertex, down[j].vertex); across >= 0) {
        over(up.first(i + 1), across, down.first(j + 1));
        return true;
      }
  return false;
}

std::span<const std::int32_t> TransferPaths::links(std::int32_t from, std::int32_t to) {
  path_.clear();
  if (from == to) return path_;
  const End &a = ends_[static_cast<std::size_t>(from)], &b = ends_[static_cast<std::size_t>(to)];
  bool found = a.node >= 0 && a.node == b.node && connect(a, b, Tier::kNode);
  found = found || (a.pod >= 0 && a.pod == b.pod && connect(a, b, Tier::kPod));
  found = found || connect(a, b, Tier::kScaleOut);
  SILICAST_CHECK(found, "no way from group {} to group {}", from, to);
  return path_;
}

TransferPaths::Exits TransferPaths::exits(std::int32_t group, Tier tier) const {
  const std::vector<Level>& levels = ends_[static_cast<std::size_t>(group)].levels[static_cast<std::size_t>(tier)];
  return levels.size() > 1 ? Exits{levels[1].up, levels[1].down} : Exits{};
}

Seconds TransferPaths::latency(std::span<const std::int32_t> links) const {
  Seconds sum;
  for (const std::int32_t link : links) sum += latencies_[static_cast<std::size_t>(link)];
  return sum;
}

}  // namespace silicast
