// How many nodes an option needs for its service: first by roofline, then by simulation.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "sim/study/capacity/verdict.hpp"
#include "sim/study/plan/option.hpp"

namespace silicast {

enum class OptionStatus {
  kCompliant,
  kNearMiss,     // misses its targets by at most a tenth with as many nodes as help
  kExceeds,      // misses them by more, or needs more nodes than the cheapest option of the same node
  kDoesNotFit,   // weights and one block of KV cache have no room
  kUnsupported,  // no such layout, number format, operator; no price
  kTimedOut,     // the time for the plan was up
};
std::string_view name_of(OptionStatus status);  // "compliant", "near miss", "exceeds", "does not fit", ...

// One line of the ledger.
struct SizedOption {
  PlanOption option = {};
  OptionStatus status = OptionStatus::kUnsupported;
  std::string reason = {};       // in words, unless compliant with the fewest nodes
  double by = 0;                 // 0.2: by a fifth too much, of the target or the nodes; NaN: not a matter of degree
  std::int64_t least_nodes = 0;  // by roofline
  std::int64_t nodes = 0;        // that it needs, compliant ones only
  bool fewest = true;            // one step less does not do; false: the time was up before that was known
  Verdict verdict = {};          // with `nodes`, or of the best that it can do
  std::int64_t runs = 0;
};

// What an iteration cannot beat: nodes below which no schedule serves the load within its mean time per output token.
// Deliberately loose (rounded down, whole prompts in the best chunk, the largest batch that the target and the KV cache
// allow). Zero: nothing is known.
std::int64_t least_nodes(const PlanOption& option, const Scenario& scenario, double requests_per_second);

inline constexpr std::int64_t kMostNodes = 1 << 14;  // that a pool may have

// `most` nodes are enough for another option of this node, and one that needs more exceeds; kMostNodes: none is
// known. Never throws InputError: what a scenario refuses is a status. `until_ns`: of the steady clock, when to give
// up.
SizedOption size_option(const PlanSpec& plan, const PlanOption& option, const std::string& configs_dir,
                        std::int64_t most, std::int64_t until_ns);

}  // namespace silicast
