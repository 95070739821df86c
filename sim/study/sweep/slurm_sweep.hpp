// A sweep as one Slurm job array. Its elements may run twice, die with their node, or outlive the controller: each
// appends to a journal of its own beside `out`, whoever follows the job merges what is there, and a point counts
// once.
#pragma once

#include <string>
#include <vector>

#include "sim/study/sweep/run_sweep.hpp"

namespace silicast {

struct SlurmSweepOptions {
  SweepOptions sweep;                // `workers`: processes, and CPUs, of an element
  std::vector<std::string> command;  // of one element, up to its number
  std::vector<std::string> sbatch;   // options
  double minutes = 5;                // that an element should take
  std::function<void(const std::string&)> say = [](const std::string&) {};
};

struct SlurmSweepPlan {
  std::vector<std::vector<std::int32_t>> elements;  // points of each
  std::string script;
};

// How what is missing is packed, by the time that its first point takes here. Nothing is written or submitted.
SlurmSweepPlan plan_slurm_sweep(const SweepTable& table, const SlurmSweepOptions& options);

// Submits, or follows what an earlier call submitted; merges until all points are there, or the job is gone three times
// without them (then they stay missing). Interrupted, the job goes on. Errors (InputError): as of run_sweep(); sbatch
// refuses.
SweepOutcome run_slurm_sweep(SweepTable& table, const SlurmSweepOptions& options);

// One element: its points that no journal has yet.
void run_element(SweepTable& table, const SweepOptions& options, std::size_t element);

}  // namespace silicast
