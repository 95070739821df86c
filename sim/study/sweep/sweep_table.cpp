#include "sim/study/sweep/sweep_table.hpp"

#include <algorithm>

namespace silicast {

SweepTable::SweepTable(const SweepSpec& spec, const std::string& configs_dir)
    : spec_(spec), configs_dir_(configs_dir), points_(sweep_points(spec)), results_(points_.size()) {
  progress_.points = points_.size();
  const std::uint64_t signature = inputs_signature(spec, configs_dir);
  for (std::size_t i = 0; i < points_.size(); ++i) {
    results_[i].key = point_key(scenario_of(spec, points_[i]), signature);
    by_key_[results_[i].key].push_back(i);
  }
}

void SweepTable::count(PointState state, std::size_t points, bool add) {
  if (state == PointState::kMissing) return;
  std::size_t& counter = state == PointState::kDone      ? progress_.done
                         : state == PointState::kRefused ? progress_.refused
                                                         : progress_.failed;
  counter = add ? counter + points : counter - points;
}

bool SweepTable::take(const PointResult& result) {
  const auto found = by_key_.find(result.key);
  if (found == by_key_.end()) return false;
  const PointState before = results_[found->second[0]].state;
  const bool better =
      before == PointState::kMissing || (before == PointState::kFailed && result.state != PointState::kFailed);
  if (!better) return false;
  count(before, found->second.size(), false);
  count(result.state, found->second.size(), true);
  for (const std::size_t index : found->second) results_[index] = result;
  return true;
}

void SweepTable::keep(const std::vector<PointResult>& results) {
  for (const PointResult& result : results)
    if (result.state != PointState::kFailed) take(result);
  progress_.there = progress_.ended();
}

std::vector<std::int32_t> SweepTable::missing() const {
  std::vector<std::int32_t> indices;
  for (const auto& [key, points] : by_key_)
    if (results_[points[0]].state == PointState::kMissing) indices.push_back(static_cast<std::int32_t>(points[0]));
  std::sort(indices.begin(), indices.end());
  return indices;
}

}  // namespace silicast
