// Scenarios as the commands that launch their pools, and such commands as scenarios.
#pragma once

#include <string>
#include <vector>

#include "sim/run/scenario.hpp"

namespace silicast {

// What starts each pool of a scenario, with what no flag says as comments: a shell command, or MindIE's config.json
// behind lines that begin with '#'. `only` names the one pool that is wanted; empty: all. Errors (InputError): no such
// pool, an engine of no known family, a layout, a scheduler or a block size that its engine cannot be told.
std::string launch_text(const Scenario& scenario, const std::string& only, const std::string& configs_dir);

struct LaunchReading {
  std::string configs_dir;
  std::string node = {};                   // in place of the one that the text names; empty: that one
  std::string model = {};                  // of the catalogue, in place of the one that the id stands for; likewise
  std::vector<std::string> settings = {};  // "key.path=value" of the scenario, as for `run`
};

// The other way: YAML of a scenario that runs, on top of it as comments what is not modelled. `text` is a shell text
// with one launch command or a config.json of MindIE; `name` stands in messages for its file. Errors (InputError) with
// line, column and flag: bad values, unlike values of one flag, flags misspelt by a letter or two, no launch command or
// more than one, a model that the catalogue does not know, a pool that read_scenario refuses.
std::string read_launch(const std::string& text, const std::string& name, const LaunchReading& reading);

}  // namespace silicast
