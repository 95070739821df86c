// How a batch's tokens fall on routed experts, and what that leaves to the busiest rank.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/model/model_spec.hpp"
#include "sim/model/parallel_plan.hpp"

namespace silicast {

// Work of the rank that the others wait for.
struct ExpertLoad {
  double rows = 0;     // (token, expert) pairs
  double experts = 0;  // distinct experts with at least one token
};

// Experts are not equally popular: their shares of the tokens are log-normal with a coefficient of variation `skew`
// (0: all alike), and each token draws `active` different ones. Shares of experts are placed at random, or, with
// redundant experts, the busiest are copied and all packed evenly (as DeepSeek's EPLB does).
class ExpertLoads {
 public:
  ExpertLoads(const FeedForwardSpec& block, const ParallelPlan& plan, double skew);

  // `tokens` over all ranks of the stage.
  ExpertLoad load(std::int64_t tokens) const;
  // Load of the fullest share over the mean one, for very many tokens.
  double placement_imbalance() const { return imbalance_; }

 private:
  std::vector<double> popularity_;  // probability that a token goes to an expert, by expert
  double active_;
  double shares_;
  double per_share_;  // experts that a share holds
  double imbalance_ = 1;
  double extreme_;  // expected largest of `shares` normal deviates
};

}  // namespace silicast
