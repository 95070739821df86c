#include "sim/run/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/io/config_catalogue.hpp"
#include "sim/run/anchor.hpp"
#include "sim/run/cost_inputs.hpp"
#include "sim/run/disaggregation.hpp"
#include "sim/run/fleet.hpp"
#include "sim/run/place_pools.hpp"
#include "sim/run/read_perf.hpp"
#include "sim/run/read_pool.hpp"
#include "sim/run/read_prices.hpp"
#include "sim/run/read_tiers.hpp"
#include "sim/run/use_case_targets.hpp"

namespace silicast {
namespace {

// A file name as YAML text that means just these characters.
std::string yaml_text(const std::string& file) {
  std::string text = "'";
  for (const char c : file) text += c == '\'' ? "''" : std::string(1, c);
  return text + "'";
}

void apply_settings(ConfigNode& root, const ScenarioSource& source) {
  for (const std::string& setting : source.settings) apply_setting(root, setting, fmt::format("--set {}", setting));
  if (!source.output_file.empty())
    set_config(root, "output.file", yaml_text(source.output_file), fmt::format("--out {}", source.output_file));
}

void read_output(ConfigMap& map, Scenario& scenario) {
  const auto output = map.optional("output");
  if (!output) return;
  ConfigMap keys = output->map();
  if ((scenario.output.at = keys.optional("file"))) scenario.output.file = scenario.output.at->text();
  if (const auto requests = keys.optional("requests"))
    scenario.output.requests = requests->choice({"all", "none"}, "choice") == 0;
  if (const auto series = keys.optional("series")) {
    if (series->is_scalar() && series->text() == "none")
      scenario.output.series = Seconds(0);
    else
      scenario.output.series = Seconds(series->quantity(Dimension::kTime, {1e-6, 1e9}));
  }
  keys.done();
}

void read_cluster(ConfigMap& map, const PoolFiles& files, Fit fit, Scenario& scenario) {
  const std::string& configs_dir = files.configs_dir;
  ConfigMap cluster = map.required("cluster").map();
  const auto fabric = cluster.optional("fabric");
  if (fabric) {
    scenario.fabric = read_cluster_fabric(load_named(configs_dir, "clusters", *fabric));
  } else {
    scenario.fabric = read_cluster_fabric(ConfigValue::from_file(configs_dir + "/clusters/single-switch.yaml"));
  }
  const auto weight_store = cluster.optional("weight_store");
  if (weight_store)  // flows take links within a factor of 2^24 of each other
    scenario.weight_store = BytesPerSecond(weight_store->quantity(Dimension::kByteRate, {1e7, 1e14}));
  const ConfigValue pools = cluster.required("pools");
  for (const ConfigValue& pool : pools.list()) {
    scenario.pools.push_back(read_pool(pool, scenario.model, files, fit));
    for (std::size_t i = 0; i + 1 < scenario.pools.size(); ++i)
      if (scenario.pools[i].name == scenario.pools.back().name)
        pool.fail(fmt::format("two pools are named '{}'", scenario.pools[i].name));
  }
  if (scenario.pools.empty()) pools.fail("no pool is given; a cluster needs one at least");
  cluster.done();
  for (const PoolScenario& pool : scenario.pools)
    if (weight_store && !pool.node.host_link)
      weight_store->fail(
          fmt::format("node '{}' of pool {} has no host_link to load weights over; give it one, or leave the store out",
                      pool.node.name, pool.name));
  place_pools(scenario.pools, scenario.fabric);
  const bool talks = std::any_of(scenario.pools.begin(), scenario.pools.end(), leaves_nodes);
  for (std::size_t p = 0; p < scenario.pools.size(); ++p)
    if (spreads_nothing(scenario.pools[p]))
      scenario.without_effect.push_back(
          fmt::format("cluster.pools[{}].placement: spread over these nodes, the replicas stand as if packed", p));
  if (fabric && !talks) scenario.without_effect.push_back("cluster.fabric: every replica lies within a node");
}

// Whether any part of a workload has this key.
bool has_anywhere(const ConfigNode& node, std::string_view key) {
  if (node.find(key) != nullptr) return true;
  return std::any_of(node.items.begin(), node.items.end(),
                     [&](const ConfigNode& item) { return has_anywhere(item, key); }) ||
         std::any_of(node.entries.begin(), node.entries.end(),
                     [&](const ConfigEntry& entry) { return has_anywhere(entry.value, key); });
}

bool draws_at_random(const Scenario& scenario) {
  return scenario.workload_info.generated || has_anywhere(scenario.workload->node(), "abort") ||
         scenario.router->name == "random" || scenario.router->name == "two_choices";
}

// What was given and cannot matter.
void note_without_effect(const ConfigValue& root, Scenario& scenario) {
  std::vector<std::string>& notes = scenario.without_effect;
  const auto given = [&](std::string_view key) { return root.node().find(key) != nullptr; };
  if (given("router") && scenario.replicas() == 1) notes.push_back("router: there is one replica");
  if (given("output") && scenario.output.file.empty()) notes.push_back("output: no file is given");
  if (scenario.classes.size() > 1 && !has_anywhere(scenario.workload->node(), "class"))
    notes.push_back(
        fmt::format("classes: the workload names none, so every request is of class '{}'", scenario.classes[0].name));
  for (const PoolScenario& pool : scenario.pools)
    if (scenario.prices && !scenario.prices->sheet.purchase_of(pool.chip.name))
      notes.push_back(fmt::format("prices: '{}' has no price of chip {}, so what it costs is left out",
                                  scenario.prices->sheet.name, pool.chip.name));
  if (given("seed") && !draws_at_random(scenario)) notes.push_back("seed: nothing is drawn at random");
  if (given("targets") && root.node().find("targets")->value.entries.empty()) notes.push_back("targets: none is given");
  if (given("targets") && given("classes") &&
      std::ranges::all_of(root.node().find("classes")->value.entries,
                          [](const ConfigEntry& one) { return one.value.find("targets") != nullptr; }))
    notes.push_back("targets: every class has its own");
}

// Blocks of a trace's prompts stand for whole blocks of the engines that keep them.
void check_prompt_blocks(Scenario& scenario, std::int32_t tokens) {
  if (tokens == 0) return;
  for (const PoolScenario& pool : scenario.pools)
    if (const std::int32_t size = pool.engine.limits().block_size; !shares_prompts(pool))
      scenario.notes.push_back(
          fmt::format("the trace knows blocks of prompts, and pool {} keeps none: {}", pool.name,
                      pool.engine.prefix_cache ? "its model has a state for each sequence" : "prefix_cache is false"));
    else if (tokens % size != 0)
      scenario.workload->fail(
          fmt::format("the trace knows prompts by blocks of {} tokens, no multiple of the {} of pool "
                      "'{}'; give its engine another block_size, or prefix_cache: false",
                      tokens, size, pool.name));
}

std::vector<Anchor> read_anchors_at(const ConfigValue& value, const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const bool from_command_line = value.mark().file.starts_with("--");
  const std::string path = (fs::path(from_command_line ? "" : folder) / value.text()).string();
  if (!fs::exists(path, ignored)) value.fail(fmt::format("'{}' is neither a folder nor a file", path));
  return read_anchors(path);
}

// The scenario again, with what its anchors move; `scenario` is without them.
Scenario anchored(Scenario scenario, ConfigNode tree, const std::vector<Anchor>& anchors, const std::string& path,
                  const ScenarioSource& source, Fit fit) {
  std::erase_if(tree.entries, [](const ConfigEntry& entry) { return entry.key == "anchors"; });
  const std::vector<AnchorChoice> choices = choose_anchors(scenario, tree, anchors);
  bool any = false;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (choices[i].anchor == nullptr) continue;
    any = true;
    move_pool(tree, i, choices[i].anchor->moved, fmt::format("anchor {}", choices[i].anchor->name));
  }
  if (any) {
    std::string resolved = std::move(scenario.resolved);
    scenario = read_scenario(std::move(tree), path, {source.configs_dir, {}}, fit);
    scenario.resolved = std::move(resolved);
  } else {
    scenario.without_effect.push_back("anchors: none is for a pool of this scenario");
  }
  for (std::size_t i = 0; i < choices.size(); ++i) scenario.pools[i].badge = choices[i].badge;
  return scenario;
}

}  // namespace

std::int32_t Scenario::replicas() const {
  std::int32_t total = 0;
  for (const PoolScenario& pool : pools) total += pool.replicas;
  return total;
}

Scenario read_scenario(const std::string& path, const ScenarioSource& source, Fit fit) {
  return read_scenario(load_config(path), path, source, fit);
}

Scenario read_scenario(ConfigNode tree, const std::string& path, const ScenarioSource& source, Fit fit) {
  if (tree.kind != ConfigNode::Kind::kMap) ConfigValue::of(std::move(tree)).map();  // throws: says what it is instead
  apply_settings(tree, source);
  Scenario scenario;
  scenario.resolved = to_yaml(tree);
  const ConfigValue root = ConfigValue::of(std::move(tree));
  ConfigMap map = root.map();
  scenario.name = map.required("name").text();
  if (const auto seed = map.optional("seed"))
    scenario.seed = static_cast<std::uint64_t>(seed->integer(0, std::int64_t{1} << 53));
  scenario.model = read_model(map.required("model"), source.configs_dir);
  scenario.max_context = scenario.model.max_context;
  if (const auto context = map.optional("max_context"))
    scenario.max_context = static_cast<std::int32_t>(context->integer(2, scenario.model.max_context));
  const std::string folder = std::filesystem::path(path).parent_path().string();
  read_cluster(map, {source.configs_dir, folder}, fit, scenario);
  read_disaggregation(map, scenario);
  const auto router = map.optional("router");
  scenario.router = router ? &router->entry_of(routers) : routers.find("least_loaded");
  read_classes(map, source.configs_dir, scenario);
  if (const auto warmup = map.optional("warmup")) scenario.window = read_measure_window(*warmup);
  if (const auto until = map.optional("until"))
    scenario.until = Seconds(until->quantity(Dimension::kTime, {1e-9, 9e9}));
  if (const auto prices = map.optional("prices"))
    scenario.prices = read_prices(*prices, source.configs_dir, scenario.pools);
  read_output(map, scenario);
  scenario.workload = map.required("workload");
  const auto anchors = map.optional("anchors");
  map.done();
  scenario.workload_context.seed = scenario.seed;
  scenario.workload_context.base_dir = folder;
  scenario.workload_context.configs_dir = source.configs_dir;
  scenario.workload_context.max_context = scenario.max_context;
  for (const ClassFacts& one : scenario.classes) scenario.workload_context.class_names.push_back(one.name);
  const Workload workload = make_workload(*scenario.workload, scenario.workload_context);
  if (!workload.source->next_time()) scenario.workload->fail("no request arrives; is the slice or the duration right?");
  check_prompt_blocks(scenario, workload.source->block_tokens());
  check_tiers(scenario, workload.source->block_tokens());
  scenario.workload_info = workload.info;
  scenario.workload_context.scan_traces = false;  // scanned; every later reading goes straight through
  if (!map.has("warmup") && !scenario.workload_info.generated) scenario.window.mode = MeasureWindow::Mode::kNone;
  note_without_effect(root, scenario);
  take_use_case_targets(root, scenario);
  if (scenario.prices && !scenario.prices->load_factor)
    scenario.prices->load_factor = known_load_factor(scenario.workload_info, scenario.prices->sheet);
  for (const PoolScenario& pool : scenario.pools)
    for (std::string& note : notes_on_tables(pool, scenario.max_context)) scenario.notes.push_back(std::move(note));
  if (anchors) return anchored(std::move(scenario), root.node(), read_anchors_at(*anchors, folder), path, source, fit);
  return scenario;
}

}  // namespace silicast
