// What it takes a group of chips to combine or exchange buffers over the links it has: the fastest of the
// algorithms that collective libraries use.
#pragma once

#include <string_view>

#include "sim/base/units.hpp"
#include "sim/perf/chip_rates.hpp"
#include "topology/fabric.hpp"

namespace silicast {

enum class CollectiveAlgorithm { kNone, kOneShot, kTwoShot, kRing, kDirect };
std::string_view name_of(CollectiveAlgorithm algorithm);  // "none", "one_shot", "two_shot", "ring", "direct"

struct CollectivePrice {
  Seconds time;
  Seconds start;  // part of the time that no byte moves: software start-up and link latencies
  CollectiveAlgorithm algorithm = CollectiveAlgorithm::kNone;
};

// n ranks, S bytes, rates times `collective_efficiency`, each algorithm plus `collective_start`. Nothing for
// one rank.
//   one-shot  every rank sends its whole buffer to every other:
//             (n-1) S at the all-to-all rate, 1 latency
//   two-shot  reduce-scatter, then all-gather, both direct:
//             2 (n-1)/n S at the all-to-all rate, 2 latencies
//   ring      the same round a ring:
//             2 (n-1)/n S at the ring rate, 2 (n-1) latencies
// Every rank holds S bytes and ends with the sum of all.
CollectivePrice price_all_reduce(const ChipRates& chip, const GroupLinks& group, Bytes size);

// Every rank holds S/n bytes and ends with all S. Half of an all-reduce: direct with 1 latency, ring with
// n-1.
CollectivePrice price_all_gather(const ChipRates& chip, const GroupLinks& group, Bytes size);

// One chip to its peer in a group of two, S bytes at the ring rate, 1 latency.
CollectivePrice price_send(const ChipRates& chip, const GroupLinks& pair, Bytes size);

}  // namespace silicast
