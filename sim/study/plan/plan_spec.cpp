#include "sim/study/plan/plan_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "sim/io/config_catalogue.hpp"
#include "sim/report/targets.hpp"
#include "sim/run/read_prices.hpp"
#include "topology/chip_spec.hpp"
#include "topology/node_spec.hpp"
#include "workloads/workload.hpp"

namespace silicast {
namespace {

// Of a scenario that the plan writes.
void check_file_name(const ConfigValue& name) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  };
  const std::string text = name.text();
  if (text.empty() || text[0] == '.' || !std::all_of(text.begin(), text.end(), plain))
    name.fail(fmt::format("'{}' names files; take letters, digits, '-', '_' and '.'", text));
}

PlanService read_service(ConfigMap& map, const std::string& name) {
  PlanService service{name, map.required("model").node(), map.required("workload").node(), {}, {}, map.value()};
  if (const auto targets = map.optional("targets")) {
    if (targets->map().keys().empty()) targets->fail("is empty; what must be kept?");
    service.targets = targets->node();
  }
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
    const ConfigValue name = one.required("name");
    check_file_name(name);
    services.push_back(read_service(one, name.text()));
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

// Winners and draws are told by it.
void check_catalogue_name(const ConfigValue& name) {
  if (name.text().find('/') != std::string::npos || name.text().ends_with(".yaml"))
    name.fail(fmt::format("'{}' is a file; a plan takes names of the catalogue (--configs for one of your own)",
                          name.text()));
}

std::vector<ConfigValue> filled_list(const ConfigValue& value) {
  std::vector<ConfigValue> items = value.list();
  if (items.empty()) value.fail("is empty; leave the key out for what is usual");
  return items;
}

// What a model forbids is a line of the ledger; what no model has is a mistake.
ConfigNode layout_of(const ConfigValue& layout) {
  ConfigMap map = layout.map();
  for (const char* key : {"tensor", "context", "pipeline", "stage_layers", "data", "expert", "redundant_experts"})
    map.optional(key);
  map.done();
  return layout.node();
}

PlanCandidate read_candidate(const ConfigValue& item, const std::string& configs_dir) {
  ConfigMap map = item.map();
  PlanCandidate candidate;
  const ConfigValue node = map.required("node");
  check_catalogue_name(node);
  const NodeSpec spec = read_node(load_named(configs_dir, "nodes", node));
  candidate.node = node.text();
  const auto engine = map.optional("engine");
  candidate.engine =
      engine ? engine->text() : default_engine(read_chip(load_entry(configs_dir, "chips", spec.chip)).software);
  if (engine) check_catalogue_name(*engine);
  if (engine) load_named(configs_dir, "engines", *engine);
  if (const auto precisions = map.optional("precisions")) {
    for (const ConfigValue& one : filled_list(*precisions)) candidate.precisions.push_back(one.node());
  } else {
    candidate.precisions.push_back(parse_config("8bit", "precisions"));
  }
  const auto layouts = map.optional("layouts"), limits = map.optional("limits");
  if (layouts && !layouts->is_scalar())
    for (const ConfigValue& one : filled_list(*layouts)) candidate.layouts.push_back(layout_of(one));
  else if (layouts)
    layouts->choice({"auto"}, "layouts");
  if (limits && !limits->is_scalar()) {
    for (const ConfigValue& one : filled_list(*limits)) {
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
  availability.failures_per_node_day = map.required("failures_per_node_day").number({1e-9, 1e3});
  availability.repair_days = map.required("repair").quantity(Dimension::kTime, kPositive) / 86'400;
  if (availability.failures_per_node_day * availability.repair_days > 1)
    map.fail(fmt::format("at {:g} failures a day and {:g} days to repair a node is down more than half of the time",
                         availability.failures_per_node_day, availability.repair_days));
  map.done();
  return availability;
}

PlanGrowth read_growth(const ConfigValue& value) {
  ConfigMap map = value.map();
  PlanGrowth growth;
  growth.per_month = map.required("per_month").evidence(Dimension::kNumber, {-0.5, 1});
  growth.months = map.required("months").integer(1, 120);
  map.done();
  return growth;
}

// What every option would refuse is wrong with the plan, and no answer.
void check_files(const PlanSpec& plan, const ConfigValue& prices, const std::string& configs_dir) {
  read_prices(prices, configs_dir, {});
  WorkloadContext context;
  context.base_dir = std::filesystem::path(plan.path).parent_path().string();
  context.configs_dir = configs_dir;
  context.class_names = {"all"};
  for (const PlanService& service : plan.services) {
    const std::string below = service.at.path().empty() ? "" : service.at.path() + ".";
    const auto value = [&](const ConfigNode& node, const char* key) {
      return ConfigValue(service.at, &node, below + key);
    };
    if (service.targets) read_targets(value(*service.targets, "targets"));
    const ModelSpec model = read_model(value(service.model, "model"), configs_dir);
    if (service.max_context) value(*service.max_context, "max_context").integer(2, model.max_context);
    const ConfigValue workload = value(service.workload, "workload");
    const Workload made = make_workload(workload, context);
    if (!made.info.open_loop) workload.fail("is a closed loop; a plan is sized for a rate");
    if (!made.info.mean_rate) workload.fail("has no rate to size for");
  }
}

}  // namespace

PlanSpec read_plan(const std::string& path, const std::string& configs_dir, const std::vector<std::string>& settings) {
  ConfigNode tree = load_config(path);
  for (const std::string& setting : settings) apply_setting(tree, setting, fmt::format("--set {}", setting));
  const ConfigValue root = ConfigValue::of(std::move(tree));
  ConfigMap map = root.map();
  PlanSpec plan;
  plan.path = path;
  const ConfigValue name = map.required("name");
  check_file_name(name);
  plan.name = name.text();
  plan.services = read_services(map);
  const ConfigValue candidates = map.required("candidates");
  for (const ConfigValue& item : candidates.list()) {
    plan.candidates.push_back(read_candidate(item, configs_dir));
    for (std::size_t i = 0; i + 1 < plan.candidates.size(); ++i)
      if (plan.candidates[i].node == plan.candidates.back().node)
        item.fail(fmt::format("two candidates are of node {}", plan.candidates[i].node));
  }
  if (plan.candidates.empty()) candidates.fail("is empty; which nodes may it be?");
  const ConfigValue prices = map.required("prices");
  plan.prices = prices.node();
  if (const auto basis = map.optional("basis"))
    plan.basis = static_cast<PlanBasis>(basis->choice({"purchase", "rent"}, "basis"));
  if (const auto share = map.optional("least_good")) plan.least_good = share->number(kPositiveFraction);
  if (const auto caps = map.optional("caps")) plan.caps = read_caps(*caps);
  if (plan.caps.budget > 0 && plan.basis == PlanBasis::kRent)
    map.required("caps").fail("a budget is money to buy with, and with basis: rent nothing is bought");
  if (const auto spare = map.optional("spare_nodes")) plan.spare_nodes = spare->integer(0, 1000);
  if (const auto availability = map.optional("availability")) plan.availability = read_availability(*availability);
  if (const auto traffic = map.optional("traffic")) plan.traffic = traffic->evidence(Dimension::kNumber, {1e-3, 1e3});
  if (const auto growth = map.optional("growth")) plan.growth = read_growth(*growth);
  if (const auto seed = map.optional("seed"))
    plan.seed = static_cast<std::uint64_t>(seed->integer(0, std::int64_t{1} << 53));
  map.done();
  check_files(plan, prices, configs_dir);
  return plan;
}

}  // namespace silicast
