// Summaries as a table for people: one row per metric with its unit, one column per run (or pool, or class).
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "sim/report/metrics.hpp"
#include "sim/report/summary.hpp"

namespace silicast {

// One column, from a summary or read back from a file.
struct TableColumn {
  std::string title;
  std::map<std::string, double> values;      // by metric key, ranges as key_low and key_high
  std::map<std::string, std::string> texts;  // by row label, shown above the numbers: "chip", "cost rests on"
  std::vector<std::string> notes;
  bool unstable = false;  // TTFT and E2E are shown as "unstable"
};

TableColumn column_of(const Summary& summary);

// "4.803", "0.0421", "1,234"... `digits` significant, never an exponent below 10^15; "-" for NaN.
std::string format_significant(double value, int digits = 4);

// Rows of the catalogue for which at least one column has a value, with section headings. Ranges are shown
// beside values where there are at most `max_columns_with_ranges` columns.
std::string table_of(std::span<const TableColumn> columns, std::span<const Metric> catalogue,
                     std::size_t max_columns_with_ranges = 3);

// The table of one run (with its pools and classes) or of several side by side, target results and notes
// below.
std::string summary_table(std::span<const Summary> runs);

}  // namespace silicast
