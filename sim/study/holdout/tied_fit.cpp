#include "sim/study/holdout/tied_fit.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

constexpr double kWild = 2;  // residuals over noise, at which a row counts half
constexpr int kRounds = 50;  // of iterated weights

// Quadratic ties of the unknowns to what is known, their groups' common values behind them: x'Ax - 2b'x.
struct Ties {
  Eigen::MatrixXd a;
  Eigen::VectorXd b;
};

Ties ties_of(const std::vector<TiedUnknown>& unknowns, std::size_t groups) {
  const auto count = static_cast<Eigen::Index>(unknowns.size() + groups);
  Ties ties{Eigen::MatrixXd::Zero(count, count), Eigen::VectorXd::Zero(count)};
  std::vector<bool> tied(groups, false);
  for (std::size_t i = 0; i < unknowns.size(); ++i) {
    const TiedUnknown& one = unknowns[i];
    SILICAST_CHECK(one.spread > 0, "unknown {} has no spread", i);
    const double strength = 1 / (one.spread * one.spread);
    const auto at = static_cast<Eigen::Index>(i);
    ties.a(at, at) += strength;
    if (!one.group) {
      ties.b(at) += strength * one.about;
      continue;
    }
    const auto common = static_cast<Eigen::Index>(unknowns.size() + *one.group);
    ties.a(common, common) += strength;
    ties.a(at, common) -= strength;
    ties.a(common, at) -= strength;
    if (tied[*one.group]) continue;
    tied[*one.group] = true;
    const double strength_between = 1 / (one.between * one.between);
    ties.a(common, common) += strength_between;
    ties.b(common) += strength_between * one.about;
  }
  return ties;
}

}  // namespace

std::vector<double> tied_fit(const std::vector<TiedUnknown>& unknowns, const std::vector<TiedRow>& rows, double noise) {
  std::size_t groups = 0;
  for (const TiedUnknown& one : unknowns)
    if (one.group) groups = std::max(groups, *one.group + 1);
  const Ties ties = ties_of(unknowns, groups);
  const auto count = static_cast<Eigen::Index>(unknowns.size());
  Eigen::VectorXd present(count);
  for (Eigen::Index i = 0; i < count; ++i) present(i) = unknowns[static_cast<std::size_t>(i)].present;
  const auto slope_of = [&](const TiedRow& row) { return Eigen::Map<const Eigen::VectorXd>(row.slope.data(), count); };
  Eigen::VectorXd x = present;
  for (int round = 0; round < kRounds; ++round) {
    Eigen::MatrixXd a = ties.a;
    Eigen::VectorXd b = ties.b;
    for (const TiedRow& row : rows) {
      SILICAST_CHECK(row.slope.size() == unknowns.size(), "{} slopes of {} unknowns", row.slope.size(),
                     unknowns.size());
      const auto slope = slope_of(row);
      const double scaled = std::abs(row.residual + slope.dot(x - present)) / noise;
      const double weight = row.weight / (noise * noise) / (1 + scaled * scaled / (kWild * kWild));
      a.topLeftCorner(count, count) += weight * slope * slope.transpose();
      b.head(count) += weight * slope * (slope.dot(present) - row.residual);
    }
    x = a.ldlt().solve(b).head(count);
  }
  return {x.data(), x.data() + count};
}

}  // namespace silicast
