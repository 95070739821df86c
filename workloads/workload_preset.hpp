// Presets: workloads with a name, kept as files of the same schema. A scenario may change parts of one.
#pragma once

#include <string>

#include "sim/io/config_reader.hpp"

namespace silicast {

struct AppliedPreset {
  ConfigValue workload;  // the preset with the changes in it; each node keeps the mark of the file it comes from
  std::string file;
};

// Of a mapping with the key `preset`. Its other keys change the preset: a mapping key by key, unless it names
// a process, distribution or format of its own and so replaces the whole. Giving another source of requests
// (trace, arrivals, closed_loop, merge, sessions, users) drops the preset's.
AppliedPreset apply_preset(const ConfigValue& workload, const std::string& configs_dir);

}  // namespace silicast
