#include "sim/run/launch/launched_defaults.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace silicast {
namespace {

// Text of the user's within a comment, which a line end would end.
std::string in_one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return text;
}

}  // namespace

std::string usual_engine(const LaunchedPool& pool, const ChipSpec& chip) {
  if (pool.family == "vllm") {
    if (chip.software == "CANN") return "vllm-ascend";
    // vLLM 0.19 engine/arg_utils.py get_batch_defaults: smaller batches under 70 GiB and on any A100.
    const bool small = chip.memory_capacity.value < 70.0 * (1 << 30) || chip.name.starts_with("a100");
    return small ? "vllm-small" : "vllm";
  }
  if (pool.family == "sglang") {
    if (pool.drafts) return "sglang-drafting";
    if (pool.exchange && pool.exchange->value == "all_to_all") return "sglang-ep";
  }
  return pool.family;
}

ConfigNode usual_workload(std::int64_t max_context, std::int64_t copies) {
  const std::string lengths =
      max_context < 64 ? "prompt: {distribution: fixed, tokens: 1}\noutput: {distribution: fixed, tokens: 1}\n"
                       : fmt::format(
                             "prompt: {{distribution: lognormal, mean: {}, cv: 1.0, max: {}}}\n"
                             "output: {{distribution: lognormal, mean: {}, cv: 1.0, max: {}}}\n",
                             std::min<std::int64_t>(1000, max_context / 8), max_context / 2,
                             std::min<std::int64_t>(200, max_context / 16), max_context / 4);
  return parse_config(
      fmt::format("arrivals: {{process: poisson, rate: {} /s, requests: {}}}\n{}", copies, 500 * copies, lengths),
      "workload");
}

std::string heading(const LaunchedPool& said, const std::vector<std::string>& notes, const Scenario& scenario,
                    const std::string& source) {
  const PoolScenario& pool = scenario.pools[0];
  std::string text = fmt::format(
      "# Read from {}: {} cop{} on {} x {}.\n# The workload is made up: put yours in its place (README.md, "
      "\"A scenario of your own\").\n",
      source == "-" ? "standard input" : in_one_line(source), pool.replicas, pool.replicas == 1 ? "y" : "ies",
      pool.nodes, pool.node.name);
  if (!said.utilisation && !pool.kv_blocks_given)
    text += fmt::format("# No flag says how much memory is taken: {:g}, engine {}'s own.\n",
                        pool.engine.memory.utilisation.value, pool.engine.name);
  if (!pool.memory.fits())
    text +=
        fmt::format("# By silicast's memory plan this does not fit: {} short per chip; 'silicast explain' shows why.\n",
                    format_quantity(pool.memory.shortfall.value(), Dimension::kBytes));
  if (!notes.empty()) text += "# Not modelled, or taken for something like it:\n";
  for (const std::string& note : notes) text += fmt::format("#   {}\n", in_one_line(note));
  return text;
}

}  // namespace silicast
