// What is fitted again when a model or a chip is left out: configs/validation/holdout.yaml.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/base/evidence.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

// One of an engine's host times.
struct HostTime {
  std::string key;     // "per_iteration"
  double about = 0;    // s, of an engine of which nothing is known
  double spread = 0;   // s, between versions of an engine
  double between = 0;  // s, between engines
};

struct HoldoutPlan {
  std::vector<std::string> kernels;  // numbers of calibrations, "gemm.compute", that all chips of a stack move alike
  // Of a chip, where serving runs moved a number: what its kernels alone say.
  std::map<std::string, std::map<std::string, double>> kernels_alone;
  std::vector<std::vector<std::string>> silicon;  // chips of one die, which tell of each other
  std::vector<HostTime> host;
  std::vector<std::vector<std::string>> engines;  // patterns of versions of one engine
  std::vector<std::string> apart;  // patterns of cases that nothing is fitted to, but which are predicted

  // Schema:
  //   kernels: [gemm.compute, ...]
  //   kernels_alone: {CHIP: {gemm.memory: 0.85, ...}, ...}
  //   silicon: [[h200, h100], ...]
  //   host: {per_iteration: {about: TIME, spread: TIME, between: TIME}, ...}
  //   engines: [["vllm", "vllm-0.*"], ...]
  //   apart: [pattern, ...]                  as of `silicast validate --only`
  // Errors: InputError at the key; numbers that no calibration has.
  static HoldoutPlan read(const std::string& configs_dir);
  static HoldoutPlan of(const ConfigValue& root);

  // The chips of the die, the first of them its name; the chip itself where it stands alone.
  std::vector<std::string> chips_alike(const std::string& chip) const;
  // Index of the engine's family in `engines`; engines.size() where it stands alone.
  std::size_t family_of(const std::string& engine) const;
};

}  // namespace silicast
