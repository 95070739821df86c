// silicast explain SCENARIO: what fits, the roofline by kernel, where an iteration's time goes, what binds.
#include "sim/run/explain.hpp"

#include <fmt/format.h>

#include <iostream>

#include "sim/base/errors.hpp"
#include "sim/io/text_output.hpp"
#include "sim/run/explain_fabric.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {
namespace {

std::int64_t positive(const options::variables_map& given, const char* name, std::int64_t most) {
  const std::int64_t value = given[name].as<std::int64_t>();
  if (value < 1 || value > most) throw InputError(fmt::format("--{} {}: must be from 1 to {}", name, value, most));
  return value;
}

}  // namespace

int explain(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  visible.add_options()("set", options::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
                        "change a key of the scenario; may be repeated")(
      "batch", options::value<std::int64_t>()->value_name("N")->default_value(32),
      "sequences of the decode iteration shown")(
      "context", options::value<std::int64_t>()->value_name("TOKENS")->default_value(1024),
      "KV length of each of them")("prompt", options::value<std::int64_t>()->value_name("TOKENS")->default_value(2048),
                                   "tokens of the prefill shown")(
      "dot", options::value<std::string>()->value_name("FILE"), "draw the fabric into a file for graphviz");
  add_configs_option(visible);
  hidden.add_options()("scenario", options::value<std::string>());
  options::positional_options_description positional;
  positional.add("scenario", 1);
  const auto given = parse(
      arguments,
      "usage: silicast explain SCENARIO.yaml [--set key.path=value] [--batch N] [--context TOKENS] [--prompt TOKENS] "
      "[--dot FILE]",
      visible, positional, hidden);
  if (!given) return 0;
  if (given->count("scenario") == 0) throw InputError("explain what? give a scenario");
  ScenarioSource source{find_configs(*given), {}};
  if (given->count("set") > 0) source.settings = (*given)["set"].as<std::vector<std::string>>();
  ExplainBatch batch;
  batch.decode_sequences = static_cast<std::int32_t>(positive(*given, "batch", 1 << 20));
  batch.kv_length = positive(*given, "context", std::int64_t{1} << 40);
  batch.prompt_tokens = static_cast<std::int32_t>(positive(*given, "prompt", 1 << 24));
  const Scenario scenario =
      read_scenario(find_scenario((*given)["scenario"].as<std::string>(), source.configs_dir), source, Fit::kReported);
  if (batch.kv_length > scenario.max_context) {
    if (!(*given)["context"].defaulted())
      throw InputError(fmt::format("--context {}: the scenario has at most {} tokens of context", batch.kv_length,
                                   scenario.max_context));
    batch.kv_length = scenario.max_context;
  }
  const std::string text = silicast::explain(scenario, batch);
  if (given->count("dot") > 0) {
    const std::string drawing = fabric_dot(scenario);
    TextOutput file((*given)["dot"].as<std::string>());
    file.write(drawing);
    file.finish();
  }
  std::cout << text;
  return 0;
}

}  // namespace silicast::command
