#include "sim/run/fleet.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/run/read_pool.hpp"

namespace silicast {
namespace {

// The number of a model that requests ask for; -1 when none do.
std::int32_t number_of(const Scenario& scenario, const std::string& name) {
  for (std::size_t i = 0; i < scenario.models.size(); ++i)
    if (scenario.models[i].name == name) return static_cast<std::int32_t>(i);
  return -1;
}

std::int32_t add_model(Scenario& scenario, const ModelSpec& model) {
  if (number_of(scenario, model.name) < 0) scenario.models.push_back(model);
  return number_of(scenario, model.name);
}

std::string served_models(const Scenario& scenario) {
  std::vector<std::string> names;
  for (const PoolScenario& pool : scenario.pools)
    if (std::find(names.begin(), names.end(), pool.replica.model.name) == names.end())
      names.push_back(pool.replica.model.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

// `asks`: where a class names the model, or the scenario does.
void check_served(const Scenario& scenario, std::int32_t model, const ConfigValue& asks) {
  const PoolScenario* late = nullptr;
  for (const PoolScenario& pool : scenario.pools) {
    if (pool.model != model || pool.role == PoolRole::kDecode) continue;
    if (pool.overflow_after == 0) return;
    late = &pool;
  }
  const std::string& name = scenario.models[static_cast<std::size_t>(model)].name;
  if (late == nullptr)
    asks.fail(fmt::format("no pool serves {}; the pools serve {}. Give a pool 'model: {}'", name,
                          served_models(scenario), name));
  throw InputError(late->mark, "overflow_after",
                   fmt::format("pool '{}' is there for what others leave, and no other pool serves {}; leave the key "
                               "out of one pool of each model",
                               late->name, name));
}

}  // namespace

void read_classes(ConfigMap& map, const std::string& configs_dir, Scenario& scenario) {
  const ConfigValue default_model = map.required("model");
  std::vector<ConfigValue> asks;  // by class
  Targets common;
  if (const auto targets = map.optional("targets")) common = read_targets(*targets);
  if (const auto classes = map.optional("classes")) {
    ConfigMap by_name = classes->map();
    for (const std::string& name : by_name.keys()) {
      const ConfigValue value = by_name.required(name);
      check_group_name(name, value);
      ConfigMap one = value.map();
      const auto own = one.optional("targets");
      const auto model = one.optional("model");
      scenario.classes.push_back({name, own ? read_targets(*own) : common});
      scenario.classes.back().model = add_model(scenario, model ? read_model(*model, configs_dir) : scenario.model);
      asks.push_back(model ? *model : default_model);
      one.done();
    }
    by_name.done();
    if (scenario.classes.empty()) classes->fail("no class is given; leave the key out for one class");
  }
  if (scenario.classes.empty()) {
    scenario.classes.push_back({"all", common});
    scenario.classes.back().model = add_model(scenario, scenario.model);
    asks.push_back(default_model);
  }
  for (PoolScenario& pool : scenario.pools) {
    pool.model = number_of(scenario, pool.replica.model.name);
    if (pool.overflow_after > 0 && pool.role == PoolRole::kDecode)
      throw InputError(pool.mark, "overflow_after",
                       fmt::format("pool '{}' decodes what others prefill, and requests do not arrive there; give the "
                                   "key to pools that prefill, or serve whole requests",
                                   pool.name));
    if (pool.model < 0)
      scenario.without_effect.push_back(
          fmt::format("pool {}: no class of requests asks for {}", pool.name, pool.replica.model.name));
  }
  for (std::size_t i = 0; i < asks.size(); ++i) check_served(scenario, scenario.classes[i].model, asks[i]);
}

std::int32_t max_context_of(const Scenario& scenario, const ModelSpec& model) {
  // The scenario's own bound is for all; without one each model has its own.
  const bool bounded = scenario.max_context < scenario.model.max_context;
  return bounded || model.name == scenario.model.name ? std::min(model.max_context, scenario.max_context)
                                                      : model.max_context;
}

}  // namespace silicast
