// What a sweep has so far: its points, their keys, the results that are there.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/study/sweep/point_result.hpp"
#include "sim/study/sweep/sweep_points.hpp"

namespace silicast {

struct SweepProgress {
  std::size_t points = 0, done = 0, refused = 0, failed = 0;
  std::size_t there = 0;  // of these, from an earlier start
  std::size_t ended() const { return done + refused + failed; }
};

class SweepTable {
 public:
  // Errors (InputError): of sweep_points() and scenario_of().
  SweepTable(const SweepSpec& spec, const std::string& configs_dir);

  const SweepSpec& spec() const { return spec_; }
  const std::string& configs_dir() const { return configs_dir_; }
  const std::vector<SweepPoint>& points() const { return points_; }
  const std::vector<PointResult>& results() const { return results_; }  // by points
  const SweepProgress& progress() const { return progress_; }

  // Of all points with its key, as axes may give one scenario twice. False: no point has it, or it is there already (a
  // result takes the place of a failure).
  bool take(const PointResult& result);
  // The same of an earlier start; failures are not kept, so that they are tried again.
  void keep(const std::vector<PointResult>& results);
  std::vector<std::int32_t> missing() const;  // the first point of each key without a result, in order

 private:
  void count(PointState state, std::size_t points, bool add);

  SweepSpec spec_;
  std::string configs_dir_;
  std::vector<SweepPoint> points_;
  std::vector<PointResult> results_;
  std::map<std::uint64_t, std::vector<std::size_t>> by_key_;
  SweepProgress progress_;
};

}  // namespace silicast
