#include "workloads/session_shape.hpp"

#include <fmt/format.h>

#include "workloads/limits.hpp"
#include "workloads/workload_scope.hpp"

namespace silicast {
namespace {

// A distribution, or a number that it always gives.
std::unique_ptr<LengthDistribution> counts(const ConfigValue& value, const WorkloadScope& scope,
                                           std::int64_t most = kMaxTokens) {
  if (!value.is_map()) return fixed_lengths(value.integer(1, most));
  auto lengths = make_lengths(value, scope);
  if (lengths->mean() > static_cast<double>(most))
    value.fail(fmt::format("has a mean of {:.4g}, which is over {}", lengths->mean(), most));
  return lengths;
}

SessionBranches read_branches(const ConfigValue& value, const WorkloadScope& scope) {
  ConfigMap map = value.map();
  SessionBranches branches;
  branches.probability = map.required("probability").number(kFraction);
  branches.width = counts(map.required("width"), scope, kMaxWidth);
  branches.prompt = counts(map.required("prompt"), scope);
  branches.output = counts(map.required("output"), scope);
  map.done();
  return branches;
}

SessionAgents read_agents(const ConfigValue& value, const WorkloadScope& scope) {
  ConfigMap map = value.map();
  SessionAgents agents;
  agents.steps = counts(map.required("steps"), scope);
  agents.tool_tokens = counts(map.required("tool_tokens"), scope);
  agents.tool_gap = read_think_time(map.required("tool_gap"));
  if (const auto branches = map.optional("branches")) agents.branches = read_branches(*branches, scope);
  map.done();
  return agents;
}

void read_shared_prefix(const ConfigValue& value, SessionShape& shape) {
  const auto tokens = [&](const ConfigValue& of) {
    shape.shared_prefix = static_cast<std::int32_t>(of.integer(0, kMaxTokens));
  };
  if (!value.is_map()) return tokens(value);
  ConfigMap map = value.map();
  tokens(map.required("tokens"));
  if (const auto groups = map.optional("groups"))
    shape.groups = static_cast<std::int32_t>(groups->integer(1, kMaxConcurrency));
  map.done();
}

void read_context(ConfigMap& map, std::int32_t of_model, SessionShape& shape) {
  shape.max_context = of_model > 0 ? of_model : static_cast<std::int32_t>(kMaxTokens);
  if (const auto context = map.optional("max_context")) {
    const std::int64_t most = context->integer(2, kMaxTokens);
    if (most > shape.max_context)
      context->fail(fmt::format("{} is over the {} tokens that the scenario allows; set it to at most that", most,
                                shape.max_context));
    shape.max_context = static_cast<std::int32_t>(most);
  }
  if (shape.shared_prefix + 2 > shape.max_context)
    map.required("shared_prefix").fail(fmt::format("leaves no room in a context of {} tokens", shape.max_context));
  if (const auto limit = map.optional("at_limit")) shape.forget = limit->choice({"end", "forget"}, "way out") == 1;
}

}  // namespace

SessionShape read_session_shape(ConfigMap& map, const WorkloadScope& scope) {
  SessionShape shape;
  shape.turns = counts(map.required("turns"), scope);
  shape.first_prompt = counts(map.required("first_prompt"), scope);
  shape.user_tokens = counts(map.required("user_tokens"), scope);
  shape.output = counts(map.required("output"), scope);
  shape.think_time = read_think_time(map.required("think_time"));
  if (const auto prefix = map.optional("shared_prefix")) read_shared_prefix(*prefix, shape);
  if (const auto tokens = map.optional("block_tokens"))
    shape.block_tokens = static_cast<std::int32_t>(tokens->integer(1, kMaxTokens));
  read_context(map, scope.context.max_context, shape);
  if (const auto agents = map.optional("agents")) shape.agents = read_agents(*agents, scope);
  return shape;
}

}  // namespace silicast
