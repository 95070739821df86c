#include "sim/study/validation/scenario_draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "sim/io/line_reader.hpp"
#include "sim/io/quantity_text.hpp"

namespace silicast {
namespace {

struct Degree {
  std::string_view prefix;
  std::int64_t Layout::*of;
};
constexpr Degree kDegrees[] = {
    {"TP", &Layout::tensor}, {"DP", &Layout::data}, {"PP", &Layout::pipeline}, {"EP", &Layout::expert}};

// "TP8" sets a degree; false where the word is none.
bool set_degree(std::string_view word, Layout& layout) {
  for (const Degree& degree : kDegrees) {
    double value = 0;
    if (!word.starts_with(degree.prefix) || !parse_number(word.substr(degree.prefix.size()), value)) continue;
    if (value < 1 || value > 4096 || value != std::floor(value)) return false;
    layout.*degree.of = static_cast<std::int64_t>(value);
    return true;
  }
  return false;
}

std::string pool_yaml(const ScenarioDraft& draft, const DraftPool& pool, const std::string& name) {
  const Layout& layout = pool.layout;
  std::string degrees = fmt::format("tensor: {}", layout.tensor);
  if (layout.pipeline > 1) degrees += fmt::format(", pipeline: {}", layout.pipeline);
  if (layout.data > 1) degrees += fmt::format(", data: {}", layout.data);
  if (layout.expert > 1) degrees += fmt::format(", expert: {}", layout.expert);
  if (layout.redundant_experts > 0) degrees += fmt::format(", redundant_experts: {}", layout.redundant_experts);
  std::string text =
      fmt::format("    - name: {}\n      node: {}\n      nodes: {}\n      replicas: {}\n      layout: {{{}}}\n", name,
                  draft.node, pool.nodes, pool.replicas, degrees);
  if (draft.prefill) text += fmt::format("      role: {}\n", name);
  if (!draft.precision.empty()) text += fmt::format("      precision: {}\n", draft.precision);
  return text + fmt::format("      engine: {{base: {}{}{}}}\n{}", draft.engine, draft.engine_keys.empty() ? "" : ", ",
                            draft.engine_keys, draft.pool_keys);
}

}  // namespace

std::variant<Layout, std::string> parse_layout(const std::string& text, const Names& names) {
  if (const Layout* named = names.layout(text)) return *named;
  Layout layout;
  std::string unknown;
  bool all_experts = false, any = false;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == "+" || word == "attention") continue;
    any = true;
    if (word == "EP")
      all_experts = true;
    else if (!set_degree(word, layout))
      unknown += (unknown.empty() ? "" : " ") + word;
  }
  if (!any) return "no layout is stated";
  if (!unknown.empty()) return fmt::format("layout '{}': '{}' is not modelled", text, unknown);
  if (all_experts) layout.expert = layout.devices();
  return layout;
}

std::optional<std::string> engine_as_mapping(const ConfigNode& scenario) {
  const ConfigNode* engine = scenario.at({"cluster", "pools", "0", "engine"});
  if (engine == nullptr || engine->kind != ConfigNode::Kind::kScalar) return std::nullopt;
  return fmt::format("cluster.pools.0.engine={{base: {}}}", engine->scalar);
}

std::string uniform_lengths(std::int64_t tokens, double shortest) {
  const std::int64_t low = std::max<std::int64_t>(1, std::llround(shortest * static_cast<double>(tokens)));
  return fmt::format("{{distribution: histogram, edges: [{}, {}], weights: [1]}}", low, tokens + 1);
}

std::string lengths_around(std::int64_t tokens, double share) {
  const auto away = std::llround(share * static_cast<double>(tokens));
  return fmt::format("{{distribution: histogram, edges: [{}, {}], weights: [1]}}",
                     std::max<std::int64_t>(1, tokens - away), tokens + away + 1);
}

std::string fixed_lengths(std::int64_t tokens) {
  return fmt::format("{{distribution: fixed, tokens: {}}}", tokens);
}

std::string rate_stages(const std::string& text) {
  std::string pieces;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    const std::string stage = text.substr(begin, end - begin);
    const std::size_t times = stage.find('x');
    double rate = 0, seconds = 0;
    if (times == std::string::npos || !stage.ends_with('s') || !parse_number(stage.substr(0, times), rate) ||
        !parse_number(stage.substr(times + 1, stage.size() - times - 2), seconds) || rate <= 0 || seconds <= 0)
      return "";
    pieces += fmt::format("{}{{duration: {} s, rate: {} /s}}", pieces.empty() ? "" : ", ", seconds, rate);
    begin = end + 1;
  }
  return pieces;
}

std::string lone_request() {
  return fmt::format("{{arrivals: {{process: fixed, rate: 1 /s, requests: 1}}, prompt: {}, output: {}}}",
                     fixed_lengths(8), fixed_lengths(8));
}

ConfigNode ScenarioDraft::tree(const std::string& origin) const {
  std::string text =
      fmt::format("name: validation\nmodel: {}\n{}workload: {}\ncluster:\n  pools:\n", model, keys, workload);
  if (prefill) text += pool_yaml(*this, *prefill, "prefill");
  text += pool_yaml(*this, *this, prefill ? "decode" : "main");
  return parse_config(text, origin);
}

void Lookup::miss(const char* table, const std::string& source) {
  if (case_.unsupported.empty())
    case_.unsupported = fmt::format("{} {} is not in configs/validation/names.yaml", table, quoted_text(source));
}

void Lookup::model(const std::string& source) {
  const std::string* name = names_.model(source);
  if (name == nullptr) miss("model", source);
  draft_.model = case_.labels.model = name != nullptr ? *name : source;
}

void Lookup::engine(const std::string& source, const std::string& version) {
  const EngineName* name = version.empty() ? nullptr : names_.engine(fmt::format("{} {}", source, version));
  if (name == nullptr) name = names_.engine(source);
  if (name == nullptr) miss("engine", source);
  draft_.engine = case_.labels.engine = name != nullptr ? name->engine : source;
  if (name != nullptr && !name->maturity.empty())
    draft_.pool_keys += fmt::format("      maturity: {}\n", name->maturity);
}

void Lookup::precision(const std::vector<std::string>& sources) {
  for (const std::string& source : sources) {
    const PrecisionName* name = names_.precision(source);
    if (name == nullptr) continue;
    draft_.precision = name->yaml();
    case_.labels.precision = name->label();
    return;
  }
  miss("precision", sources.back());
  case_.labels.precision = sources.back();
}

// A source that counts dies divides tensors over them; here a chip is one rank, so its dies leave the tensor group
// first, then the attention's replicas.
DraftPool Lookup::pool_of(const HardwareName& name, const Layout& devices, std::int64_t replicas) {
  DraftPool pool{devices, replicas, 1};
  for (std::int64_t dies = name.devices; dies > 1; dies /= 2) {
    if (pool.layout.tensor % 2 == 0)
      pool.layout.tensor /= 2;
    else if (pool.layout.data % 2 == 0)
      pool.layout.data /= 2;
    else if (case_.unsupported.empty())
      case_.unsupported =
          fmt::format("{} of {} devices to a chip is less than a chip", devices.devices(), name.devices);
  }
  pool.layout.expert = std::min(pool.layout.expert, pool.layout.devices());
  pool.nodes = (pool.chips() + name.node_chips - 1) / name.node_chips;
  return pool;
}

void Lookup::machine(const std::string& source, const Layout& devices, std::int64_t replicas) {
  const HardwareName* name = names_.hardware(source);
  case_.labels.chip = name != nullptr ? name->chip : source;
  if (name == nullptr) return miss("hardware", source);
  draft_.node = name->node;
  static_cast<DraftPool&>(draft_) = pool_of(*name, devices, replicas);
}

void Lookup::prefill(const std::string& source, const Layout& devices, std::int64_t replicas) {
  if (const HardwareName* name = names_.hardware(source)) draft_.prefill = pool_of(*name, devices, replicas);
}

}  // namespace silicast
