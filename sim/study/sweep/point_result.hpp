// What became of one run of a sweep, and the bytes that carry it between processes and into the journal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/io/config_node.hpp"

namespace silicast {

enum class PointState : std::uint8_t {
  kMissing,  // not computed yet
  kDone,
  kRefused,  // its scenario is not valid: no memory, no such layout
  kFailed,   // a mistake of silicast, or whoever computed it was killed
};
inline constexpr std::string_view kPointStates = "missing,done,refused,failed";

// A column of summaries: a metric, or an end of its range.
struct SummaryColumn {
  std::string key, unit, description;
};
const std::vector<SummaryColumn>& summary_columns();

struct PointResult {
  std::uint64_t key = 0;  // of sweep_points.hpp
  PointState state = PointState::kMissing;
  bool unstable = false;
  std::uint64_t fingerprint = 0;  // of all request records
  std::string message;            // why not, unless done
  std::vector<double> summary;    // by summary_columns(); empty unless done
};

// Runs it; requests go to `rows_file` where one is named. Never throws.
PointResult run_point(ConfigNode scenario, const std::string& path, const std::string& configs_dir,
                      const std::string& rows_file);

std::string to_bytes(const PointResult& result);
// False: not what to_bytes() gives.
bool from_bytes(std::string_view bytes, PointResult& result);

}  // namespace silicast
