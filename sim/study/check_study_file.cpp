#include "sim/study/check_study_file.hpp"

#include <fmt/format.h>

#include "sim/study/plan/option.hpp"
#include "sim/study/sweep/sweep_points.hpp"

namespace silicast {

std::optional<std::string> check_study_file(const std::string& path, const std::string& configs_dir,
                                            const std::vector<std::string>& settings) {
  const ConfigNode tree = load_config(path);
  if (tree.find("axes") != nullptr) {
    const SweepSpec sweep = read_sweep(path, configs_dir, settings);
    const std::vector<SweepPoint> points = sweep_points(sweep);
    for (const SweepPoint& point : points) scenario_of(sweep, point);
    return fmt::format("{}: a valid sweep\n  {}: {} axes, {} points, {} replication{} of {}\n", path, sweep.name,
                       sweep.axes.size(), points.back().point + 1, sweep.replications,
                       sweep.replications == 1 ? "" : "s", sweep.scenario_path);
  }
  if (tree.find("candidates") != nullptr) {
    const PlanSpec plan = read_plan(path, configs_dir, settings);
    return fmt::format("{}: a valid plan\n  {}: {} service{}, {} kinds of node, {} options\n", path, plan.name,
                       plan.services.size(), plan.services.size() == 1 ? "" : "s", plan.candidates.size(),
                       plan_options(plan, configs_dir).size());
  }
  return std::nullopt;
}

}  // namespace silicast
