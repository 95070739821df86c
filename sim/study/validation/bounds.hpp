// What is asserted of errors, and which cases numbers of the catalogue were fitted on: configs/validation/bounds.yaml.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/io/config_reader.hpp"
#include "sim/study/validation/validate.hpp"

namespace silicast {

class ClaimedBounds {
 public:
  // calibrated: [pattern, ...]
  // bounds: [{name, cases: [pattern, ...], metrics: [ttft_mean, ...], figure: median | mean | p90, at_most: 0.07,
  //           left_out: model | chip}, ...]
  // `left_out` bounds errors of what a fit did not see; its figure may be "outside", the share beyond the stated range.
  // Patterns are those of is_chosen(), of loads too; metrics may have wildcards.
  static ClaimedBounds read(const std::string& configs_dir);
  static ClaimedBounds of(const ConfigValue& root);

  bool calibrates(const ValidationCase& one) const;

  // Those of the file over all rows alike (no groups), then those that case files state of themselves; or those of what
  // was left out.
  std::vector<BoundResult> judge(const std::vector<CaseResult>& results, std::string_view left_out = "") const;

 private:
  struct Claim {
    std::string name;
    std::vector<std::string> cases, metrics;
    std::string figure;
    std::string left_out;
    double at_most = 0;
  };

  std::vector<std::string> calibrated_;
  std::vector<Claim> claims_;
};

}  // namespace silicast
