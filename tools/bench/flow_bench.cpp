// silicast-flow-bench: flow events per second (an event is a start or an end, each settled on its own) with 10,000
// flows in flight on a pod of 8,192 chips, 50 GB/s up and down each, behind one non-blocking core link. Patterns:
//   pairs    4,096 pairs of chips; each flow takes a random one
//   groups   313 groups of 13 prefill and 13 decode chips with 32 flows each, between random chips of the group
//   random   any chip to any other: one giant component
//   tiers    random over 128 leaves of 64 chips, whose ways up and down carry half of what their chips could
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/perf/flows/flow_network.hpp"

namespace {

using namespace silicast;

constexpr std::int32_t kChips = 8192, kGroup = 26, kLeaf = 64;
constexpr std::int64_t kInFlight = 10'000;
constexpr double kChipRate = 50e9;  // bytes/s

struct Path {
  std::array<std::int32_t, 4> links;
  std::size_t hops = 0;
};

class Traffic {
 public:
  explicit Traffic(std::string pattern) : pattern_(std::move(pattern)), draw_(1, "flow-bench") {}

  // Up links, down links, the core; ways of the leaves up and down.
  static std::vector<BytesPerSecond> capacities() {
    std::vector<BytesPerSecond> links(2 * kChips, BytesPerSecond(kChipRate));
    links.emplace_back(kChipRate * kChips);
    links.insert(links.end(), 2 * kChips / kLeaf, BytesPerSecond(kChipRate * kLeaf / 2));
    return links;
  }

  // `slot` is one of the flows kept in flight.
  Path path(std::int64_t slot) {
    std::int32_t from = below(kChips), to = below(kChips);
    if (pattern_ == "pairs") {
      from = 2 * below(kChips / 2);
      to = from + 1;
    } else if (pattern_ == "groups") {
      const auto first = static_cast<std::int32_t>(slot / 32) * kGroup;
      from = first + below(kGroup / 2);
      to = first + kGroup / 2 + below(kGroup / 2);
    }
    while (to == from) to = below(kChips);
    const std::int32_t core = 2 * kChips, leaves = core + 1;
    if (pattern_ != "tiers") return {{from, core, kChips + to}, 3};
    if (from / kLeaf == to / kLeaf) return {{from, kChips + to}, 2};
    return {{from, leaves + from / kLeaf, leaves + kChips / kLeaf + to / kLeaf, kChips + to}, 4};
  }
  std::int64_t bytes() { return 1 + static_cast<std::int64_t>(1e9 * draw_.exponential()); }

 private:
  std::int32_t below(std::int32_t bound) {
    return static_cast<std::int32_t>(draw_.below(static_cast<std::uint64_t>(bound)));
  }
  std::string pattern_;
  RandomStream draw_;
};

struct Measured {
  double events_per_second = 0;
  double rated_per_event = 0;
  std::int64_t last_end = 0;  // ns: the same on every machine
};

// Each flow that ends is replaced one nanosecond later.
Measured measure(const std::string& pattern, std::int64_t events) {
  Traffic traffic(pattern);
  FlowNetwork network(Traffic::capacities());
  const auto start = [&](std::int64_t slot, SimTime now) {
    const Path path = traffic.path(slot);
    network.start({path.links.data(), path.hops}, traffic.bytes(), now, {FlowOptions{}.cap, slot});
    network.next_end();
  };
  for (std::int64_t slot = 0; slot < kInFlight; ++slot) start(slot, {0});
  std::vector<std::int64_t> ended;
  std::int64_t left = 0;
  std::uint64_t rated = 0;
  std::clock_t begin = 0;
  for (const std::int64_t count : {events / 4, events}) {  // the first to get into the steady state
    begin = std::clock();
    rated = network.rated();
    for (left = count; left > 0;) {
      const SimTime now = network.next_end();
      ended.clear();
      for (const FlowEnd& end : network.advance(now)) ended.push_back(end.tag);
      network.next_end();
      for (const std::int64_t slot : ended) start(slot, {now.ns + 1});
      left -= 2 * static_cast<std::int64_t>(ended.size());
    }
  }
  // Processor time: what others do on this machine is no matter of ours.
  const double elapsed = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  const auto done = static_cast<double>(events - left);
  return {done / elapsed, static_cast<double>(network.rated() - rated) / done, network.now().ns};
}

}  // namespace

// silicast-flow-bench [EVENTS [PATTERN]]
int main(int argc, char** argv) {
  try {
    const std::int64_t events = argc > 1 ? std::atoll(argv[1]) : 200'000;
    for (const std::string pattern : {"pairs", "groups", "random", "tiers"}) {
      if (argc > 2 && pattern != argv[2]) continue;
      std::array<Measured, 5> runs;
      for (Measured& run : runs) run = measure(pattern, events);
      std::sort(runs.begin(), runs.end(),
                [](const Measured& a, const Measured& b) { return a.events_per_second < b.events_per_second; });
      std::cout << fmt::format(
          "{:<8}{:>10.0f} events/s (median of 5, {:.0f} to {:.0f}), {:.1f} flows rated per event, "
          "last end {} ns\n",
          pattern, runs[2].events_per_second, runs[0].events_per_second, runs[4].events_per_second,
          runs[2].rated_per_event, runs[2].last_end);
    }
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
