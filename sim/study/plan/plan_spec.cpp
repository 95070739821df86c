#include "sim/study/plan/plan_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/io/config_catalogue.hpp"
#include "topology/chip_spec.hpp"
#include "topology/node_spec.hpp"

namespace silicast {
namespace {

PlanService read_service(ConfigMap& map, const std::string& name) {
  PlanService service{name, map.required("model").node(), map.required("workload").node(), {}, {}, map.value()};
  if (const auto targets = map.optional("targets")) service.targets = targets->node();
  if (const auto context = map.optional("max_context")) service.max_context = context->node();
  const bool has_own = service.workload.find("use_case") != nullptr;
  if (!service.targets && !has_own) map.fail("needs targets; only workloads of a use case have their own");
  return service;
}

std::vector<PlanService> read_services(ConfigMap& map) {
  std::vector<PlanService> services;
  const auto list = map.optional("services");
  if (!list) {
    services.push_back(read_service(map, "main"));
    return services;
  }
  for (const ConfigValue& item : list->list()) {
    ConfigMap one = item.map();
    services.push_back(read_service(one, one.required("name").text()));
    one.done();
    for (std::size_t i = 0; i + 1 < services.size(); ++i)
      if (services[i].name == services.back().name) item.fail(fmt::format("two services are '{}'", services[i].name));
  }
  if (services.empty()) list->fail("is empty; a plan serves one model at least");
  return services;
}

// What people run on such chips where they do not say.
std::string default_engine(const std::string& software) {
  return software == "CANN" ? "vllm-ascend" : "vllm";
}

PlanCandidate read_candidate(const ConfigValue& item, const std::string& configs_dir) {
  ConfigMap map = item.map();
  PlanCandidate candidate{.at = item};
  const ConfigValue node = map.required("node");
  const NodeSpec spec = read_node(load_named(configs_dir, "nodes", node));
  candidate.node = node.text();
  const auto engine = map.optional("engine");
  candidate.engine =
      engine ? engine->text() : default_engine(read_chip(load_entry(configs_dir, "chips", spec.chip)).software);
  if (engine) load_named(configs_dir, "engines", *engine);
  if (const auto precisions = map.optional("precisions")) {
    for (const ConfigValue& one : precisions->list()) candidate.precisions.push_back(one.node());
    if (candidate.precisions.empty()) precisions->fail("is empty");
  } else {
    candidate.precisions.push_back(parse_config("8bit", "precisions"));
  }
  const auto layouts = map.optional("layouts"), limits = map.optional("limits");
  if (layouts && !layouts->is_scalar())
    for (const ConfigValue& one : layouts->list()) candidate.layouts.push_back(one.node());
  else if (layouts)
    layouts->choice({"auto"}, "layouts");
  if (limits && !limits->is_scalar()) {
    for (const ConfigValue& one : limits->list()) {
      ConfigMap keys = one.map();
      EngineLimitsChoice choice;
      if (const auto sequences = keys.optional("max_sequences")) choice.max_sequences = sequences->integer(1, 1 << 20);
      if (const auto tokens = keys.optional("max_batched_tokens"))
        choice.max_batched_tokens = tokens->integer(1, 1 << 20);
      keys.done();
      candidate.limits.push_back(choice);
    }
  } else if (limits) {
    limits->choice({"auto"}, "limits");
  }
  if (const auto maturity = map.optional("maturity")) candidate.maturity = maturity->node();
  if (const auto most = map.optional("most_chips")) candidate.most_chips = most->integer(1, 10'000'000);
  map.done();
  return candidate;
}

PlanCaps read_caps(const ConfigValue& value) {
  ConfigMap map = value.map();
  PlanCaps caps;
  if (const auto budget = map.optional("budget")) caps.budget = budget->quantity(Dimension::kMoney, kPositive);
  if (const auto power = map.optional("power")) caps.watts = power->quantity(Dimension::kPower, kPositive);
  if (const auto racks = map.optional("racks")) {
    ConfigMap keys = racks->map();
    caps.racks = keys.required("count").integer(1, 1'000'000);
    caps.rack_watts = keys.required("power").quantity(Dimension::kPower, kPositive);
    keys.done();
    if (caps.watts > 0 && caps.watts > static_cast<double>(caps.racks) * caps.rack_watts)
      racks->fail(fmt::format("{} racks of {} take less than the power cap of {}: the power cap can never bind",
                              caps.racks, format_quantity(caps.rack_watts, Dimension::kPower),
                              format_quantity(caps.watts, Dimension::kPower)));
  }
  map.done();
  return caps;
}

PlanAvailability read_availability(const ConfigValue& value) {
  ConfigMap map = value.map();
  PlanAvailability availability;
  availability.share = map.required("share").number({0, 1 - 1e-12, true});
  availability.failures_per_node_day = map.required("failures_per_node_day").number(kPositive);
  availability.repair_days = map.required("repair").quantity(Dimension::kTime, kPositive) / 86'400;
  map.done();
  return availability;
}

PlanGrowth read_growth(const ConfigValue& value) {
  ConfigMap map = value.map();
  PlanGrowth growth;
  growth.per_month = map.required("per_month").number({-0.5, 1, false});
  growth.months = map.required("months").integer(1, 120);
  map.done();
  return growth;
}

}  // namespace

PlanSpec read_plan(const std::string& path, const std::string& configs_dir, const std::vector<std::string>& settings) {
  ConfigNode tree = load_config(path);
  for (const std::string& setting : settings) apply_setting(tree, setting, fmt::format("--set {}", setting));
  const ConfigValue root = ConfigValue::of(std::move(tree));
  ConfigMap map = root.map();
  PlanSpec plan;
  plan.path = path;
  plan.name = map.required("name").text();
  plan.services = read_services(map);
  const ConfigValue candidates = map.required("candidates");
  for (const ConfigValue& item : candidates.list()) plan.candidates.push_back(read_candidate(item, configs_dir));
  if (plan.candidates.empty()) candidates.fail("is empty; which nodes may it be?");
  plan.prices = map.required("prices").node();
  if (const auto basis = map.optional("basis"))
    plan.basis = static_cast<PlanBasis>(basis->choice({"purchase", "rent"}, "basis"));
  if (const auto share = map.optional("least_good")) plan.least_good = share->number(kPositiveFraction);
  if (const auto caps = map.optional("caps")) plan.caps = read_caps(*caps);
  if (const auto spare = map.optional("spare_nodes")) plan.spare_nodes = spare->integer(0, 1000);
  if (const auto availability = map.optional("availability")) plan.availability = read_availability(*availability);
  if (const auto growth = map.optional("growth")) plan.growth = read_growth(*growth);
  if (const auto seed = map.optional("seed"))
    plan.seed = static_cast<std::uint64_t>(seed->integer(0, std::int64_t{1} << 53));
  map.done();
  return plan;
}

}  // namespace silicast
