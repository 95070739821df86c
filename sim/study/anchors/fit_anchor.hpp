// Moves chip and engine by one measured run, no further than the run tells.
#pragma once

#include <optional>
#include <string>

#include "sim/run/anchor.hpp"
#include "sim/run/scenario.hpp"
#include "sim/study/anchors/measured_run.hpp"

namespace silicast {

struct AnchorQuestion {
  std::string name;
  std::string run_file;
  MeasuredRun run;
  std::string scenario_path;
  ScenarioSource source;
};

// Which scales move: by how much each, over its whole range, changes what was measured. One that changes it by less
// than 2%, or as others do that change it more, is not told by the run and stays. The others are fitted to the mean
// TTFT and the mean time per output token (medians, else throughput, where those are not there), as ratios. Errors
// (InputError): a scenario of several pools or of another run than this (lengths, requests, clients, rate); a run that
// determines nothing; one that stays off by over half whatever moves.
Anchor fit_anchor(const AnchorQuestion& question);

}  // namespace silicast
