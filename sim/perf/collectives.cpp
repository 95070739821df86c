// Prices of collectives by algorithm.
#include "sim/perf/collectives.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

void check_group(const GroupLinks& group, Bytes size) {
  SILICAST_CHECK(group.size >= 1, "a group of {}", group.size);
  SILICAST_CHECK(size.value() >= 0, "a message of {} B", size.value());
  if (group.size > 1)
    SILICAST_CHECK(group.all_to_all.value() > 0 && group.ring.value() > 0 && group.latency.value() >= 0,
                   "a group of {} without links", group.size);
}

CollectivePrice priced(CollectiveAlgorithm algorithm, Seconds start, double bytes, BytesPerSecond rate,
                       double efficiency) {
  return {start + Bytes(bytes) / (rate * efficiency), start, algorithm};
}

const CollectivePrice& faster(const CollectivePrice& a, const CollectivePrice& b) {
  return b.time < a.time ? b : a;
}

// The library's two protocols round a ring of `ranks`, for `bytes` that each sends in `phases` rounds.
CollectivePrice around(const Calibration::Collective& reached, int ranks, BytesPerSecond rate, Seconds latency,
                       double bytes, int phases) {
  const double efficiency = reached.bulk_efficiency.value;
  const Seconds hops = (Seconds(reached.per_rank.value) + latency) * ((ranks - 1) * phases);
  // Half of the rate: small messages carry a flag beside every word (NCCL's LL protocol).
  return faster(
      priced(CollectiveAlgorithm::kRing, hops + Seconds(reached.small_start.value), 2 * bytes, rate, efficiency),
      priced(CollectiveAlgorithm::kRing, hops + Seconds(reached.bulk_start.value), bytes, rate, efficiency));
}

// `phases` half all-reduces of S bytes. Over several nodes also level by level: within each node, and between the nodes
// along rails that carry a node's share each.
CollectivePrice of_library(const Calibration::Collective& reached, const GroupLinks& group, double size, int phases) {
  const auto sent = [&](int ranks, double bytes) { return phases * (ranks - 1) * bytes / ranks; };
  const CollectivePrice flat = around(reached, group.size, group.ring, group.latency, sent(group.size, size), phases);
  if (group.per_node == 0) return flat;
  const int inner = group.per_node, nodes = group.size / group.per_node;
  const CollectivePrice within =
      around(reached, inner, group.inner_ring, group.inner_latency, sent(inner, size), phases);
  const CollectivePrice between = around(reached, nodes, group.rail, group.latency, sent(nodes, size / inner), phases);
  return faster(flat, {within.time + between.time, within.start + between.start, CollectiveAlgorithm::kTwoLevel});
}

CollectivePrice half_reduce(const ChipRates& chip, const GroupLinks& group, Bytes size) {
  check_group(group, size);
  if (group.size == 1) return {};
  return of_library(chip.reached.collective, group, size.value(), 1);
}

}  // namespace

std::string_view name_of(CollectiveAlgorithm algorithm) {
  switch (algorithm) {
    case CollectiveAlgorithm::kNone:
      return "none";
    case CollectiveAlgorithm::kOneShot:
      return "one_shot";
    case CollectiveAlgorithm::kTwoShot:
      return "two_shot";
    case CollectiveAlgorithm::kRing:
      return "ring";
    case CollectiveAlgorithm::kDirect:
      return "direct";
    case CollectiveAlgorithm::kTwoLevel:
      return "two_level";
  }
  return "";
}

CollectivePrice price_all_reduce(const ChipRates& chip, const GroupLinks& group, Bytes size) {
  check_group(group, size);
  const int n = group.size;
  if (n == 1) return {};
  const Calibration::Collective& reached = chip.reached.collective;
  const double whole = (n - 1) * size.value();
  const double shared = 2 * whole / n;
  const CollectivePrice library = of_library(reached, group, size.value(), 2);
  if (!group.within_node) return library;
  const Seconds one_phase = Seconds(reached.start.value) + group.latency;
  const Seconds two_phases = one_phase + Seconds(reached.step.value) + group.latency;
  const double efficiency = reached.efficiency.value;
  return faster(library,
                faster(priced(CollectiveAlgorithm::kOneShot, one_phase, whole, group.all_to_all, efficiency),
                       priced(CollectiveAlgorithm::kTwoShot, two_phases, shared, group.all_to_all, efficiency)));
}

CollectivePrice price_all_gather(const ChipRates& chip, const GroupLinks& group, Bytes size) {
  return half_reduce(chip, group, size);
}

CollectivePrice price_reduce_scatter(const ChipRates& chip, const GroupLinks& group, Bytes size) {
  return half_reduce(chip, group, size);
}

CollectivePrice price_all_to_all(const ChipRates& chip, const GroupLinks& group, Bytes sent) {
  check_group(group, sent);
  if (group.size == 1) return {};
  const Calibration::Collective& reached = chip.reached.collective;
  // Between pods the NIC binds, which few streams fill, and a message passes two stages (DeepEP over 2 to 8 nodes: 18
  // to 24 us at 0.93 to 0.96 of the NIC).
  const double start = reached.exchange_start.value * (group.within_pod ? 1 : 2);
  const double efficiency = (group.within_pod ? reached.exchange_efficiency : reached.bulk_efficiency).value;
  return priced(CollectiveAlgorithm::kDirect, Seconds(start) + group.latency, sent.value(), group.all_to_all,
                efficiency);
}

CollectivePrice price_shared_all_to_all(const ChipRates& chip, const GroupLinks& group, Bytes sent, Bytes copy,
                                        double spread) {
  CollectivePrice direct = price_all_to_all(chip, group, sent);
  if (group.within_pod || group.per_node == 0 || spread == 0) return direct;
  const Calibration::Collective& reached = chip.reached.collective;
  const double nodes = static_cast<double>(group.size) / group.per_node;
  const double others = (nodes - 1) * (1 - std::pow(1 - 1 / nodes, spread));
  const Seconds between = copy * others / (group.rail * reached.bulk_efficiency.value);
  const Seconds within = sent / (group.inner_ring * reached.exchange_efficiency.value);
  direct.time = direct.start + std::max(between, within);
  return direct;
}

CollectivePrice price_send(const ChipRates& chip, const GroupLinks& pair, Bytes size) {
  check_group(pair, size);
  SILICAST_CHECK(pair.size == 2, "a send within a group of {}", pair.size);
  const Calibration::Collective& reached = chip.reached.collective;
  return priced(CollectiveAlgorithm::kDirect, Seconds(reached.small_start.value) + pair.latency, size.value(),
                pair.ring, reached.bulk_efficiency.value);
}

}  // namespace silicast
