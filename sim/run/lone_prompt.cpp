#include "sim/run/lone_prompt.hpp"

#include <algorithm>

#include "sim/perf/breakdown.hpp"

namespace silicast {

Seconds lone_prompt(const PoolScenario& pool, std::int64_t tokens) {
  const EngineLimits limits = pool.engine.limits();
  const std::int32_t most =
      limits.max_chunk > 0 ? std::min(limits.max_chunk, limits.max_batched_tokens) : limits.max_batched_tokens;
  Seconds total;
  for (std::int64_t done = 0; done < tokens; done += most) {
    const auto chunk = static_cast<std::int32_t>(std::min<std::int64_t>(tokens - done, most));
    total += breakdown(pool.replica, {.prefill_tokens = chunk, .prefill_context = done}).total;
  }
  return total;
}

}  // namespace silicast
