#include "workloads/session_script.hpp"

#include <algorithm>

#include "sim/base/check.hpp"
#include "workloads/block_ids.hpp"
#include "workloads/limits.hpp"

namespace silicast {
namespace {

// Block `position` of a text with that key.
std::uint64_t block_at(std::uint64_t key, std::int64_t position) {
  return mix(key + kGolden * (static_cast<std::uint64_t>(position) + 1));
}

}  // namespace

Session SessionScript::begin(std::int64_t number) const {
  Session session;
  session.draws = RandomStream(mix(base_ + kGolden * static_cast<std::uint64_t>(number)), "session");
  session.key = session.draws.next();
  if (shape_.groups > 1)
    session.group = static_cast<std::int32_t>(session.draws.below(static_cast<std::uint64_t>(shape_.groups)));
  session.turns_left = shape_.turns->draw(session.draws) - 1;
  if (shape_.agents) session.steps_left = shape_.agents->steps->draw(session.draws) - 1;
  session.context = shape_.shared_prefix;
  session.added = shape_.first_prompt->draw(session.draws);
  session.output = shape_.output->draw(session.draws);
  session.to_ask = 1;
  return session;
}

RequestSpec SessionScript::call(Session& session) const {
  SILICAST_CHECK(session.to_ask > 0, "a call of a step that is asked");
  --session.to_ask;
  ++session.waiting;
  RequestSpec request;
  request.prompt_tokens = session.context + session.added;
  request.output_tokens = session.output;
  if (session.in_branches) {
    ++session.branches;
    // What a branch has no room to say is cut off, as an engine does.
    request.output_tokens = std::min(shape_.agents->branches->output->draw(session.draws),
                                     std::max(1, shape_.max_context - request.prompt_tokens));
  }
  return request;
}

bool SessionScript::go_on(Session& session) const {
  const std::int64_t answers = session.answers;
  const bool joins = session.in_branches;
  if (!joins) session.context += session.added + static_cast<std::int32_t>(answers);
  session.answers = 0;
  session.in_branches = false;
  session.width = 1;
  if (joins) {
    --session.steps_left;
    return prepare(session, shape_.agents->tool_gap, answers);
  }
  if (session.steps_left > 0) {
    const SessionAgents& agents = *shape_.agents;
    session.in_branches = agents.branches && session.draws.uniform() < agents.branches->probability;
    if (session.in_branches) {
      session.width = std::min(agents.branches->width->draw(session.draws), kMaxWidth);
      return prepare(session, agents.tool_gap, agents.branches->prompt->draw(session.draws));
    }
    --session.steps_left;
    return prepare(session, agents.tool_gap, agents.tool_tokens->draw(session.draws));
  }
  if (session.turns_left == 0) return false;
  --session.turns_left;
  if (shape_.agents) session.steps_left = shape_.agents->steps->draw(session.draws) - 1;
  return prepare(session, shape_.think_time, shape_.user_tokens->draw(session.draws));
}

bool SessionScript::prepare(Session& session, const ThinkTime& pause, std::int64_t added) const {
  session.pause = pause.draw(session.draws);
  session.added = static_cast<std::int32_t>(std::min(added, kMaxTokens));
  session.output = session.in_branches ? 1 : shape_.output->draw(session.draws);
  session.to_ask = session.width;
  if (fits(session)) return true;
  if (!shape_.forget) return false;
  session.context = shape_.shared_prefix;
  session.key = session.draws.next();
  return fits(session);
}

bool SessionScript::fits(const Session& session) const {
  return std::int64_t{session.context} + session.added + session.output <= shape_.max_context;
}

void SessionScript::blocks(const Session& session, const RequestSpec& call, std::vector<std::uint64_t>& ids) const {
  const std::int64_t size = shape_.block_tokens;
  const std::int64_t all = blocks_in(std::int64_t{call.prompt_tokens} + call.output_tokens, size);
  const std::int64_t shared = shape_.shared_prefix / size;
  // What branches have in common is the conversation before them; behind it each has words of its own.
  const std::int64_t common = session.in_branches ? session.context / size : all;
  const std::uint64_t of_group = mix(base_ + static_cast<std::uint64_t>(session.group));
  const std::uint64_t of_branch = mix(session.key ^ mix(session.branches));
  ids.clear();
  for (std::int64_t i = 0; i < all; ++i)
    ids.push_back(i < shared ? block_at(of_group, i) : i < common ? block_at(session.key, i) : block_at(of_branch, i));
}

}  // namespace silicast
