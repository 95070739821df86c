#include "sim/study/sweep/sweep_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "sim/io/config_catalogue.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMostPoints = 1'000'000;

std::vector<std::string> names_of(const std::vector<Axis>& axes) {
  std::vector<std::string> names;
  for (const Axis& axis : axes) names.push_back(axis.name());
  return names;
}

std::vector<Axis> read_axes(const ConfigValue& value) {
  std::set<std::string> columns = {"point", "replication", "state", "message", "unstable", "fingerprint", "key"};
  std::vector<Axis> axes;
  for (const ConfigValue& item : value.list()) {
    axes.push_back(Axis::read(item));
    for (std::size_t i = 0; i + 1 < axes.size(); ++i)
      if (axes[i].name() == axes.back().name()) item.fail(fmt::format("two axes are named '{}'", axes[i].name()));
    if (const std::string column = axes.back().column(); !columns.insert(column).second)
      item.fail(fmt::format("'{}' is another column of /points; give another name", column));
  }
  if (axes.empty()) value.fail("is empty; a sweep varies one key at least");
  return axes;
}

void read_limits(ConfigMap& map, DropCondition& condition) {
  const auto above = map.optional("above"), below = map.optional("below");
  if (!above && !below) map.fail("needs above or below");
  if (above) condition.above = above->number();
  if (below) condition.below = below->number();
}

// Limits are of the numbers of an axis, whatever their unit.
void check_numbers(const ConfigValue& where, const Axis& axis) {
  std::set<std::string> units;
  for (const AxisValue& value : axis.grid())
    if (!std::isnan(value.number()))
      units.insert(value.label.substr(std::min(value.label.find(' '), value.label.size())));
  if (units.empty() && !axis.grid().empty()) where.fail(fmt::format("no value of axis '{}' is a number", axis.name()));
  if (units.size() > 1)
    where.fail(fmt::format("the values of axis '{}' are in several units: name those to drop", axis.name()));
}

DropCondition read_condition(const std::string& name, const ConfigValue& value, const std::vector<Axis>& axes) {
  DropCondition condition;
  const std::vector<std::string> names = names_of(axes);
  if (name == "product") {
    ConfigMap map = value.map();
    const ConfigValue of = map.required("of");
    for (const ConfigValue& item : of.list()) {
      condition.axes.push_back(item.choice(names, "axis"));
      check_numbers(item, axes[condition.axes.back()]);
    }
    if (condition.axes.empty()) of.fail("is empty; name the axes whose product it is");
    read_limits(map, condition);
    map.done();
    return condition;
  }
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) value.fail(fmt::format("unknown axis '{}'{}", name, suggestion(name, names)));
  condition.axes.push_back(static_cast<std::size_t>(found - names.begin()));
  if (value.is_map()) {
    check_numbers(value, axes[condition.axes[0]]);
    ConfigMap map = value.map();
    read_limits(map, condition);
    map.done();
    return condition;
  }
  const std::vector<ConfigValue> labels = value.is_list() ? value.list() : std::vector<ConfigValue>{value};
  const std::vector<AxisValue>& grid = axes[condition.axes[0]].grid();
  if (labels.empty()) value.fail("is empty; name the values that are dropped");
  for (const ConfigValue& label : labels) {
    condition.labels.push_back(label.text());
    if (std::none_of(grid.begin(), grid.end(), [&](const AxisValue& one) { return one.label == label.text(); }))
      label.fail(fmt::format("axis '{}' has no value '{}'", name, label.text()));
  }
  return condition;
}

std::vector<std::vector<DropCondition>> read_drop(const ConfigValue& value, const std::vector<Axis>& axes) {
  std::vector<std::vector<DropCondition>> drop;
  for (const ConfigValue& item : value.list()) {
    ConfigMap map = item.map();
    std::vector<DropCondition> conditions;
    for (const std::string& name : map.keys()) conditions.push_back(read_condition(name, map.required(name), axes));
    if (conditions.empty()) item.fail("is empty");
    drop.push_back(std::move(conditions));
  }
  return drop;
}

SweepSample read_sample(const ConfigValue& value) {
  ConfigMap map = value.map();
  SweepSample sample;
  const std::vector<std::string> methods = {"grid", "random", "latin_hypercube"};
  sample.method = static_cast<SweepSample::Method>(map.required("method").choice(methods, "method"));
  if (sample.method != SweepSample::Method::kGrid) {
    sample.points = map.required("points").integer(1, kMostPoints);
    if (const auto seed = map.optional("seed"))
      sample.seed = static_cast<std::uint64_t>(seed->integer(0, std::int64_t{1} << 53));
  }
  map.done();
  return sample;
}

// A path beside the sweep's file, or the name of a scenario of the catalogue.
std::string scenario_path(const ConfigValue& name, const std::string& configs_dir) {
  const std::string text = name.text();
  if (text.find('/') != std::string::npos || text.ends_with(".yaml")) return config_path(name);
  const std::vector<std::string> known = config_names(configs_dir + "/scenarios");
  if (std::find(known.begin(), known.end(), text) == known.end())
    name.fail(fmt::format("unknown scenario '{}'{}", text, suggestion(text, known)));
  return fmt::format("{}/scenarios/{}.yaml", configs_dir, text);
}

// How many points the grid has.
double check_grid(const SweepSpec& spec, const ConfigValue& axes) {
  double points = 1;
  for (const Axis& axis : spec.axes) {
    if (axis.grid().empty())
      axes.fail(fmt::format("axis '{}' is a range; a grid needs its points, or give a sample", axis.name()));
    points *= static_cast<double>(axis.grid().size());
  }
  if (points > static_cast<double>(kMostPoints))
    axes.fail(fmt::format("the grid has {:.3g} points; at most {} are taken: give a sample", points, kMostPoints));
  return points;
}

}  // namespace

bool DropCondition::holds(const std::vector<AxisValue>& values) const {
  if (!labels.empty()) return std::find(labels.begin(), labels.end(), values[axes[0]].label) != labels.end();
  double product = 1;
  for (const std::size_t axis : axes) product *= values[axis].number();
  return product > above || product < below;
}

SweepSpec read_sweep(const std::string& path, const std::string& configs_dir,
                     const std::vector<std::string>& settings) {
  ConfigNode tree = load_config(path);
  for (const std::string& setting : settings) apply_setting(tree, setting, fmt::format("--set {}", setting));
  SweepSpec spec;
  spec.path = path;
  spec.resolved = to_yaml(tree);
  const ConfigValue root = ConfigValue::of(std::move(tree));
  ConfigMap map = root.map();
  spec.name = map.required("name").text();
  spec.scenario_path = scenario_path(map.required("scenario"), configs_dir);
  spec.scenario = load_config(spec.scenario_path);
  if (spec.scenario.kind != ConfigNode::Kind::kMap) throw InputError({spec.scenario_path, 0, 0}, "", "is no scenario");
  const ConfigValue axes = map.required("axes");
  spec.axes = read_axes(axes);
  if (const auto drop = map.optional("drop")) spec.drop = read_drop(*drop, spec.axes);
  if (const auto sample = map.optional("sample")) spec.sample = read_sample(*sample);
  const double points = spec.sample.method == SweepSample::Method::kGrid ? check_grid(spec, axes)
                                                                         : static_cast<double>(spec.sample.points);
  if (const auto replications = map.optional("replications")) {
    spec.replications = static_cast<std::int32_t>(replications->integer(1, 100'000));
    if (points * spec.replications > static_cast<double>(kMostPoints))
      replications->fail(fmt::format("makes {:.3g} runs of {:.0f} points; at most {} are taken",
                                     points * spec.replications, points, kMostPoints));
  }
  if (const auto rows = map.optional("rows")) spec.rows = rows->boolean();
  if (const auto output = map.optional("output")) spec.output = output->text();
  map.done();
  return spec;
}

}  // namespace silicast
