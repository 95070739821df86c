// When the decoding sequences of a replica last got a token. While they decode, all of them did at the end of the last
// iteration; while prompt-only iterations make them stand still, they fall into groups by their last token.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/base/check.hpp"
#include "sim/base/sim_time.hpp"

namespace silicast {

class TokenGaps {
 public:
  struct Group {
    SimTime last_token;
    std::int32_t sequences;
  };

  // An iteration without the decoding sequences begins.
  void stall(SimTime now, std::int32_t decoding) {
    if (groups_.empty() && decoding > 0) groups_.push_back({now, decoding});
  }
  // A sequence got its last token now and decodes from here on.
  void join(SimTime now) {
    if (groups_.empty()) return;
    if (groups_.back().last_token != now) groups_.push_back({now, 0});
    ++groups_.back().sequences;
  }
  // A sequence that got its last token at an earlier instant decodes from here on, beside `others` that got theirs now
  // if they have not stood still.
  void join_late(SimTime last_token, SimTime now, std::int32_t others) {
    stall(now, others);
    groups_.push_back({last_token, 1});
  }
  // A sequence stops to decode, `joined` when it last began to; gives the time of its last token.
  SimTime leave(SimTime joined, SimTime now) {
    if (groups_.empty()) return now;
    std::size_t i = 0;
    for (std::size_t g = 1; g < groups_.size(); ++g)
      if (groups_[g].last_token == joined && groups_[g].sequences > 0) i = g;  // several joined late may share it
    --groups_[i].sequences;
    SILICAST_CHECK(groups_[i].sequences >= 0);
    return groups_[i].last_token;
  }
  // The sequences decode again: adds the groups to `groups` and forgets them.
  void resume(std::vector<Group>& groups) {
    if (groups_.empty()) return;
    if (groups.empty()) {
      groups.swap(groups_);  // memory goes round
      return;
    }
    groups.insert(groups.end(), groups_.begin(), groups_.end());
    groups_.clear();
  }

 private:
  std::vector<Group> groups_;
};

}  // namespace silicast
