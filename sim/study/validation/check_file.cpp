#include "sim/study/validation/check_file.hpp"

#include <fmt/format.h>

#include "sim/run/scenario.hpp"
#include "sim/study/holdout/holdout_plan.hpp"
#include "sim/study/validation/bounds.hpp"
#include "sim/study/validation/readers.hpp"

namespace silicast {
namespace {

std::string describe(const ValidationCase& one, const Scenario& scenario) {
  std::string text =
      fmt::format("  {} on {}, {}\n  measured:", scenario.model.name, scenario.pools[0].chip.name, one.source);
  for (const Measurement& measured : one.measured) text += fmt::format(" {} {:g}", measured.metric, measured.value);
  return text + "\n";
}

}  // namespace

std::optional<std::string> check_validation_file(const std::string& path, const std::string& configs_dir,
                                                 const std::vector<std::string>& settings) {
  const ConfigNode tree = load_config(path);
  const auto has = [&](std::string_view key) { return tree.find(key) != nullptr; };
  if (has("measured")) {
    const ValidationCase one = read_case_file(path, {}).front();
    const Scenario scenario = read_scenario(one.scenario, path, {configs_dir, settings});
    return fmt::format("{}: a valid validation case\n{}", path, describe(one, scenario));
  }
  if (has("hardware") && has("precisions")) {
    Names::of(ConfigValue::of(tree), configs_dir);
    return fmt::format("{}: a valid list of names\n", path);
  }
  if (has("calibrated")) {
    ClaimedBounds::of(ConfigValue::of(tree));
    return fmt::format("{}: a valid list of bounds\n", path);
  }
  if (has("kernels_alone")) {
    HoldoutPlan::of(ConfigValue::of(tree));
    return fmt::format("{}: a valid plan of what is fitted again\n", path);
  }
  return std::nullopt;
}

}  // namespace silicast
