// The host overheads of an engine, fitted to measured runs: `silicast calibrate serving` in one call.
#pragma once

#include <string>
#include <vector>

#include "sim/io/quantity_text.hpp"
#include "sim/study/validation/validate.hpp"

namespace silicast {

struct ServingFitOptions {
  std::string engine;            // of the catalogue
  ValidationOptions validation;  // data, patterns, settings, threads
};

struct FittedOverhead {
  std::string key;                                   // "per_iteration", of the engine's `host`
  double present = 0, value = 0, low = 0, high = 0;  // s
  std::string undetermined;                          // why it stays at the present value; empty where it was fitted
  double effect = 0;                                 // by how much its doubling moves a latency, at the median
};

struct ServingCase {
  std::string id, group;
  std::string metric;
  double before = 0, after = 0;  // errors, predicted / measured - 1
};

struct ServingCalibration {
  std::string engine;
  bool overlapped = false;  // host work hides behind the chips'
  std::size_t groups = 0;   // independent cases
  std::vector<FittedOverhead> overheads;
  std::vector<ServingCase> cases;
  std::vector<std::string> not_run;  // cases of the engine that could not be compared, and why
};

// By means of TTFT, TPOT, ITL and E2E of the cases that the engine served; loss and refusals as in fit.hpp, one
// parameter for each group of cases at the most. Errors: InputError; no case of the engine.
ServingCalibration calibrate_serving(const ServingFitOptions& options);

// As a file of configs/engines on the engine's base, or on itself where it has none.
std::string engine_yaml(const ServingCalibration& fitted, const std::string& configs_dir, const std::string& name,
                        const std::string& source);

}  // namespace silicast
