// Which of several ranks in lock step takes longest, as their durations grow along lines: a tournament whose matches
// remember until when their winner stays ahead.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/perf/iteration_cost.hpp"

namespace silicast {

class LongestRank {
 public:
  explicit LongestRank(std::int32_t ranks);

  // From iteration `now` on the rank takes line.first + line.slope * (i - now) seconds in iteration i and computes
  // `tokens`. O(log ranks).
  void set(std::int32_t rank, const IterationLine& line, std::int32_t tokens, std::int64_t now);

  // The longest line from iteration `now` on, and for how many iterations it stays the longest; `now` never goes back.
  IterationLine line(std::int64_t now);
  std::int32_t rank() const { return nodes_[1].winner; }         // whose line that is
  std::int32_t most_tokens() const { return nodes_[1].tokens; }  // of any rank

 private:
  struct Lane {
    double first = 0;
    double slope = 0;
    std::int64_t since = 0;
    double at(std::int64_t i) const { return first + slope * static_cast<double>(i - since); }
  };
  struct Node {
    std::int32_t winner = 0;
    std::int32_t tokens = 0;
    std::int64_t until = 0;  // the winner is known to stay ahead before this iteration
  };

  void play(std::size_t node, std::int64_t now);
  void refresh(std::size_t node, std::int64_t now);

  std::size_t leaves_;
  std::vector<Lane> lanes_;
  std::vector<Node> nodes_;  // [1] the root, from [leaves_] on the ranks
};

}  // namespace silicast
