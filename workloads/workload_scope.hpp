// Where in a workload a part stands while it is built: whose random streams it gets and where its files lie.
#pragma once

#include <filesystem>
#include <string>

#include "sim/base/random.hpp"
#include "sim/io/config_reader.hpp"
#include "workloads/workload.hpp"

namespace silicast {

struct WorkloadScope {
  const WorkloadContext& context;
  std::string name = "workload";  // "workload/merge[1]": each part has its own streams, so that adding one shifts none
  std::string preset_file;        // the preset being read, if any
  int depth = 0;                  // of merges and presets

  RandomStream stream(std::string_view part) const { return {context.seed, name + "/" + std::string(part)}; }

  // A file path of the config: relative ones count from the file they are written in, the preset's own from
  // the preset, all others from the scenario.
  std::string resolve(const ConfigValue& file) const {
    const std::filesystem::path path = file.text();
    if (path.is_absolute()) return path.string();
    const bool in_preset = !preset_file.empty() && file.mark().file == preset_file;
    const std::filesystem::path base =
        in_preset ? std::filesystem::path(preset_file).parent_path() : std::filesystem::path(context.base_dir);
    return (base / path).lexically_normal().string();
  }
};

}  // namespace silicast
