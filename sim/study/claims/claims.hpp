// Runs claims: every pair of systems on every workload that a sentence may mean, and whether it is true there.
#pragma once

#include <string>
#include <vector>

#include "sim/study/claims/claim.hpp"
#include "sim/study/claims/claim_side.hpp"

namespace silicast {

// Of a ratio that lies between the worst and the best that the maturity of both stacks can make of it.
enum class Verdict {
  kHolds,       // within the claimed band, whatever the stacks' maturity
  kDepends,     // the stacks' maturity decides
  kFails,       // outside, whatever the stacks' maturity
  kImpossible,  // a side cannot run it
};
std::string_view name_of(Verdict verdict);  // "holds", "depends", "fails", "impossible"

struct ClaimCell {
  std::string system, against;  // labels; `against` is empty where the figure itself is claimed
  std::string workload, point, precision;
  double ratio = 0;               // with typical stacks, or those that the claim names
  double low = 0, high = 0;       // untuned against tuned, tuned against untuned
  double untuned = 0, tuned = 0;  // both alike
  Verdict verdict = Verdict::kImpossible;
  bool typically = false;             // the ratio of typical stacks is within the band
  SideAnswer a, b;                    // with typical stacks; nothing in them for figures of datasheets
  double figure_a = 0, figure_b = 0;  // what the ratio is of
  std::string impossible;             // whose it is, and why
};

struct ClaimResult {
  Claim claim;
  std::vector<ClaimCell> cells;  // by workload, point, precision, system, against
};

struct ClaimOptions {
  std::string configs_dir;
  std::vector<std::string> only;  // shell patterns of claim names; none: all
  std::size_t threads = 1;
};

// Those that ship, as chosen. Errors (InputError): bad files; patterns that choose nothing.
std::vector<Claim> choose_claims(const ClaimOptions& options);

// The same at any number of threads.
std::vector<ClaimResult> run_claims(std::vector<Claim> claims, const ClaimOptions& options);

// Of a ratio and its range.
Verdict judge(const Claim& claim, double low, double high);

}  // namespace silicast
