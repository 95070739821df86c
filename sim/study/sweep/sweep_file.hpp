// The one file of a sweep: a table of inputs and summaries, in the order of the points whoever computed them when.
// Equal results give equal bytes. README.md describes its columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/study/sweep/point_result.hpp"
#include "sim/study/sweep/sweep_points.hpp"

namespace silicast {

// Where the requests of the points of a key go: "OUT.rows/0123456789abcdef.h5". Of the key, as the place of a point
// changes with its sweep.
std::string rows_file(const std::string& out, std::uint64_t key);

// Replaces `path` at once, also while others read it. Errors (InputError): the path cannot be written; it is there and
// no file of HDF5.
void write_sweep_file(const std::string& path, const SweepSpec& spec, const std::vector<SweepPoint>& points,
                      const std::vector<PointResult>& results);

// Points that a file holds as done; none where there is no such file, or it is another version's. Error (InputError):
// it is damaged, or no sweep's.
std::vector<PointResult> read_sweep_file(const std::string& path);

}  // namespace silicast
