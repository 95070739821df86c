#include "tests/support/random_transfers.hpp"

#include <fmt/format.h>

#include <cmath>

namespace silicast::testing {
namespace {

Evidence evidence_of(double value) {
  return {value, value, value, Grade::kEstimate, "test"};
}

LinkSpec random_link(RandomStream& draw, double scale) {
  return {evidence_of(1e9 * (0.2 + draw.uniform()) / scale), evidence_of(draw.below(3) == 0 ? 0 : scale * 1e-6)};
}

// Nodes of four chips of one kind, on one switch or a small Clos.
TransferPaths random_paths(RandomStream& draw, std::int32_t places, double scale, std::string& description) {
  const auto per_place = static_cast<std::int32_t>(1 + draw.below(2));
  NodeSpec node;
  node.name = node.chip = "n";
  node.chips = 4;
  node.scale_up.wiring = draw.below(2) == 0 ? Wiring::kMesh : Wiring::kSwitch;
  node.scale_up.link = random_link(draw, scale);
  node.nic = random_link(draw, scale);
  if (draw.below(3) == 0) {
    node.pod.emplace();
    node.pod->nodes = static_cast<std::int32_t>(2 + draw.below(2));
    node.pod->link = random_link(draw, scale);
  }
  ClusterFabric cluster;
  cluster.name = "random";
  cluster.hop_latency = evidence_of(0);
  if (draw.below(2) == 0) {
    cluster.kind = FabricKind::kClos2;
    cluster.ports = 12;
    cluster.oversubscription = evidence_of(1 + static_cast<double>(draw.below(3)));
  }
  const auto nodes = static_cast<std::size_t>((places * per_place + 3) / 4);
  const Fabric fabric = Fabric::build(std::vector<const NodeSpec*>(nodes, &node), cluster);
  std::vector<std::vector<std::int32_t>> groups;
  for (std::int32_t place = 0; place < places; ++place) {
    groups.emplace_back();
    for (std::int32_t i = 0; i < per_place; ++i) groups.back().push_back(place * per_place + i);
  }
  description += fmt::format(", {} chips a rank on {} nodes{}", per_place, nodes, node.pod ? " in pods" : "");
  return TransferPaths(fabric, groups);
}

}  // namespace

void split_roles(RandomScenario& scenario, std::uint64_t seed, int time_scale) {
  RandomStream draw(seed, "random_transfers");
  std::vector<PoolSetup>& pools = scenario.setup.pools;
  if (pools.size() == 1) pools.push_back(pools[0]);
  if (draw.below(4) == 0) pools.push_back(pools[draw.below(2)]);  // serves whole requests
  const std::size_t first = draw.below(2);
  pools[first].role = PoolRole::kPrefill;
  pools[first].limits.hands_on = true;
  pools[1 - first].role = PoolRole::kDecode;
  const KvSize kv{Bytes(std::floor(1 + 1e5 * draw.uniform())),
                  Bytes(draw.below(3) == 0 ? std::floor(1e6 * draw.uniform()) : 0),
                  static_cast<std::int32_t>(1 + draw.below(8))};
  std::int32_t places = 0;
  for (PoolSetup& pool : pools) {
    pool.kv = kv;
    places += pool.replicas * pool.ranks;
  }
  TransferSetup transfers(random_paths(draw, places, time_scale, scenario.description));
  transfers.efficiency = 0.5 + 0.5 * draw.uniform();
  transfers.start = Seconds(draw.below(2) == 0 ? 0 : time_scale * 1e-3 * draw.uniform());
  transfers.by_layers = draw.below(2) == 0;
  transfers.max_local_prefill = draw.below(3) == 0 ? static_cast<std::int32_t>(1 + draw.below(100)) : 0;
  scenario.description +=
      fmt::format(", pools {} prefills{}, KV {:g} B/token, prompts to {} whole", first,
                  transfers.by_layers ? " by layers" : "", kv.per_token.value(), transfers.max_local_prefill);
  scenario.setup.transfers = std::move(transfers);
  // Some caches take many iterations to come.
  if (draw.below(4) == 0)
    for (PoolSetup& pool : pools) pool.kv.per_token = pool.kv.per_token * 30.0;
  for (PoolSetup& pool : pools) {
    const std::uint64_t tier = draw.below(1 + kTiers);
    if (tier == kTiers)
      pool.crowded.reset();
    else
      pool.crowded->tier = static_cast<Tier>(tier);
  }
}

}  // namespace silicast::testing
