// Sessions say what their script says, whoever answers: turns, ids, branches, limits.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "tests/support/count_allocations.hpp"
#include "workload_test_support.hpp"
#include "workloads/block_ids.hpp"

namespace silicast {
namespace {

struct Call {
  RequestSpec spec;
  std::vector<std::uint64_t> blocks;
  SimTime end;
};

// Answers each call after `service` seconds, or not at all where `refuse` says so; up to `most` calls.
std::vector<Call> serve(RequestSource& source, double service, std::size_t most = SIZE_MAX,
                        const std::function<bool(const RequestSpec&)>& refuse = {}) {
  std::vector<Call> calls;
  std::multimap<SimTime, std::size_t> in_flight;
  while (calls.size() < most) {
    const auto next = source.next_time();
    if (!next && in_flight.empty()) break;
    if (next && (in_flight.empty() || *next <= in_flight.begin()->first)) {
      Call call;
      call.spec = source.take();
      call.blocks.assign(source.blocks().begin(), source.blocks().end());
      call.end = call.spec.arrival + Seconds(service);
      in_flight.emplace(call.end, calls.size());
      calls.push_back(std::move(call));
      continue;
    }
    const auto [end, index] = *in_flight.begin();
    in_flight.erase(in_flight.begin());
    source.ended(calls[index].spec, end, !refuse || !refuse(calls[index].spec));
  }
  return calls;
}

std::vector<Call> served(const std::string& sessions, double service = 1, std::size_t most = SIZE_MAX,
                         const std::function<bool(const RequestSpec&)>& refuse = {}) {
  return serve(*workload_of("sessions: {" + sessions + "}").source, service, most, refuse);
}

constexpr char kChat[] =
    "rate: 0.5 /s, start: empty, turns: {distribution: geometric, mean: 4}, shared_prefix: 100, "
    "first_prompt: {distribution: geometric, mean: 50}, user_tokens: {distribution: geometric, mean: 30}, "
    "output: {distribution: geometric, mean: 80}, think_time: {mean: 10 s}";

// The calls of each session in their order: a call goes on from the one whose ids it repeats, so by the first id behind
// the shared prefix, which is the session's own.
std::map<std::uint64_t, std::vector<Call>> by_session(const std::vector<Call>& calls, std::size_t shared) {
  std::map<std::uint64_t, std::vector<Call>> sessions;
  for (const Call& call : calls) sessions[call.blocks.at(shared)].push_back(call);
  return sessions;
}

TEST_CASE("each turn of a session repeats the whole conversation and adds to it, after the answer and a pause") {
  const auto calls = served(std::string(kChat) + ", requests: 5000");
  REQUIRE(calls.size() == 5000);
  std::size_t later = 0;
  for (const auto& [id, session] : by_session(calls, 100 / 16))
    for (std::size_t i = 1; i < session.size(); ++i, ++later) {
      const Call &before = session[i - 1], &call = session[i];
      REQUIRE(call.spec.arrival >= before.end);
      REQUIRE(call.spec.prompt_tokens > before.spec.prompt_tokens + before.spec.output_tokens);
      const auto whole = static_cast<std::size_t>(before.spec.prompt_tokens + before.spec.output_tokens) / 16;
      REQUIRE(std::equal(before.blocks.begin(), before.blocks.begin() + static_cast<std::ptrdiff_t>(whole),
                         call.blocks.begin()));
    }
  CHECK(later > 3000);
  for (const Call& call : calls)
    REQUIRE(static_cast<std::int64_t>(call.blocks.size()) ==
            blocks_in(call.spec.prompt_tokens + call.spec.output_tokens, 16));
}

TEST_CASE("sessions of a group share the whole blocks of its prefix, and nothing else") {
  const auto calls = served(
      "rate: 1 /s, start: empty, requests: 500, turns: 1, shared_prefix: {tokens: 100, groups: 3}, first_prompt: 60, "
      "user_tokens: 1, output: 10, think_time: 0 s");
  std::set<std::uint64_t> groups, own;
  for (const Call& call : calls) {
    groups.insert(call.blocks[0]);
    REQUIRE(call.blocks.size() == 11);
    for (std::size_t i = 6; i < 11; ++i) own.insert(call.blocks[i]);
  }
  CHECK(groups.size() == 3);
  CHECK(own.size() == 5 * calls.size());
}

TEST_CASE("what sessions say does not depend on how fast they are answered") {
  const auto lengths = [](double service) {
    std::map<std::uint64_t, std::vector<std::pair<std::int32_t, std::int32_t>>> said;
    for (const auto& [id, session] : by_session(served(std::string(kChat) + ", requests: 4000", service), 6))
      for (const Call& call : session) said[id].emplace_back(call.spec.prompt_tokens, call.spec.output_tokens);
    return said;
  };
  const auto fast = lengths(0.01), slow = lengths(30);
  std::size_t same = 0;
  for (const auto& [id, said] : fast) {
    const auto found = slow.find(id);
    if (found == slow.end()) continue;
    const std::size_t both = std::min(said.size(), found->second.size());
    REQUIRE(std::equal(said.begin(), said.begin() + static_cast<std::ptrdiff_t>(both), found->second.begin()));
    same += both;
  }
  CHECK(same > 2000);
}

TEST_CASE("a turn that is not answered ends its session, and only this") {
  const std::string three =
      "rate: 1 /s, start: empty, turns: 3, first_prompt: 40, user_tokens: 20, output: 10, think_time: 1 s, duration: 1 "
      "h";
  const auto refuse = [](const RequestSpec& call) { return call.prompt_tokens == 70; };  // every second turn
  for (const Call& call : served(three, 1, SIZE_MAX, refuse)) REQUIRE(call.spec.prompt_tokens <= 70);
  std::int64_t last = 0;
  for (const Call& call : served(three)) last += call.spec.prompt_tokens == 100;
  CHECK(last > 3000);
}

TEST_CASE("a session ends where its next turn would exceed the context, or forgets and begins anew") {
  const std::string talk =
      "rate: 0.2 /s, start: empty, requests: 2000, turns: 50, shared_prefix: 32, first_prompt: 40, user_tokens: 20, "
      "output: 30, think_time: 1 s, max_context: 400";
  std::int32_t longest = 0;
  for (const auto& [id, session] : by_session(served(talk), 2)) {
    REQUIRE(session.size() <= 6);
    for (const Call& call : session) longest = std::max(longest, call.spec.prompt_tokens + call.spec.output_tokens);
  }
  CHECK(longest == 352);  // 72 + 30, and 5 turns of 50
  std::int64_t anew = 0;
  for (const Call& call : served(talk + ", at_limit: forget")) {
    REQUIRE(call.spec.prompt_tokens + call.spec.output_tokens <= 400);
    anew += call.spec.prompt_tokens == 52;  // the prefix and what the user says
  }
  CHECK(anew > 200);
}

constexpr char kAgents[] =
    "rate: 0.1 /s, start: empty, turns: 2, shared_prefix: 64, first_prompt: 100, user_tokens: 30, output: 20, "
    "think_time: 60 s, agents: {steps: 4, tool_tokens: 200, tool_gap: 2 s, branches: {probability: 0.5, width: 3, "
    "prompt: 10, output: {distribution: geometric, mean: 50}}}";

TEST_CASE("an agent's steps follow tools, branches share the conversation, and the next call waits for all of them") {
  const auto calls = served(std::string(kAgents) + ", requests: 4000");
  std::int64_t forks = 0, tools = 0, turns = 0;
  for (const auto& [id, session] : by_session(calls, 4)) {
    for (std::size_t i = 1; i < session.size(); ++i) {
      const Call& before = session[i - 1];
      const std::int32_t context = before.spec.prompt_tokens + before.spec.output_tokens;
      if (session[i].spec.prompt_tokens == context + 200) {
        REQUIRE(session[i].spec.arrival == before.end + Seconds(2));
        ++tools;
      } else if (session[i].spec.prompt_tokens == context + 30) {
        REQUIRE(session[i].spec.arrival == before.end + Seconds(60));
        ++turns;
      } else if (i + 3 < session.size()) {
        std::int32_t answers = 0;
        std::set<std::uint64_t> words;
        for (std::size_t b = i; b < i + 3; ++b) {
          REQUIRE(session[b].spec.arrival == before.end + Seconds(2));
          REQUIRE(session[b].spec.prompt_tokens == context + 10);
          answers += session[b].spec.output_tokens;
          const auto common = static_cast<std::ptrdiff_t>(context / 16);
          REQUIRE(std::equal(session[b].blocks.begin(), session[b].blocks.begin() + common, session[i].blocks.begin()));
          words.insert(session[b].blocks[static_cast<std::size_t>(common)]);
        }
        REQUIRE(words.size() == 3);
        const Call& join = session[i + 3];
        REQUIRE(join.spec.prompt_tokens == context + answers);
        REQUIRE(join.spec.arrival == session[i].end + Seconds(2));
        REQUIRE(words.count(join.blocks[static_cast<std::size_t>(context / 16)]) == 0);
        i += 3;
        ++forks;
      }
    }
  }
  CHECK(forks > 200);
  CHECK(tools > 200);
  CHECK(turns > 50);
}

TEST_CASE("a turn has as many calls as steps, those of branches not counted") {
  std::map<std::uint64_t, std::int64_t> calls;
  for (const auto& [id, session] : by_session(served(std::string(kAgents) + ", duration: 10 h"), 4)) {
    if (session.back().spec.arrival.seconds() > 30000) continue;
    std::map<std::int64_t, std::int64_t> at;
    for (const Call& call : session) ++at[call.spec.arrival.ns];
    std::int64_t single = 0;
    for (const auto& [time, count] : at) single += count == 1;
    REQUIRE(single == 8);  // two turns of four
  }
}

TEST_CASE("a branch that is not answered ends its session once all are back") {
  const auto calls = served(std::string(kAgents) + ", requests: 3000", 1, SIZE_MAX,
                            [](const RequestSpec& call) { return call.output_tokens > 60; });
  for (const auto& [id, session] : by_session(calls, 4))
    for (std::size_t i = 0; i + 1 < session.size(); ++i)
      if (session[i].spec.output_tokens > 60) REQUIRE(session.back().spec.arrival == session[i].spec.arrival);
}

TEST_CASE("the source of sessions allocates nothing once as many were in progress as will be") {
  const Workload workload =
      workload_of("sessions: {" + std::string(kAgents) + ", requests: 200000, max_context: 2000}");
  RequestSource& source = *workload.source;
  std::vector<RequestSpec> in_flight;  // answered in order, all after one second
  in_flight.reserve(1 << 20);
  std::size_t first = 0;
  const auto play = [&](std::size_t calls) {
    for (std::size_t i = 0; i < calls;) {
      const auto next = source.next_time();
      if (next && (first == in_flight.size() || *next <= in_flight[first].arrival + Seconds(1))) {
        in_flight.push_back(source.take());
        ++i;
      } else {
        source.ended(in_flight[first], in_flight[first].arrival + Seconds(1), true);
        ++first;
      }
    }
  };
  play(100'000);
  const std::int64_t before = testing::allocations;
  play(50'000);
  CHECK(testing::allocations - before <= 2);  // a new record of sessions in progress may still come
}

TEST_CASE("merged sessions keep their ids apart and are told their own answers") {
  const std::string one = "{sessions: {" + std::string(kChat) + ", requests: 800}}";
  const auto calls = serve(*workload_of("merge: [" + one + ", " + one + "]").source, 1);
  CHECK(calls.size() == 1600);
  std::set<std::uint64_t> prefixes;
  for (const Call& call : calls) prefixes.insert(call.blocks[0]);
  CHECK(prefixes.size() == 2);
}

}  // namespace
}  // namespace silicast
