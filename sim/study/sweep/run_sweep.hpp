// A sweep on this machine: what is missing is computed on worker processes, what is there already is kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/study/sweep/sweep_file.hpp"

namespace silicast {

struct SweepProgress {
  std::size_t points = 0, done = 0, refused = 0, failed = 0;
  std::size_t there = 0;  // of these, from an earlier start
};

struct SweepOptions {
  std::string configs_dir;
  std::string out;
  std::size_t workers = 1;
  std::function<void(const SweepProgress&)> progress = {};
  std::function<bool()> stopped = [] { return false; };
};

struct SweepOutcome {
  SweepProgress progress;
  std::vector<SweepPoint> points;
  std::vector<PointResult> results;  // by points
  std::int64_t damaged = 0;          // records of the journal that could not be read
  bool interrupted = false;
};

// Writes `out`, now and then while it runs and at its end; OUT.journal is there until all points are. Points of an
// earlier `out` or journal whose keys are the same are kept, but for those that failed. Errors (InputError): of the
// sweep; another process writes `out`; the disk is full (the same call goes on from there).
SweepOutcome run_sweep(const SweepSpec& spec, const SweepOptions& options);

}  // namespace silicast
