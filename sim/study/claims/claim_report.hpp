// Results of claims as text tables for people and as JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "sim/study/claims/claims.hpp"
#include "sim/study/validation/report_writer.hpp"

namespace silicast {

// Where a claim is true with typical stacks and where not, by system and workload, with the ratios:
// "950PR: P 1.40-1.52; 950DT-96, 950DT-144: Mix in part 1.61". A star: whatever the stacks' maturity.
struct ClaimSummary {
  std::string true_where, not_where;
  std::string impossible;  // what a side cannot run
  std::string why;         // what binds on each side: "memory on both: D1; compute against memory: P"
};
ClaimSummary summarise(const ClaimResult& result);

// The ratios of a system on a workload at all loads, and a word: "holds" whatever the stacks, "typically", "partly" (at
// some loads), "rarely" (with unlike stacks only), "fails", "impossible". Empty for no cells.
std::string matrix_cell(const std::vector<const ClaimCell*>& cells);

// A table of each claim, systems by workloads, or of its cells.
std::vector<ReportTable> claim_tables(const std::vector<ClaimResult>& results, bool cells);

std::string claims_json(const std::vector<ClaimResult>& results);

}  // namespace silicast
