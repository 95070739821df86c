// Runs validation cases and compares: the command `silicast validate` in one call.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/io/quantity_text.hpp"
#include "sim/study/validation/metric.hpp"
#include "sim/study/validation/readers.hpp"
#include "sim/study/validation/statistics.hpp"
#include "sim/study/validation/validation_case.hpp"

namespace silicast {

struct Comparison {
  std::string metric;
  double measured = 0, predicted = 0;  // base units
  double error = 0;  // predicted / measured - 1; of curves the area between them over the measured one's
  std::optional<double> low = {},
                        high = {};  // predicted of an untuned and a tuned stack, where the chip was left out of the fit
};

struct CaseResult {
  const ValidationCase* about = nullptr;  // of ValidationReport::cases
  CaseLabels labels;                      // of the scenario where it could be read
  std::string load;
  std::string unsupported;              // why nothing is compared; empty where it is
  std::vector<Comparison> comparisons;  // in the case's order
  std::vector<CurvePoint> curve;
};

struct BoundResult {
  std::string name;
  std::string figure;  // "median"
  double at_most = 0;
  std::size_t cases = 0;        // none: nothing was tested
  std::optional<double> value;  // nullopt where nothing was tested
  bool broken() const { return value && !(*value <= at_most); }
};

// A model or a die that a fit did not see (sim/study/holdout), and what the others make of the numbers.
struct LeftOut {
  struct Moved {
    std::string what;  // "gemm.compute of h200", "vllm-0.18 host.per_request"
    double from = 0, to = 0;
    Dimension dimension = Dimension::kNumber;
  };
  std::string name;
  std::size_t cases = 0;
  std::vector<Moved> moved;  // by over a fifth of their spread, the furthest first
};

struct ValidationOptions {
  std::string configs_dir;
  std::vector<std::string> data;      // files and folders, beside the cases that ship
  std::vector<std::string> only;      // patterns of is_chosen()
  std::vector<std::string> settings;  // --set, of every scenario
  std::size_t threads = 1;
};

struct ValidationReport {
  CaseFiles files;  // its cases are those chosen
  std::vector<CaseResult> results;
  std::vector<BoundResult> bounds;
  std::vector<LeftOut> left_out;  // empty where nothing was
  bool bounds_hold() const;
};

// The same report at any number of threads. Errors: InputError for bad files, bad settings, patterns that choose
// nothing; a scenario that is refused makes its case unsupported instead.
ValidationReport validate(const ValidationOptions& options);

// One result; `settings` as above.
CaseResult run_case(const ValidationCase& one, const ValidationOptions& options);

}  // namespace silicast
