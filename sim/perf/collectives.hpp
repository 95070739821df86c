// What it takes a group of chips to combine or exchange buffers over the links it has: the fastest of the
// algorithms that collective libraries use.
#pragma once

#include <string_view>

#include "sim/base/units.hpp"
#include "sim/perf/chip_rates.hpp"
#include "topology/fabric.hpp"

namespace silicast {

enum class CollectiveAlgorithm { kNone, kOneShot, kTwoShot, kRing, kDirect, kTwoLevel };
std::string_view name_of(CollectiveAlgorithm algorithm);  // "none", "one_shot", ...

struct CollectivePrice {
  Seconds time;
  Seconds start;  // part of the time that no byte moves: software start-up and link latencies
  CollectiveAlgorithm algorithm = CollectiveAlgorithm::kNone;
};

// n ranks, S bytes; rates, starts and efficiencies are those of the calibration's `collective`. Nothing for one rank.
// All-reduce: every rank holds S bytes and ends with the sum of all; the fastest of
//   one-shot  every rank reads the buffer of every other: (n-1) S at the all-to-all rate, 1 latency  [within a node]
//   two-shot  reduce-scatter, then all-gather: 2 (n-1)/n S, 2 latencies and a step                   [within a node]
//   ring      the library: 2 (n-1)/n S at the ring rate, 2 (n-1) ranks' latencies, by either protocol
//   two-level the library over m nodes of k ranks: the same within each node, and of S/k between the nodes
CollectivePrice price_all_reduce(const ChipRates& chip, const GroupLinks& group, Bytes size);

// Every rank holds S/n bytes and ends with all S: half of the library's all-reduce.
CollectivePrice price_all_gather(const ChipRates& chip, const GroupLinks& group, Bytes size);

// Every rank holds S bytes and ends with its n-th of the sum: an all-gather backwards, of the same price.
CollectivePrice price_reduce_scatter(const ChipRates& chip, const GroupLinks& group, Bytes size);

// Tokens to the ranks of their experts, or back: every rank sends `sent` bytes in all, spread evenly over the others,
// at the all-to-all rate times `exchange_efficiency`, after `exchange_start` and 1 latency.
CollectivePrice price_all_to_all(const ChipRates& chip, const GroupLinks& group, Bytes sent);

// The same between nodes of one network each, where ranks of a node share copies: `copy` bytes of tokens, each for
// `spread` experts anywhere, go once to each node that has some of them, and on within it; the longer of the two.
CollectivePrice price_shared_all_to_all(const ChipRates& chip, const GroupLinks& group, Bytes sent, Bytes copy,
                                        double spread);

// One chip to its peer in a group of two, S bytes at the ring rate, 1 latency.
CollectivePrice price_send(const ChipRates& chip, const GroupLinks& pair, Bytes size);

}  // namespace silicast
