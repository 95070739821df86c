// What sessions are like, as a workload writes it:
//
//   sessions:
//     rate: 0.5 /s                     # of sessions that begin; process: poisson, or as in arrivals
//     duration: 1 h                    # of all their requests; or requests: N, or both
//     turns: {distribution: geometric, mean: 5}
//     shared_prefix: 1200              # system prompt; or {tokens: 1200, groups: 4}
//     first_prompt: {...}              # behind it, in the first turn
//     user_tokens: {...}               # what each further turn adds
//     output: {...}
//     think_time: {mean: 40 s, cv: 1.5}
//     agents:                          # a turn is several calls, with tools between
//       steps: {distribution: geometric, mean: 8}
//       tool_tokens: {...}             # what a tool's result adds
//       tool_gap: {mean: 2 s}
//       branches: {probability: 0.1, width: 4, prompt: {...}, output: {...}}
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "workloads/length_distribution.hpp"
#include "workloads/think_time.hpp"

namespace silicast {

inline constexpr std::int32_t kMaxWidth = 1024;  // branches of one call; of a distribution what is over it is cut

// Calls that run at once in place of a tool: each goes on from the conversation with a task of its own, the next call
// waits for all and is told their answers.
struct SessionBranches {
  double probability = 0;  // that what a call asks for are branches, rather than a tool
  std::unique_ptr<LengthDistribution> width, prompt, output;
};

struct SessionAgents {
  std::unique_ptr<LengthDistribution> steps;        // calls of a turn, those of branches not counted
  std::unique_ptr<LengthDistribution> tool_tokens;  // that its result adds
  ThinkTime tool_gap;
  std::optional<SessionBranches> branches;
};

struct SessionShape {
  std::unique_ptr<LengthDistribution> turns, first_prompt, user_tokens, output;
  ThinkTime think_time;
  std::int32_t shared_prefix = 0;  // tokens that all sessions of a group begin with
  std::int32_t groups = 1;
  std::int32_t block_tokens = 16;
  std::int32_t max_context = 0;  // of prompt and output; a call that would not fit ends its session,
  bool forget = false;           // or begins its conversation anew
  std::optional<SessionAgents> agents;
};

// Asks the mapping for the keys of the shape. A session's max_context is at most the scope's. Error: InputError at the
// key.
SessionShape read_session_shape(ConfigMap& map, const WorkloadScope& scope);

}  // namespace silicast
