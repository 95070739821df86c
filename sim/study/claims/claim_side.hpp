// One side of a comparison: what one chip of a system gives on a workload at one maturity of its software.
#pragma once

#include <array>
#include <string>

#include "sim/perf/roofline.hpp"
#include "sim/study/claims/claim.hpp"

namespace silicast {

struct SideQuestion {
  ClaimSystem system;
  ClaimWorkload workload;
  ClaimPoint point;
  std::string precision;  // YAML
  double maturity = 0.5;
};

// All of one chip, of the model's tokens: prompt tokens of a prefill, output tokens of decoding, both of serving.
struct SideAnswer {
  double tokens_per_second = 0;
  double joules_per_token = 0;     // at the site's meter
  double share_of_peak = 0;        // 2 FLOPs of each active parameter and token; NaN: no peak in this format
  double seconds = 0;              // of the pass; of serving the mean time that a request takes
  std::int64_t sequences = 0;      // at once on one rank
  std::array<double, 5> bounds{};  // shares of the time by Bound
  std::string impossible;          // why there is no answer; empty where there is

  double of(ClaimMetric metric) const;
};

// Passes are priced alone, with the batch of every rank alike; serving is simulated as a closed loop on whole nodes,
// from the first arrival to the last token. Errors (InputError): none; what is refused is the answer.
SideAnswer ask_side(const SideQuestion& question, const std::string& configs_dir);

// A figure of the datasheet with its range: {value, low, high}.
struct DatasheetFigure {
  double value = 0, low = 0, high = 0;
  std::string impossible;
};
DatasheetFigure datasheet_figure(const ClaimSystem& system, const ClaimWorkload& workload,
                                 const std::string& configs_dir);

}  // namespace silicast
