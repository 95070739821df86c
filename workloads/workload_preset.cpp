#include "workloads/workload_preset.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/io/config_catalogue.hpp"
#include "workloads/workload.hpp"

namespace silicast {
namespace {

constexpr std::string_view kSources[] = {"trace", "arrivals", "closed_loop", "merge", "sessions", "users"};
constexpr std::string_view kOfUsers[] = {"use_case", "requests", "duration"};  // what goes with them
constexpr std::string_view kSelectors[] = {"process", "distribution", "format"};

void erase(ConfigNode& map, std::string_view key) {
  std::erase_if(map.entries, [&](const ConfigEntry& entry) { return entry.key == key; });
}

void change(ConfigNode& map, const ConfigEntry& with) {
  const auto found = std::find_if(map.entries.begin(), map.entries.end(),
                                  [&](const ConfigEntry& entry) { return entry.key == with.key; });
  if (found == map.entries.end()) {
    map.entries.push_back(with);
    return;
  }
  const bool whole = found->value.kind != ConfigNode::Kind::kMap || with.value.kind != ConfigNode::Kind::kMap ||
                     std::any_of(std::begin(kSelectors), std::end(kSelectors),
                                 [&](std::string_view key) { return with.value.find(key) != nullptr; });
  if (whole) {
    *found = with;
    return;
  }
  for (const ConfigEntry& entry : with.value.entries) change(found->value, entry);
}

void drop_other_sources(ConfigNode& map, std::string_view kept) {
  for (const std::string_view source : kSources)
    if (source != kept) erase(map, source);
  if (kept != "users")
    for (const std::string_view key : kOfUsers) erase(map, key);
  if (kept == "arrivals" || kept == "closed_loop") return;
  erase(map, "prompt");
  erase(map, "output");
}

}  // namespace

std::vector<std::string> workload_presets(const std::string& configs_dir) {
  return config_names(configs_dir + "/workloads");
}

AppliedPreset apply_preset(const ConfigValue& workload, const std::string& configs_dir) {
  const ConfigValue preset = workload.map().required("preset");
  const std::vector<std::string> names = workload_presets(configs_dir);
  const std::string file = fmt::format("{}/workloads/{}.yaml", configs_dir, names[preset.choice(names, "preset")]);
  ConfigNode merged = load_config(file);
  if (merged.kind != ConfigNode::Kind::kMap) throw InputError(merged.mark, "", "a preset must be a mapping");
  if (const ConfigEntry* nested = merged.find("preset"))
    throw InputError(nested->mark, "preset", "a preset cannot build on another");
  merged.mark = workload.mark();
  for (const ConfigEntry& entry : workload.node().entries) {
    if (entry.key == "preset") continue;
    if (std::find(std::begin(kSources), std::end(kSources), entry.key) != std::end(kSources))
      drop_other_sources(merged, entry.key);
    change(merged, entry);
  }
  const ConfigValue root = ConfigValue::of(std::move(merged));
  return {ConfigValue(root, &root.node(), workload.path()), file};
}

}  // namespace silicast
