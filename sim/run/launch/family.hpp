// What each family of engines does for launch.cpp: one file for each writes its flags and reads them back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/run/launch/flags.hpp"
#include "sim/run/scenario.hpp"

namespace silicast {

// One pool as its engine is told it.
struct LaunchParts {
  std::vector<std::string> environment;  // NAME=value
  std::vector<std::string> command;      // the program with the model, then a flag with its value each
  std::string json;                      // in place of the command
  std::vector<std::string> notes;        // what no flag says, what needs care
  ConfigNode unsaid;                     // keys of a pool that no flag says; read back from a comment
};

// What a launch says of a pool, before the catalogue is asked. Of the family's own units nothing is left here: limits
// are those of one data-parallel rank.
struct LaunchedPool {
  std::string family;
  Mark mark;                               // where the launch begins
  std::optional<Said<std::string>> model;  // a repository, or the folder of its files
  std::optional<Said<std::int64_t>> max_context;
  std::optional<Said<std::int64_t>> tensor, context, data, expert, redundant_experts, pipeline;
  std::optional<Said<bool>> expert_parallel;      // whole experts on every rank
  std::optional<Said<std::string>> stage_layers;  // "41,39"
  std::int64_t copies = 1;                        // servers side by side
  std::optional<Said<std::int64_t>> max_sequences, max_batched_tokens, block_size, max_chunk, max_waiting;
  std::optional<Said<double>> utilisation;
  std::optional<Said<std::int64_t>> kv_blocks;
  std::optional<Said<std::int64_t>> kv_tokens;  // the same in tokens
  std::optional<Said<double>> kv_bytes;         // the same in bytes of a rank
  std::string scheduler;                        // empty: the engine's
  std::optional<Said<std::string>> exchange;    // as the engine's key `parallel.exchange`
  std::optional<Said<bool>> two_batches;
  std::optional<Said<bool>> prefix_cache;
  std::optional<Said<std::string>> quantisation;  // as in LaunchFormats
  std::optional<Said<std::string>> dtype, kv;     // likewise
  std::optional<Said<std::string>> draft;         // "mtp", a repository or a folder
  std::optional<Said<std::int64_t>> drafts;
  std::vector<std::string> notes;  // what is not modelled, what was taken for what
};

// Error (InputError) at the pool: what the family cannot be told.
using WriteLaunch = LaunchParts(const Scenario& scenario, const PoolScenario& pool);
WriteLaunch write_vllm, write_sglang, write_mindie;

// From the words behind the program.
LaunchedPool read_vllm(const ShellCommand& command, std::span<const ShellWord> arguments);
LaunchedPool read_sglang(const ShellCommand& command, std::span<const ShellWord> arguments);
// `environment` as the text sets it above.
LaunchedPool read_mindie(const ConfigValue& config, const std::vector<ShellWord>& environment);

// A flag's value that is JSON; messages name the flag's place and the place within.
ConfigValue read_json(const Said<std::string>& text);

// Refuses nodes whose chips are packages where engines count dies: those with a catalogue entry NODE-die.
void check_dies(const NodeSpec& node, const std::string& configs_dir, const Mark& at);

// What both shell families share.
[[noreturn]] void fail_at(const PoolScenario& pool, std::string_view what);
std::string weights_of(const ModelSpec& model);  // the repository, or the model's name where none is known
// "41,39" where the stages differ; "" where an even spread is all there is to say.
std::string uneven_stages(const ParallelPlan& plan);

// The share of memory by the family's own rule: the engine's setting, or what gives the same KV cache where a scenario
// changed the rule. With a note where it was converted.
double utilisation_by(KvBudget budget, const PoolScenario& pool, std::vector<std::string>& notes);
// By which share `budget` gives the poorest stage the KV cache that it has.
double equal_utilisation(KvBudget budget, const PoolScenario& pool);

void put(ConfigNode& map, std::string_view key, ConfigNode value);
void put(ConfigNode& map, std::string_view key, std::string value, const Mark& mark = {});

}  // namespace silicast
