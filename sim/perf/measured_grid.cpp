#include "sim/perf/measured_grid.hpp"

#include "sim/base/check.hpp"

namespace silicast {

MeasuredGrid::MeasuredGrid(std::vector<Row> rows, std::size_t axes) {
  SILICAST_CHECK(!rows.empty() && axes >= 1 && axes <= kMaxAxes, "{} rows over {} axes", rows.size(), axes);
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.at < b.at; });
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SILICAST_CHECK(rows[i].seconds > 0 && (i == 0 || rows[i - 1].at < rows[i].at), "row {} of a grid", i);
    for (std::size_t axis = 0; axis < axes; ++axis) last_[axis] = std::max(last_[axis], rows[i].at[axis]);
  }
  root_ = build(rows.data(), rows.data() + rows.size(), 0, axes);
}

MeasuredGrid::Node MeasuredGrid::build(const Row* begin, const Row* end, std::size_t axis, std::size_t axes) {
  Node node;
  while (begin != end) {
    const Row* next = std::find_if(begin, end, [&](const Row& row) { return row.at[axis] != begin->at[axis]; });
    node.at.push_back(begin->at[axis]);
    if (axis + 1 == axes)
      node.seconds.push_back(begin->seconds);
    else
      node.below.push_back(build(begin, next, axis + 1, axes));
    begin = next;
  }
  return node;
}

std::vector<double> MeasuredGrid::values(std::size_t axis) const {
  std::vector<double> values;
  collect(root_, 0, axis, values);
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

void MeasuredGrid::collect(const Node& node, std::size_t axis, std::size_t wanted, std::vector<double>& into) {
  if (axis == wanted) into.insert(into.end(), node.at.begin(), node.at.end());
  if (axis < wanted)
    for (const Node& below : node.below) collect(below, axis + 1, wanted, into);
}

}  // namespace silicast
