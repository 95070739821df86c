// The one list of named numbers behind the table, the JSON and the HDF5 attributes: key, label, unit, value,
// range.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/report/summary.hpp"

namespace silicast {

struct Metric {
  std::string key;      // with its SI unit as suffix: "ttft_p99_s", "output_tokens_per_s"; never changes meaning
  std::string section;  // heading in the table
  std::string label;    // "TTFT p99"
  std::string unit;     // as shown in the table: "ms", "%", "RMB"; "" for counts
  std::string_view si_unit() const;  // of the value itself: "s", "1", "1/s", "W", "J", "g", "RMB", "USD"
  double scale = 1;                  // shown = value * scale
  bool void_when_unstable = false;   // says nothing when the queue grows without bound
  double value = kNoValue;
  bool in_tables = true;   // else in JSON and HDF5 only
  bool has_range = false;  // low and high are stored as key_low, key_high
  double low = kNoValue;   // 95% confidence interval (latencies) or range of the evidence (energy, cost)
  double high = kNoValue;
};

// Numbers of the whole run, of one group, of one pool's hardware, of a cost. Absent values are NaN, and so
// are those marked void_when_unstable when `unstable`. The keys do not depend on the values.
std::vector<Metric> group_metrics(const GroupSummary& group, bool unstable);
std::vector<Metric> use_metrics(const PoolUse& use);
std::vector<Metric> cost_metrics(const Cost& cost);
// All of the above for the whole run (use_metrics only where there is one pool), and window, energy and
// Little's law.
std::vector<Metric> run_metrics(const Summary& summary);

// Of an empty group, and of an empty run with costs: every key there is, with its label.
std::vector<Metric> group_catalogue();
std::vector<Metric> metric_catalogue();

}  // namespace silicast
