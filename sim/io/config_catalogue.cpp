// Finds config files by name or path.
#include "sim/io/config_catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/io/input_file.hpp"

namespace silicast {
namespace {

namespace fs = std::filesystem;

// "chips" is a folder of many, an entry is a "chip".
std::string one_of(const std::string& kind) {
  if (kind == "prices") return "price sheet";
  if (kind == "use_cases") return "use case";
  return kind.ends_with('s') ? kind.substr(0, kind.size() - 1) : kind;
}

fs::path resolved(const std::string& path, const std::string& naming_file) {
  // A mark of a command line ("--set node=x/y.yaml") is no file that lies anywhere.
  if (fs::path(path).is_absolute() || naming_file.starts_with("--")) return path;
  return (fs::path(naming_file).parent_path() / path).lexically_normal();
}

}  // namespace

std::vector<std::string> config_names(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".yaml") names.push_back(entry->path().stem().string());
  if (error) throw InputError({folder, 0, 0}, "", fmt::format("cannot read this folder: {}", error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

std::string config_path(const ConfigValue& name) {
  const fs::path path = resolved(name.text(), name.mark().file);
  if (const std::string problem = input_problem(path.string()); !problem.empty())
    name.fail(fmt::format("'{}' {}", path.string(), problem));
  return path.string();
}

ConfigValue load_named(const std::string& configs_dir, const std::string& kind, const ConfigValue& name) {
  const std::string given = name.text();
  if (given.find('/') != std::string::npos || given.ends_with(".yaml"))
    return ConfigValue::from_file(config_path(name));
  const std::string folder = (fs::path(configs_dir) / kind).string();
  const std::vector<std::string> names = config_names(folder);
  name.choice(names, one_of(kind));
  return load_entry(configs_dir, kind, given);
}

ConfigValue load_entry(const std::string& configs_dir, const std::string& kind, const std::string& name) {
  const ConfigValue entry =
      ConfigValue::from_file(fmt::format("{}/{}.yaml", (fs::path(configs_dir) / kind).string(), name));
  // Nodes name chips, prices name both: an entry with two names would be another thing to each.
  if (const auto own = entry.is_map() ? entry.map().optional("name") : std::nullopt; own && own->text() != name)
    own->fail(fmt::format("is '{}' in the file of '{}'; the {} must be called as its file is", own->text(), name,
                          one_of(kind)));
  return entry;
}

}  // namespace silicast
