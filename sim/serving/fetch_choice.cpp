#include "sim/serving/fetch_choice.hpp"

#include <algorithm>

namespace silicast {

double prefill_seconds(const IterationCost& cost, const ReplicaLimits& limits, std::int32_t from,
                       std::int32_t context) {
  const std::int32_t most = std::min(limits.max_chunk, limits.max_batched_tokens);
  double seconds = 0;
  for (std::int32_t computed = from; computed < context;) {
    BatchShape shape;
    shape.prefill_sequences = 1;
    shape.prefill_tokens = shape.largest_chunk = std::min(most, context - computed);
    shape.prefill_attention = shape.largest_attention = cost.prefill_attention(shape.prefill_tokens, computed);
    shape.largest_context = computed;
    computed += shape.prefill_tokens;
    shape.sampled_sequences = computed == context;
    seconds += cost.line(shape).first;
  }
  return seconds;
}

const TierOffer* sooner_than_computed(std::span<const TierOffer> offers, const IterationCost& cost,
                                      const ReplicaLimits& limits, std::int32_t found, std::int32_t context) {
  const TierOffer* best = nullptr;
  if (offers.empty()) return best;
  double soonest = prefill_seconds(cost, limits, found, context);
  for (const TierOffer& offer : offers) {
    const auto fetched = static_cast<std::int32_t>(offer.all * limits.prompt_block);
    const double seconds = offer.time.value() + prefill_seconds(cost, limits, found + fetched, context);
    if (seconds < soonest) soonest = seconds, best = &offer;
  }
  return best;
}

}  // namespace silicast
