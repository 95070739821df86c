#include "sim/model/expert_load.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "sim/base/check.hpp"
#include "sim/base/random.hpp"

namespace silicast {
namespace {

// Inverse of the normal distribution by bisection on erfc; only used before a run.
double normal_quantile(double p) {
  double low = -10, high = 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

// Expected largest of n normal deviates (Blom 1958).
double expected_largest(double n) {
  return n > 1 ? normal_quantile((n - 0.375) / (n + 0.25)) : 0;
}

// Probabilities that sum up to `active`, at most 1 each: log-normal quantiles, the most popular first.
std::vector<double> popularities(std::int32_t experts, std::int32_t active, double skew) {
  SILICAST_CHECK(experts > 0 && std::isfinite(skew) && skew >= 0, "{} experts, skew {}", experts, skew);
  const double sigma = std::sqrt(std::log1p(skew * skew));
  std::vector<double> result;
  for (std::int32_t i = experts; i-- > 0;) result.push_back(std::exp(sigma * normal_quantile((i + 0.5) / experts)));
  const double whole = std::accumulate(result.begin(), result.end(), 0.0) * result.front();
  for (double& p : result) p /= whole;
  // Scaled to the sum; what exceeds 1 is spread over the others.
  for (int round = 0; round < 50; ++round) {
    double free = 0, fixed = 0;
    for (const double p : result) (p >= 1 ? fixed : free) += p >= 1 ? 1 : p;
    const double factor = free > 0 ? (active - fixed) / free : 1;
    for (double& p : result) p = p >= 1 ? 1 : std::min(1.0, p * factor);
    if (std::abs(factor - 1) < 1e-12) break;
  }
  return result;
}

double fullest_over_mean(const std::vector<double>& shares) {
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  return *std::max_element(shares.begin(), shares.end()) * static_cast<double>(shares.size()) / sum;
}

// Mean over a few random placements.
double random_placement(std::vector<double> popularity, std::size_t shares) {
  constexpr int kPlacements = 32;
  RandomStream random(0, "expert placement");
  double sum = 0;
  for (int trial = 0; trial < kPlacements; ++trial) {
    for (std::size_t i = popularity.size(); i > 1; --i) std::swap(popularity[i - 1], popularity[random.below(i)]);
    std::vector<double> loads(shares, 0);
    for (std::size_t i = 0; i < popularity.size(); ++i) loads[i * shares / popularity.size()] += popularity[i];
    sum += fullest_over_mean(loads);
  }
  return sum / kPlacements;
}

// The busiest expert per copy gets the next copy; then all go, the busiest first, to the emptiest share with room.
double balanced_placement(const std::vector<double>& popularity, std::size_t shares, std::int32_t redundant) {
  std::vector<int> copies(popularity.size(), 1);
  for (std::int32_t i = 0; i < redundant; ++i) {
    std::size_t busiest = 0;
    for (std::size_t e = 1; e < popularity.size(); ++e)
      if (popularity[e] / copies[e] > popularity[busiest] / copies[busiest]) busiest = e;
    ++copies[busiest];
  }
  std::vector<double> pieces;
  for (std::size_t e = 0; e < popularity.size(); ++e) pieces.insert(pieces.end(), copies[e], popularity[e] / copies[e]);
  std::sort(pieces.rbegin(), pieces.rend());
  const std::size_t room = (pieces.size() + shares - 1) / shares;
  std::vector<double> loads(shares, 0);
  std::vector<std::size_t> held(shares, 0);
  for (const double piece : pieces) {
    std::size_t emptiest = shares;
    for (std::size_t s = 0; s < shares; ++s)
      if (held[s] < room && (emptiest == shares || loads[s] < loads[emptiest])) emptiest = s;
    loads[emptiest] += piece;
    ++held[emptiest];
  }
  return fullest_over_mean(loads);
}

}  // namespace

ExpertLoads::ExpertLoads(const FeedForwardSpec& block, const ParallelPlan& plan, double skew)
    : popularity_(popularities(block.experts, block.active, skew)),
      active_(block.active),
      shares_(plan.expert),
      per_share_(static_cast<double>(plan.experts_per_rank(block))),
      extreme_(expected_largest(plan.expert)) {
  const auto shares = static_cast<std::size_t>(plan.expert);
  if (shares == 1) return;
  imbalance_ = plan.redundant_experts > 0 ? balanced_placement(popularity_, shares, plan.redundant_experts)
                                          : random_placement(popularity_, shares);
}

ExpertLoad ExpertLoads::load(std::int64_t tokens) const {
  const double n = static_cast<double>(tokens);
  const double mean = n * active_ / shares_;
  // Two independent reasons to exceed the mean: popularity as placed, and chance, which fades with more tokens.
  const double chance = extreme_ / std::sqrt(std::max(mean, 1.0));
  const double excess = std::sqrt((imbalance_ - 1) * (imbalance_ - 1) + chance * chance);
  double distinct = 0;
  for (const double p : popularity_) distinct += 1 - std::pow(1 - p, n);
  distinct /= shares_;
  ExpertLoad result;
  result.rows = std::min(mean * (1 + excess), n * active_);
  // The busiest rank has more distinct experts as well, but no more than it holds, nor than it has rows.
  result.experts = std::min({distinct * (1 + (shares_ > 1 ? chance : 0)), per_share_, result.rows});
  result.experts = std::max(result.experts, std::min(1.0, result.rows));
  return result;
}

}  // namespace silicast
