#include "sim/study/validation/names.hpp"

#include <fmt/format.h>

#include "sim/io/config_catalogue.hpp"
#include "topology/node_spec.hpp"

namespace silicast {
namespace {

HardwareName read_hardware(const ConfigValue& value, const std::string& configs_dir) {
  HardwareName hardware;
  std::optional<ConfigValue> node = value;
  if (value.is_map()) {
    ConfigMap map = value.map();
    node = map.required("node");
    if (const auto devices = map.optional("devices"))
      hardware.devices = static_cast<std::int32_t>(devices->integer(1, 64));
    map.done();
  }
  const NodeSpec spec = read_node(load_named(configs_dir, "nodes", *node));
  hardware.node = node->text();
  hardware.chip = spec.chip;
  hardware.node_chips = spec.chips;
  return hardware;
}

PrecisionName read_precision_name(const ConfigValue& value) {
  const std::vector<ConfigValue> formats = value.list();
  if (formats.size() != 3) value.fail("must be [weights, activations, kv]");
  return {formats[0].text(), formats[1].text(), formats[2].text()};
}

EngineName read_engine_name(const ConfigValue& value) {
  if (!value.is_map()) return {value.text(), ""};
  ConfigMap map = value.map();
  EngineName name{map.required("engine").text(), map.required("maturity").text()};
  map.done();
  return name;
}

Layout read_layout(const ConfigValue& value) {
  Layout layout;
  ConfigMap map = value.map();
  const std::pair<const char*, std::int64_t Layout::*> kDegrees[] = {{"tensor", &Layout::tensor},
                                                                     {"data", &Layout::data},
                                                                     {"pipeline", &Layout::pipeline},
                                                                     {"expert", &Layout::expert}};
  for (const auto& [key, degree] : kDegrees)
    if (const auto given = map.optional(key)) layout.*degree = given->integer(1, 4096);
  if (const auto copies = map.optional("redundant_experts")) layout.redundant_experts = copies->integer(0, 4096);
  map.done();
  return layout;
}

template <class T, class Read>
void read_table(const ConfigValue& value, std::map<std::string, T, std::less<>>& table, Read read) {
  ConfigMap map = value.map();
  for (const std::string& key : map.keys()) table.emplace(key, read(map.required(key)));
  map.done();
}

}  // namespace

std::string PrecisionName::yaml() const {
  return fmt::format("{{weights: {}, activations: {}, kv: {}}}", weights, activations, kv);
}
std::string PrecisionName::label() const {
  return fmt::format("{}/{}/{}", weights, activations, kv);
}

Names Names::read(const std::string& configs_dir) {
  return of(ConfigValue::from_file(configs_dir + "/validation/names.yaml"), configs_dir);
}

Names Names::of(const ConfigValue& root, const std::string& configs_dir) {
  Names names;
  ConfigMap map = root.map();
  const auto text = [](const ConfigValue& value) { return value.text(); };
  read_table(map.required("models"), names.models_, text);
  read_table(map.required("hardware"), names.hardware_,
             [&](const ConfigValue& value) { return read_hardware(value, configs_dir); });
  read_table(map.required("engines"), names.engines_, read_engine_name);
  read_table(map.required("precisions"), names.precisions_, read_precision_name);
  read_table(map.required("layouts"), names.layouts_, read_layout);
  map.done();
  return names;
}

}  // namespace silicast
