// When the decoding sequences got their last tokens, against a list that remembers it for each of them.
#include <map>

#include "serving_for_tests.hpp"

namespace silicast::testing {
namespace {

std::map<std::int64_t, std::int32_t> counted(const std::vector<TokenGaps::Group>& groups) {
  std::map<std::int64_t, std::int32_t> counts;
  for (const TokenGaps::Group& group : groups)
    if (group.sequences > 0) counts[group.last_token.ns] += group.sequences;
  return counts;
}

TEST_CASE("sequences that never stood still are in no group") {
  TokenGaps gaps;
  std::vector<TokenGaps::Group> groups;
  gaps.join(at(1));
  gaps.resume(groups);
  CHECK(groups.empty());
}

TEST_CASE("ranks that resume together hand over the groups of all") {
  TokenGaps first, second;
  first.stall(at(1), 3);
  second.stall(at(2), 4);
  std::vector<TokenGaps::Group> groups;
  first.resume(groups);
  second.resume(groups);
  CHECK(counted(groups) == std::map<std::int64_t, std::int32_t>{{at(1).ns, 3}, {at(2).ns, 4}});
  first.resume(groups);
  CHECK(groups.size() == 2);  // handed over once
}

TEST_CASE("sequences stand still from the first of several iterations without them") {
  TokenGaps gaps;
  gaps.stall(at(1), 3);
  gaps.stall(at(2), 3);
  std::vector<TokenGaps::Group> groups;
  gaps.resume(groups);
  REQUIRE(groups.size() == 1);
  CHECK((groups[0].last_token == at(1) && groups[0].sequences == 3));
}

TEST_CASE("a sequence that leaves tells when it got its last token") {
  TokenGaps gaps;
  CHECK(gaps.leave(at(1), at(5)) == at(5));  // nobody stands still: with the iteration that ends now
  gaps.stall(at(5), 2);
  gaps.join(at(7));
  CHECK(gaps.leave(at(1), at(8)) == at(5));
  CHECK(gaps.leave(at(7), at(8)) == at(7));
}

TEST_CASE("of two that came late with one last token either can leave") {
  TokenGaps gaps;
  gaps.join_late(at(1), at(5), 3);
  gaps.join_late(at(1), at(5), 3);
  CHECK(gaps.leave(at(1), at(6)) == at(1));
  CHECK(gaps.leave(at(1), at(6)) == at(1));
  std::vector<TokenGaps::Group> groups;
  gaps.resume(groups);
  CHECK(counted(groups) == std::map<std::int64_t, std::int32_t>{{at(5).ns, 3}});
}

TEST_CASE("the groups agree with a list of sequences through any mix of iterations") {
  std::int64_t groups_seen = 0;
  check_property(300, [&] {
    struct Sequence {
      SimTime joined, last_token;
    };
    TokenGaps gaps;
    std::vector<Sequence> model;
    SimTime now;
    for (int iteration = 0; iteration < 40; ++iteration) {
      const bool decodes = !model.empty() && draw(0, 2) == 0;
      if (decodes) {
        std::vector<TokenGaps::Group> groups;
        std::map<std::int64_t, std::int32_t> waited;
        gaps.resume(groups);
        groups_seen += std::ssize(groups);
        for (const Sequence& sequence : model)
          if (sequence.last_token != now) ++waited[sequence.last_token.ns];
        auto longer = counted(groups);
        longer.erase(now.ns);  // those wait no longer than the iteration
        RC_ASSERT((longer == waited));
      } else {
        gaps.stall(now, static_cast<std::int32_t>(model.size()));
      }
      now.ns += draw(1, 99);
      if (decodes)
        for (Sequence& sequence : model) sequence.last_token = now;
      // Some leave at the end of the iteration, others begin to decode.
      while (!model.empty() && draw(0, 2) == 0) {
        const auto gone = model.begin() + draw<std::ptrdiff_t>(0, std::ssize(model) - 1);
        RC_ASSERT(gaps.leave(gone->joined, now) == gone->last_token);
        model.erase(gone);
      }
      for (int joining = draw(0, 2); joining > 0; --joining) {
        gaps.join(now);
        model.push_back({now, now});
      }
    }
  });
  CHECK(groups_seen > 500);
}

}  // namespace
}  // namespace silicast::testing
