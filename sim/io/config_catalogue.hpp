// The catalogue is a folder of config files: configs/<kind>/<name>.yaml. A scenario names an entry, or gives
// the path of a file of its own.
#pragma once

#include <string>
#include <vector>

#include "sim/io/config_reader.hpp"

namespace silicast {

// Stems of the *.yaml files in a folder, sorted. Error (InputError): the folder cannot be read.
std::vector<std::string> config_names(const std::string& folder);

// The file that this value names, relative to the folder of the file that names it (to the working directory
// when a command line does). Error (InputError) at `name`: input_problem().
std::string config_path(const ConfigValue& name);

// The document that `name` stands for: a path when it holds a '/' or ends in ".yaml" (relative to the folder
// of the file that names it, or to the working directory when a command line does), else
// configs_dir/kind/name.yaml. Errors (InputError) at `name`: an unknown name, with a suggestion and the list;
// a path to no file.
ConfigValue load_named(const std::string& configs_dir, const std::string& kind, const ConfigValue& name);

// configs_dir/kind/name.yaml. Error (InputError): it does not load, or its key `name` says another name.
ConfigValue load_entry(const std::string& configs_dir, const std::string& kind, const std::string& name);

}  // namespace silicast
