#include "sim/run/read_prices.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/io/config_catalogue.hpp"

namespace silicast {
namespace {

// Maps are changed key by key, everything else, an evidence too, is replaced.
void change(ConfigNode& sheet, const ConfigNode& by) {
  const bool evidence = sheet.find("grade") != nullptr;
  if (by.kind != ConfigNode::Kind::kMap || sheet.kind != ConfigNode::Kind::kMap || evidence) {
    sheet = by;
    return;
  }
  for (const ConfigEntry& entry : by.entries) {
    const auto found = std::find_if(sheet.entries.begin(), sheet.entries.end(),
                                    [&](const ConfigEntry& one) { return one.key == entry.key; });
    if (found == sheet.entries.end())
      sheet.entries.push_back(entry);
    else
      change(found->value, entry.value);
  }
}

// A change of what nobody has would change nothing.
void check_names(const ConfigValue& by, const ConfigNode& sheet, const std::string& configs_dir) {
  const std::pair<const char*, const char*> maps[] = {
      {"chips", "chips"}, {"node_server_power", "nodes"}, {"stacks", ""}, {"tariffs", ""}};
  ConfigMap changes = by.map();
  for (const auto& [key, kind] : maps) {
    const auto change = changes.optional(key);
    if (!change || !change->is_map()) continue;
    std::vector<std::string> names;
    if (*kind != 0) names = config_names(configs_dir + "/" + kind);
    if (const ConfigEntry* known = sheet.find(key))
      for (const ConfigEntry& entry : known->value.entries) names.push_back(entry.key);
    ConfigMap by_name = change->map();
    for (const std::string& name : by_name.keys())
      if (std::find(names.begin(), names.end(), name) == names.end())
        by_name.required(name).fail(fmt::format("there is no '{}' to change{}", name, suggestion(name, names)));
  }
}

PriceSheet read_sheet(const std::string& configs_dir, const ConfigValue& name, const std::optional<ConfigValue>& by) {
  const ConfigValue sheet = load_named(configs_dir, "prices", name);
  if (!by) return read_price_sheet(sheet);
  check_names(*by, sheet.node(), configs_dir);
  ConfigNode tree = sheet.node();
  change(tree, by->node());
  return read_price_sheet(ConfigValue::of(std::move(tree)));
}

}  // namespace

PriceScenario read_prices(const ConfigValue& prices, const std::string& configs_dir,
                          const std::vector<PoolScenario>& pools) {
  PriceScenario read;
  std::optional<ConfigValue> region;
  if (prices.is_map()) {
    ConfigMap keys = prices.map();
    read.sheet = read_sheet(configs_dir, keys.required("sheet"), keys.optional("change"));
    region = keys.optional("region");
    if (const auto load = keys.optional("load_factor")) {
      Evidence factor = load->evidence(Dimension::kNumber, kPositiveFraction);
      if (!load->is_map()) factor.grade = Grade::kMeasured, factor.source = "set in " + load->mark().file;
      read.load_factor = {std::move(factor), "the scenario"};
    }
    keys.done();
  } else {
    read.sheet = read_sheet(configs_dir, prices, std::nullopt);
  }
  read.tariff = read.sheet.tariff(region);
  read.region = region ? region->text() : read.sheet.default_region;
  for (const PoolScenario& pool : pools)
    if (pool.stack.porting_delay.high >= read.sheet.depreciation.low)
      prices.fail(fmt::format("the porting delay of {}, up to {}, is not under the depreciation of '{}', from {}",
                              pool.stack.name, format_quantity(pool.stack.porting_delay.high, Dimension::kTime),
                              read.sheet.name, format_quantity(read.sheet.depreciation.low, Dimension::kTime)));
  return read;
}

}  // namespace silicast
