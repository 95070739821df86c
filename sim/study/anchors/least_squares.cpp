#include "sim/study/anchors/least_squares.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <utility>

namespace silicast {
namespace {

using Vector = std::vector<double>;

Eigen::Map<const Eigen::VectorXd> as_vector(const Vector& values) {
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}

double dot(const Vector& a, const Vector& b) {
  return as_vector(a).dot(as_vector(b));
}

// The step that the slopes ask for. An unknown at its bound that would leave it takes no part.
Vector step_of(const std::vector<Vector>& slopes, const Vector& now, const Vector& x, double damping) {
  std::vector<std::size_t> free;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double uphill = dot(slopes[i], now);
    if (dot(slopes[i], slopes[i]) > 0 && !(x[i] <= 0 && uphill > 0) && !(x[i] >= 1 && uphill < 0)) free.push_back(i);
  }
  Vector step(x.size(), 0);
  if (free.empty()) return step;
  Eigen::MatrixXd slope(now.size(), free.size());
  for (std::size_t k = 0; k < free.size(); ++k) slope.col(static_cast<Eigen::Index>(k)) = as_vector(slopes[free[k]]);
  Eigen::MatrixXd matrix = slope.transpose() * slope;
  matrix.diagonal() *= 1 + damping;
  const Eigen::VectorXd inner = matrix.ldlt().solve(-slope.transpose() * as_vector(now));
  for (std::size_t k = 0; k < free.size(); ++k) step[free[k]] = inner(static_cast<Eigen::Index>(k));
  return step;
}

}  // namespace

Independent independent(const std::vector<Vector>& changes, double least, double apart) {
  Independent result;
  for (const Vector& change : changes) result.norms.push_back(std::sqrt(dot(change, change)));
  std::vector<Vector> left = changes;
  for (;;) {
    std::size_t longest = changes.size();
    double length = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
      const double own = std::sqrt(dot(left[i], left[i]));
      if (!(own >= least && own >= apart * result.norms[i] && own > length)) continue;
      longest = i, length = own;
    }
    if (longest == changes.size()) return result;
    result.chosen.push_back(longest);
    const Vector direction = left[longest];
    const double square = dot(direction, direction);
    for (Vector& one : left) {
      const double along = dot(one, direction) / square;
      for (std::size_t k = 0; k < one.size(); ++k) one[k] -= along * direction[k];
    }
    std::fill(left[longest].begin(), left[longest].end(), 0.0);
  }
}

Vector least_squares(const std::function<Vector(const Vector&)>& residuals, Vector x) {
  constexpr double kFirst = 0.2, kLast = 0.01, kSettled = 1e-3;
  Vector now = residuals(x);
  double damping = 1e-3, difference = kFirst;
  for (int round = 0; round < 40 && difference > kLast; ++round) {
    std::vector<Vector> slopes;
    for (std::size_t i = 0; i < x.size(); ++i) {
      Vector beside = x;
      beside[i] += x[i] > 0.5 ? -difference : difference;
      Vector slope = residuals(beside);
      for (std::size_t k = 0; k < slope.size(); ++k) slope[k] = (slope[k] - now[k]) / (beside[i] - x[i]);
      slopes.push_back(std::move(slope));
    }
    bool better = false;
    double moved = 1;
    for (int tries = 0; tries < 4 && !better && moved > kSettled; ++tries) {
      const Vector step = step_of(slopes, now, x, damping);
      Vector next = x;
      moved = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        next[i] = std::clamp(x[i] + step[i], 0.0, 1.0);
        moved = std::max(moved, std::abs(next[i] - x[i]));
      }
      if (moved <= kSettled) break;
      Vector there = residuals(next);
      better = dot(there, there) < dot(now, now);
      damping *= better ? 0.2 : 10;
      if (better) x = std::move(next), now = std::move(there);
    }
    if (!better) difference *= 0.4, damping = 1e-3;
  }
  return x;
}

}  // namespace silicast
