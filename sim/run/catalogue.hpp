// What a user can name in a scenario, as tables: the files of configs/ and the policies in the code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace silicast {

struct CatalogueTable {
  std::vector<std::string> columns;  // with units
  std::vector<std::vector<std::string>> rows;
};

// "chips", "nodes", "models", "calibration", "engines", "clusters", "prices", "workloads", "use_cases", "scenarios",
// "routers", "schedulers", "formats", "arrivals", "lengths".
const std::vector<std::string>& catalogue_kinds();

// Errors (InputError): an unknown kind, a catalogue file that does not load. `sources` adds where each number is from:
// one row per number.
CatalogueTable list_catalogue(const std::string& kind, const std::string& configs_dir, bool sources);

// Reads any config file, recognising what it is by its keys, and says what it resolved to. Errors: InputError.
std::string check_config(const std::string& path, const std::string& configs_dir,
                         const std::vector<std::string>& settings);

}  // namespace silicast
