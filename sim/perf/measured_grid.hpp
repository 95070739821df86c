// Measured times over a few coordinates, interpolated.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace silicast {

// One axis after another: every value of the first has a grid over the others, and these need not be alike. So tables
// whose axes depend on each other (no more active experts than tokens allow) need no filling up.
class MeasuredGrid {
 public:
  static constexpr std::size_t kMaxAxes = 4;
  using Point = std::array<double, kMaxAxes>;
  struct Row {
    Point at{};
    double seconds = 0;
  };

  MeasuredGrid() = default;
  // In any order; no two rows at one point.
  MeasuredGrid(std::vector<Row> rows, std::size_t axes);

  bool empty() const { return root_.at.empty(); }
  double last(std::size_t axis) const { return last_[axis]; }  // the largest value that it has anywhere
  std::vector<double> values(std::size_t axis) const;          // all that it has, sorted

  // Linear between neighbours along each axis. Below the first value of an axis its time holds: a kernel has a shortest
  // time. Beyond the last one it grows as `estimate` (a positive function of a Point) does from there.
  template <class Estimate>
  double at(const Point& x, const Estimate& estimate) const {
    Point asked = x, reached = x;
    return below(root_, 0, x, asked, reached, estimate);
  }

 private:
  struct Node {
    std::vector<double> at;
    std::vector<Node> below;      // one for each, but on the last axis
    std::vector<double> seconds;  // on the last axis
  };

  static Node build(const Row* begin, const Row* end, std::size_t axis, std::size_t axes);
  static void collect(const Node& node, std::size_t axis, std::size_t wanted, std::vector<double>& into);

  template <class Estimate>
  static double below(const Node& node, std::size_t axis, const Point& x, Point& asked, Point& reached,
                      const Estimate& estimate) {
    const auto value = [&](std::size_t i, double wanted) {
      asked[axis] = wanted;
      reached[axis] = node.at[i];
      if (node.seconds.empty()) return below(node.below[i], axis + 1, x, asked, reached, estimate);
      const double seconds = node.seconds[i];
      return asked == reached ? seconds : seconds * (estimate(asked) / estimate(reached));
    };
    const std::vector<double>& at = node.at;
    if (x[axis] <= at.front()) return value(0, at.front());
    if (x[axis] >= at.back()) return value(at.size() - 1, x[axis]);
    const auto next = static_cast<std::size_t>(std::upper_bound(at.begin(), at.end(), x[axis]) - at.begin());
    const double share = (x[axis] - at[next - 1]) / (at[next] - at[next - 1]);
    const double low = value(next - 1, at[next - 1]);
    return share == 0 ? low : low + share * (value(next, at[next]) - low);
  }

  Node root_;
  Point last_{};
};

}  // namespace silicast
