// Fetch or recompute: whichever a replica with nothing else to do would be done with sooner.
#pragma once

#include <span>

#include "sim/perf/iteration_cost.hpp"
#include "sim/serving/batch_builder.hpp"

namespace silicast {

// Seconds to compute the tokens of a context from `from` on, chunk by chunk, with nothing else in the batch.
double prefill_seconds(const IterationCost& cost, const ReplicaLimits& limits, std::int32_t from, std::int32_t context);

// The offer with which all of the context is there soonest, what it leaves being computed after it; nullptr: none is
// sooner than to compute all that was not `found`. Among equals the one that fetches least.
const TierOffer* sooner_than_computed(std::span<const TierOffer> offers, const IterationCost& cost,
                                      const ReplicaLimits& limits, std::int32_t found, std::int32_t context);

}  // namespace silicast
