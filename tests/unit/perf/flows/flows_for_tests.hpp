// Random transfers over small networks, and the slow way to share links: progressive filling of everything from scratch,
// in plain doubles, by the book (Bertsekas & Gallager, Data Networks, 6.5.2).
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/perf/flows/flow_network.hpp"

namespace silicast::testing {

constexpr double kUncapped = std::numeric_limits<double>::infinity();

struct TestFlow {
  std::vector<std::int32_t> links;
  double cap = kUncapped;  // bytes/s
};

// Rates in bytes/s by flow; those without links are at their cap.
inline std::vector<double> filled_from_scratch(const std::vector<double>& capacities,
                                               const std::vector<TestFlow>& flows) {
  std::vector<double> rates(flows.size(), -1), free = capacities;
  for (std::size_t left = flows.size(); left > 0;) {
    std::vector<int> open(capacities.size(), 0);
    for (std::size_t f = 0; f < flows.size(); ++f)
      if (rates[f] < 0)
        for (const std::int32_t link : flows[f].links) ++open[static_cast<std::size_t>(link)];
    double level = kUncapped;
    for (std::size_t l = 0; l < capacities.size(); ++l)
      if (open[l] > 0) level = std::min(level, free[l] / open[l]);
    for (std::size_t f = 0; f < flows.size(); ++f)
      if (rates[f] < 0) level = std::min(level, flows[f].cap);
    const std::vector<double> before = free;
    for (std::size_t f = 0; f < flows.size(); ++f) {
      if (rates[f] >= 0) continue;
      bool stops = flows[f].cap <= level || flows[f].links.empty();
      for (const std::int32_t link : flows[f].links) {
        const auto l = static_cast<std::size_t>(link);
        stops = stops || before[l] / open[l] <= level * (1 + 1e-12);
      }
      if (!stops) continue;
      rates[f] = flows[f].links.empty() ? flows[f].cap : level;
      for (const std::int32_t link : flows[f].links) free[static_cast<std::size_t>(link)] -= level;
      --left;
    }
  }
  return rates;
}

// A network with few links for its flows, so that they meet: capacities in a range of `spread`, many of them alike.
inline std::vector<double> random_capacities(RandomStream& draw, std::size_t links, double spread) {
  std::vector<double> capacities;
  for (std::size_t i = 0; i < links; ++i)
    capacities.push_back(draw.below(2) == 0 ? 1e9 * static_cast<double>(1 + draw.below(3))
                                            : 1e9 * std::pow(spread, draw.uniform()));
  return capacities;
}

inline TestFlow random_flow(RandomStream& draw, std::size_t links, std::size_t longest) {
  TestFlow flow;
  const std::size_t hops = draw.below(12) == 0 ? 0 : 1 + draw.below(std::min(longest, links));
  while (flow.links.size() < hops) {
    const auto link = static_cast<std::int32_t>(draw.below(links));
    if (std::find(flow.links.begin(), flow.links.end(), link) == flow.links.end()) flow.links.push_back(link);
  }
  if (draw.below(3) == 0) flow.cap = 1e8 * static_cast<double>(1 + draw.below(20));
  return flow;
}

inline FlowNetwork network_of(const std::vector<double>& capacities) {
  std::vector<BytesPerSecond> links;
  for (const double capacity : capacities) links.emplace_back(capacity);
  return FlowNetwork(links);
}

}  // namespace silicast::testing
