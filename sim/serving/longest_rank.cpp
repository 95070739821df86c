#include "sim/serving/longest_rank.hpp"

#include <algorithm>
#include <bit>

#include "sim/base/first_integer.hpp"

namespace silicast {

LongestRank::LongestRank(std::int32_t ranks)
    : leaves_(std::max<std::size_t>(2, std::bit_ceil(static_cast<std::size_t>(ranks)))),
      lanes_(leaves_),
      nodes_(2 * leaves_) {
  for (std::size_t i = 0; i < leaves_; ++i) nodes_[leaves_ + i] = {static_cast<std::int32_t>(i), 0, kForever};
  for (std::size_t node = leaves_ - 1; node > 0; --node) play(node, 0);
}

void LongestRank::play(std::size_t node, std::int64_t now) {
  const Node &left = nodes_[2 * node], &right = nodes_[2 * node + 1];
  const Lane &a = lanes_[static_cast<std::size_t>(left.winner)], &b = lanes_[static_cast<std::size_t>(right.winner)];
  const bool left_wins = a.at(now) != b.at(now) ? a.at(now) > b.at(now) : a.slope >= b.slope;
  const Lane &ahead = left_wins ? a : b, &behind = left_wins ? b : a;
  Node& result = nodes_[node];
  result.winner = left_wins ? left.winner : right.winner;
  result.tokens = std::max(left.tokens, right.tokens);
  result.until = std::min(left.until, right.until);
  // Slopes that differ by rounding alone stay together within 1e-12, however long the run.
  if (behind.slope <= ahead.slope * (1 + 1e-13)) return;
  const double guess = (ahead.at(now) - behind.at(now)) / (behind.slope - ahead.slope);
  const std::int64_t overtaken =
      first_integer(guess, [&](std::int64_t i) { return behind.at(now + i) > ahead.at(now + i); });
  if (overtaken != kForever) result.until = std::min(result.until, now + overtaken);
}

void LongestRank::set(std::int32_t rank, const IterationLine& line, std::int32_t tokens, std::int64_t now) {
  const auto leaf = static_cast<std::size_t>(rank);
  lanes_[leaf] = {line.first, line.slope, now};
  nodes_[leaves_ + leaf].tokens = tokens;
  for (std::size_t node = (leaves_ + leaf) / 2; node > 0; node /= 2) play(node, now);
}

void LongestRank::refresh(std::size_t node, std::int64_t now) {
  if (node >= leaves_ || nodes_[node].until > now) return;
  refresh(2 * node, now);
  refresh(2 * node + 1, now);
  play(node, now);
}

IterationLine LongestRank::line(std::int64_t now) {
  refresh(1, now);
  const Lane& longest = lanes_[static_cast<std::size_t>(nodes_[1].winner)];
  IterationLine result{longest.at(now), longest.slope};
  if (nodes_[1].until != kForever) result.iterations = nodes_[1].until - now;
  return result;
}

}  // namespace silicast
