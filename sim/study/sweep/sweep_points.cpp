#include "sim/study/sweep/sweep_points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>

#include "sim/base/fingerprint.hpp"
#include "sim/base/random.hpp"
#include "sim/run/version.hpp"

namespace silicast {
namespace {

namespace fs = std::filesystem;

using Values = std::vector<AxisValue>;

bool dropped(const SweepSpec& spec, const Values& values) {
  return std::any_of(spec.drop.begin(), spec.drop.end(), [&](const std::vector<DropCondition>& all) {
    return std::all_of(all.begin(), all.end(), [&](const DropCondition& one) { return one.holds(values); });
  });
}

std::vector<Values> grid_points(const SweepSpec& spec) {
  std::vector<Values> points;
  std::vector<std::size_t> at(spec.axes.size(), 0);
  for (bool more = true; more;) {
    Values values;
    for (std::size_t i = 0; i < at.size(); ++i) values.push_back(spec.axes[i].grid()[at[i]]);
    points.push_back(std::move(values));
    more = false;
    for (std::size_t i = at.size(); i-- > 0 && !more;) {
      more = ++at[i] < spec.axes[i].grid().size();
      if (!more) at[i] = 0;
    }
  }
  return points;
}

// Shares of each axis, point by point: uniform, or (latin hypercube) one in each of as many equal parts as points.
std::vector<double> shares_of(const Axis& axis, const SweepSample& sample) {
  RandomStream stream(sample.seed, "sweep/" + axis.name());
  const auto count = static_cast<std::size_t>(sample.points);
  std::vector<double> shares(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double within = stream.uniform();
    shares[i] = sample.method == SweepSample::Method::kRandom
                    ? within
                    : (static_cast<double>(i) + within) / static_cast<double>(count);
  }
  if (sample.method == SweepSample::Method::kLatinHypercube)
    for (std::size_t i = count; i > 1; --i) std::swap(shares[i - 1], shares[stream.below(i)]);
  return shares;
}

std::vector<Values> drawn_points(const SweepSpec& spec) {
  std::vector<Values> points(static_cast<std::size_t>(spec.sample.points));
  for (const Axis& axis : spec.axes) {
    const std::vector<double> shares = shares_of(axis, spec.sample);
    for (std::size_t i = 0; i < points.size(); ++i) points[i].push_back(axis.at(std::min(shares[i], 1 - 1e-12)));
  }
  return points;
}

void add_file(Fingerprint& hash, const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  hash.add_text(std::string(std::istreambuf_iterator<char>(file), {}));
}

void collect_files(const ConfigNode& node, const fs::path& folder, std::set<fs::path>& files);

// With what it names itself, where it is YAML or JSON; one that does not parse is refused by whoever reads it.
void collect_file(const fs::path& path, std::set<fs::path>& files) {
  if (!files.insert(path).second) return;
  const std::string kind = path.extension().string();
  if (kind != ".yaml" && kind != ".yml" && kind != ".json") return;
  try {
    collect_files(load_config(path.string()), path.parent_path(), files);
  } catch (const InputError&) {
  }
}

// Scalars that are the name of a file that is there: traces, tables, specs of one's own.
void collect_files(const ConfigNode& node, const fs::path& folder, std::set<fs::path>& files) {
  std::error_code ignored;
  if (node.kind == ConfigNode::Kind::kScalar && !node.scalar.empty()) {
    const fs::path path = folder / node.scalar;
    if (fs::is_regular_file(path, ignored)) collect_file(path, files);
    if (fs::is_directory(path, ignored) && node.scalar.find('/') != std::string::npos)
      for (const fs::directory_entry& entry : fs::directory_iterator(path))
        if (entry.is_regular_file()) collect_file(entry.path(), files);
  }
  for (const ConfigNode& item : node.items) collect_files(item, folder, files);
  for (const ConfigEntry& entry : node.entries) collect_files(entry.value, folder, files);
}

}  // namespace

std::vector<SweepPoint> sweep_points(const SweepSpec& spec) {
  std::vector<Values> all = spec.sample.method == SweepSample::Method::kGrid ? grid_points(spec) : drawn_points(spec);
  std::erase_if(all, [&](const Values& values) { return dropped(spec, values); });
  if (all.empty()) throw InputError({spec.path, 0, 0}, "drop", "leaves no point");
  std::vector<SweepPoint> points;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::int32_t r = 0; r < spec.replications; ++r) points.push_back({static_cast<std::int32_t>(i), r, all[i]});
  return points;
}

ConfigNode scenario_of(const SweepSpec& spec, const SweepPoint& point) {
  ConfigNode tree = spec.scenario;
  for (const AxisValue& value : point.values)
    for (const std::string& setting : value.settings) apply_setting(tree, setting, spec.path);
  std::erase_if(tree.entries, [](const ConfigEntry& entry) { return entry.key == "output"; });
  const ConfigEntry* seed = tree.find("seed");
  if (point.replication > 0 || seed == nullptr) {  // or the first replication's key would change with their number
    const std::int64_t base = seed != nullptr ? ConfigValue::of(seed->value).integer(0, std::int64_t{1} << 53) : 1;
    set_config(tree, "seed", fmt::format("{}", base + point.replication), spec.path);
  }
  return tree;
}

std::uint64_t inputs_signature(const SweepSpec& spec, const std::string& configs_dir) {
  // Two sets, so that the order does not depend on where the catalogue and the scenario lie: machines agree on keys.
  std::set<fs::path> catalogue, files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(configs_dir))
    if (entry.is_regular_file()) catalogue.insert(entry.path());
  collect_files(spec.scenario, fs::path(spec.scenario_path).parent_path(), files);
  for (const Axis& axis : spec.axes)
    for (const AxisValue& value : axis.grid())
      for (const std::string& setting : value.settings)
        collect_files(parse_config(setting.substr(setting.find('=') + 1), spec.path),
                      fs::path(spec.scenario_path).parent_path(), files);
  Fingerprint hash;
  hash.add_text(version());
  hash.add_text(git_hash());
  for (const fs::path& file : catalogue) add_file(hash, file);
  for (const fs::path& file : files) add_file(hash, file);
  return hash.value();
}

std::uint64_t point_key(const ConfigNode& scenario, std::uint64_t signature) {
  Fingerprint hash;
  hash.add(signature);
  hash.add_text(to_yaml(scenario));
  return hash.value();
}

}  // namespace silicast
