// A validation report as text tables for people and as JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "sim/study/validation/support.hpp"
#include "sim/study/validation/validate.hpp"

namespace silicast {

struct ReportTable {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

// Errors by each view, bounds, what was not compared; `rows` puts one line per case and metric first.
std::vector<ReportTable> report_tables(const ValidationReport& report, bool rows);

// A line per model and precision, its chips by what is known of them.
ReportTable support_table(const std::vector<SupportRow>& rows);

// All of it, rows too; SI units, errors as fractions, null where there is nothing to say. `support` may be empty.
std::string report_json(const ValidationReport& report, const std::vector<SupportRow>& support);

}  // namespace silicast
