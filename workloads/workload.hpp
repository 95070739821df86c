// A workload as a scenario writes it, made into a source of requests.
//
//   workload:
//     trace: {format: azure, file: conv.csv}    # or arrivals + prompt + output, closed_loop + prompt + output,
//     slice: {from: 10 min, to: 20 min}         # merge: [workload, ...], preset: NAME,
//     speed: 2.0                                # users: 20000 + use_case: chat, sessions: {...}
//     timeout: 60 s
//
// What is given beside the source is applied in this order, whatever the order in the file: slice (on the
// source's own clock), speed, token_scale, max_output, class, timeout and abort (on the simulated clock).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/io/config_reader.hpp"
#include "workloads/request_source.hpp"
#include "workloads/users_workload.hpp"

namespace silicast {

struct WorkloadContext {
  std::uint64_t seed = 1;
  std::string base_dir;                  // folder of the scenario; relative paths count from it
  std::string configs_dir;               // presets are configs_dir/workloads/NAME.yaml
  std::vector<std::string> class_names;  // ClassId is the position; requests that name none are of the first
  // Read traces once through before the run: a bad line is found before anything is written, and WorkloadInfo
  // is exact. Costs as much as the run's own reading.
  bool scan_traces = true;
  bool recorded = false;         // play sessions of traces as they were recorded, by stamps alone
  std::int32_t max_context = 0;  // tokens of prompt and output that a session may reach; 0: not known
};

// What is known before the run, after every modifier; nullopt where it is not.
struct WorkloadInfo {
  bool open_loop = true;                 // no arrival waits for an answer
  bool generated = true;                 // nothing comes from a trace that is no generator itself
  bool sessions = false;                 // of a trace, some of whose requests wait for answers
  std::string description;               // one line for people
  std::optional<std::int64_t> requests;  // expected where the count is left to chance
  std::optional<double> mean_rate;       // requests/s, of open loops
  std::optional<double> mean_prompt;     // tokens
  std::optional<double> mean_output;     // tokens
  std::int32_t block_tokens = 0;         // of the KV blocks that its prompts name; 0: they name none
  std::vector<UseCaseLoad> use_cases;    // of the parts that are given in users, in the order of the file
  bool only_use_cases = false;           // every part is
};

struct Workload {
  std::unique_ptr<RequestSource> source;
  WorkloadInfo info;
};

// Reads the mapping strictly; InputError for anything wrong in it, in a preset, or (scan_traces) in a trace.
// Memory is O(clients), whatever the number of requests; but a trace whose requests wait for answers is held whole.
Workload make_workload(const ConfigValue& workload, const WorkloadContext& context);

// The presets that exist, by name.
std::vector<std::string> workload_presets(const std::string& configs_dir);

}  // namespace silicast
