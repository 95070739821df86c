#include "sim/study/holdout/holdout_plan.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "sim/io/config_catalogue.hpp"
#include "topology/calibration.hpp"

namespace silicast {
namespace {

std::vector<std::string> texts(const ConfigValue& value) {
  std::vector<std::string> texts;
  for (const ConfigValue& item : value.list()) texts.push_back(item.text());
  return texts;
}

// "gemm.compute", checked.
const CalibrationField& field_named(const std::vector<CalibrationField>& fields, const std::string& name,
                                    const ConfigValue& at) {
  std::vector<std::string> names;
  for (const CalibrationField& field : fields) {
    names.push_back(fmt::format("{}.{}", field.group, field.key));
    if (names.back() == name) return field;
  }
  at.fail(fmt::format("no calibration has a number '{}'{}", name, suggestion(name, names)));
}

}  // namespace

HoldoutPlan HoldoutPlan::read(const std::string& configs_dir) {
  const std::string path = configs_dir + "/validation/holdout.yaml";
  HoldoutPlan plan = of(ConfigValue::from_file(path));
  const std::vector<std::string> chips = config_names(configs_dir + "/calibration");
  const auto check = [&](const std::string& key, const std::string& chip) {
    if (std::find(chips.begin(), chips.end(), chip) == chips.end())
      throw InputError({path, 0, 0}, key,
                       fmt::format("no calibration of a chip '{}'{}", chip, suggestion(chip, chips)));
  };
  for (const std::vector<std::string>& alike : plan.silicon)
    for (const std::string& chip : alike) check("silicon", chip);
  for (const auto& [chip, numbers] : plan.kernels_alone) check("kernels_alone", chip);
  return plan;
}

HoldoutPlan HoldoutPlan::of(const ConfigValue& root) {
  HoldoutPlan plan;
  Calibration any;
  const std::vector<CalibrationField> fields = fields_of(any);
  ConfigMap map = root.map();
  for (const ConfigValue& name : map.required("kernels").list()) {
    field_named(fields, name.text(), name);
    plan.kernels.push_back(name.text());
  }
  ConfigMap chips = map.required("kernels_alone").map();
  for (const std::string& chip : chips.keys()) {
    ConfigMap numbers = chips.required(chip).map();
    for (const std::string& name : numbers.keys()) {
      const ConfigValue value = numbers.required(name);
      const CalibrationField& field = field_named(fields, name, value);
      plan.kernels_alone[chip][name] = value.quantity(field.dimension, field.bounds);
    }
  }
  for (const ConfigValue& alike : map.required("silicon").list()) plan.silicon.push_back(texts(alike));
  ConfigMap host = map.required("host").map();
  for (const std::string& key : host.keys()) {
    const ConfigValue at = host.required(key);
    if (key != "per_iteration" && key != "per_sequence" && key != "per_request")
      at.fail(fmt::format("an engine's host has no time '{}'", key));
    ConfigMap one = at.map();
    constexpr Bounds kHost{0, 10};
    plan.host.push_back({key, one.required("about").quantity(Dimension::kTime, kHost),
                         one.required("spread").quantity(Dimension::kTime, {0, 10, true}),
                         one.required("between").quantity(Dimension::kTime, {0, 10, true})});
    one.done();
  }
  for (const ConfigValue& family : map.required("engines").list()) plan.engines.push_back(texts(family));
  plan.apart = texts(map.required("apart"));
  map.done();
  return plan;
}

std::vector<std::string> HoldoutPlan::chips_alike(const std::string& chip) const {
  for (const std::vector<std::string>& alike : silicon)
    if (std::find(alike.begin(), alike.end(), chip) != alike.end()) return alike;
  return {chip};
}

std::size_t HoldoutPlan::family_of(const std::string& engine) const {
  for (std::size_t i = 0; i < engines.size(); ++i)
    for (const std::string& pattern : engines[i])
      if (::fnmatch(pattern.c_str(), engine.c_str(), 0) == 0) return i;
  return engines.size();
}

}  // namespace silicast
