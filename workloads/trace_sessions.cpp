#include "workloads/trace_sessions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/io/line_reader.hpp"
#include "workloads/trace_further.hpp"

namespace silicast {

TraceTurn TraceSessions::add(const TraceRow& row, TraceReader& reader) {
  const auto index = static_cast<std::int64_t>(requests_.size());
  if (!by_id_.emplace(row.id, index).second)
    throw InputError(reader.mark_of(Further::kId), reader.name_of(Further::kId),
                     fmt::format("{} is the id of a request before it; each has its own", quoted_text(row.id)));
  TraceTurn turn;
  Request request;
  if (row.parent.empty()) {
    turn.session = next_session_;
    if (!row.session.empty()) turn.session = sessions_.emplace(row.session, next_session_).first->second;
    next_session_ += turn.session == next_session_;
  } else {
    const auto parent = by_id_.find(row.parent);
    if (parent == by_id_.end() || parent->second == index) refuse_parent(row, reader);
    const Request& before = requests_[static_cast<std::size_t>(parent->second)];
    check_turn(row, before, reader);
    turn.session = before.session;
    turn.parent = parent->second;
    turn.think_ns = row.think_ns;
  }
  request.session = turn.session;
  request.session_name = row.session;
  request.prompt_tokens = row.prompt_tokens;
  request.blocks = row.blocks;
  requests_.push_back(std::move(request));
  return turn;
}

void TraceSessions::check_turn(const TraceRow& row, const Request& parent, const TraceReader& reader) const {
  if (row.session != parent.session_name)
    throw InputError(reader.mark_of(Further::kSession), reader.name_of(Further::kSession),
                     fmt::format("{} goes on from request {} of session {}; a session keeps its name",
                                 quoted_text(row.session), quoted_text(row.parent), quoted_text(parent.session_name)));
  const std::int32_t size = reader.block_tokens();
  if (size == 0) return;
  const std::size_t whole =
      std::min({parent.blocks.size(), row.blocks.size(),
                static_cast<std::size_t>(std::min(parent.prompt_tokens, row.prompt_tokens) / size)});
  for (std::size_t i = 0; i < whole; ++i)
    if (row.blocks[i] != parent.blocks[i])
      throw InputError(
          reader.mark(), "blocks",
          fmt::format("id {} of block {} is not the {} of its parent {}; the prompt of a later turn begins "
                      "with that of the turn before, so leave out the parent where it does not",
                      row.blocks[i], i, parent.blocks[i], quoted_text(row.parent)));
}

// What is wrong with it is seen from the rest of the trace.
void TraceSessions::refuse_parent(const TraceRow& row, TraceReader& reader) const {
  const Mark mark = reader.mark_of(Further::kParent);
  const std::string name(reader.name_of(Further::kParent)), id = row.id, parent = row.parent;
  if (parent == id) throw InputError(mark, name, fmt::format("request {} waits for itself", quoted_text(id)));
  std::map<std::string, std::string, std::less<>> parents;  // of what follows
  parents.emplace(id, parent);
  for (TraceRow next; reader.next(next);) parents.emplace(next.id, next.parent);
  if (parents.find(parent) == parents.end())
    throw InputError(mark, name,
                     fmt::format("no request has the id {}; a root's parent is empty", quoted_text(parent)));
  std::string at = parent;
  for (std::size_t steps = 0; steps <= parents.size(); ++steps) {
    const auto found = parents.find(at);
    if (found == parents.end() || found->second.empty()) break;
    at = found->second;
    if (at == id)
      throw InputError(mark, name,
                       fmt::format("{} and {} wait for each other in a circle, so that neither is ever asked",
                                   quoted_text(id), quoted_text(parent)));
  }
  throw InputError(
      mark, name,
      fmt::format("request {} stands further down, so the session's stamps run backwards; a request is asked behind "
                  "the one whose answer it waits for",
                  quoted_text(parent)));
}

}  // namespace silicast
