// Anchors as YAML, and what they write into a scenario.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "sim/io/config_catalogue.hpp"
#include "sim/report/json_text.hpp"
#include "sim/run/anchor.hpp"

namespace silicast {
namespace {

const std::vector<std::string> kScales = {"maturity", "per_iteration", "per_request"};

bool is_time(AnchorScale scale) {
  return scale != AnchorScale::kMaturity;
}

double read_scale(AnchorScale scale, const ConfigValue& value) {
  return is_time(scale) ? value.quantity(Dimension::kTime) : value.number(kFraction);
}

std::string scale_text(AnchorScale scale, double value) {
  return fmt::format("{}{}", value, is_time(scale) ? " s" : "");
}

// nullptr where there is none.
template <class Node>
Node* child(Node* node, std::string_view key) {
  if (node == nullptr) return nullptr;
  const auto found = std::find_if(node->entries.begin(), node->entries.end(),
                                  [&](const ConfigEntry& entry) { return entry.key == key; });
  return found == node->entries.end() ? nullptr : &found->value;
}

AnchorRange read_range(ConfigMap& map, std::string_view key) {
  const ConfigValue value = map.required(key);
  const std::vector<ConfigValue> ends = value.list();
  if (ends.size() != 2) value.fail("must be [low, high]");
  const AnchorRange range{ends[0].number(kNonNegative), ends[1].number(kNonNegative)};
  if (range.high < range.low) value.fail("must be [low, high]");
  return range;
}

AnchorSubject read_subject(const ConfigValue& value) {
  ConfigMap map = value.map();
  AnchorSubject subject;
  const std::pair<const char*, std::string AnchorSubject::*> kTexts[] = {
      {"chip", &AnchorSubject::chip},     {"engine", &AnchorSubject::engine},       {"model", &AnchorSubject::model},
      {"family", &AnchorSubject::family}, {"precision", &AnchorSubject::precision}, {"layout", &AnchorSubject::layout}};
  for (const auto& [key, text] : kTexts) subject.*text = map.required(key).text();
  const std::pair<const char*, std::optional<double> AnchorSubject::*> kNumbers[] = {
      {"prompt", &AnchorSubject::prompt},
      {"output", &AnchorSubject::output},
      {"running", &AnchorSubject::running},
      {"output_rate", &AnchorSubject::output_rate}};
  for (const auto& [key, number] : kNumbers) subject.*number = map.required(key).number(kPositive);
  map.done();
  return subject;
}

}  // namespace

std::string_view name_of(AnchorScale scale) {
  return kScales[static_cast<std::size_t>(scale)];
}

Anchor read_anchor(const ConfigValue& root) {
  ConfigMap map = root.map();
  Anchor anchor;
  anchor.name = map.required("anchor").text();
  anchor.date = map.required("date").text();
  ConfigMap run = map.required("run").map();
  anchor.file = run.required("file").text();
  anchor.format = run.required("format").text();
  anchor.signature = run.required("signature").text();
  run.done();
  anchor.measured = read_subject(map.required("measured_on"));
  const ConfigValue moves = map.required("moved");
  ConfigMap moved = moves.map();
  for (const std::string& key : moved.keys()) {
    const ConfigValue value = moved.required(key);
    const auto found = std::find(kScales.begin(), kScales.end(), key);
    if (found == kScales.end()) value.fail(fmt::format("cannot be moved{}", suggestion(key, kScales)));
    ConfigMap ends = value.map();
    AnchorMove move{static_cast<AnchorScale>(found - kScales.begin()), 0, 0};
    move.from = read_scale(move.scale, ends.required("from"));
    move.to = read_scale(move.scale, ends.required("to"));
    ends.done();
    anchor.moved.push_back(move);
  }
  if (anchor.moved.empty()) moves.fail("moves nothing");
  if (const auto kept = map.optional("not_moved")) {
    ConfigMap reasons = kept->map();
    for (const std::string& key : reasons.keys()) anchor.not_moved.emplace_back(key, reasons.required(key).text());
  }
  ConfigMap residuals = map.required("residual").map();
  for (const std::string& metric : residuals.keys()) {
    ConfigMap one = residuals.required(metric).map();
    anchor.residuals.push_back({metric, one.required("measured").number(kNonNegative),
                                one.required("before").number(kNonNegative),
                                one.required("after").number(kNonNegative)});
    one.done();
  }
  ConfigMap applies = map.required("applies").map();
  anchor.prompt = read_range(applies, "prompt");
  anchor.output = read_range(applies, "output");
  anchor.running = read_range(applies, "running");
  anchor.output_rate = read_range(applies, "output_rate");
  applies.done();
  map.done();
  return anchor;
}

std::string write_anchor(const Anchor& anchor) {
  const AnchorSubject& on = anchor.measured;
  std::string text = fmt::format(
      "# A measured run, and what it moved: made by 'silicast anchor add'. Ranges of 'applies' may be edited.\n"
      "anchor: {}\ndate: {}\nrun: {{file: {}, format: {}, signature: {}}}\n",
      json_quoted(anchor.name), json_quoted(anchor.date), json_quoted(anchor.file), json_quoted(anchor.format),
      json_quoted(anchor.signature));
  text += fmt::format(
      "measured_on:\n  chip: {}\n  engine: {}\n  model: {}\n  family: {}\n  precision: {}\n  layout: {}\n"
      "  prompt: {}\n  output: {}\n  running: {}\n  output_rate: {}\n",
      json_quoted(on.chip), json_quoted(on.engine), json_quoted(on.model), json_quoted(on.family),
      json_quoted(on.precision), json_quoted(on.layout), on.prompt.value_or(0), on.output.value_or(0),
      on.running.value_or(0), on.output_rate.value_or(0));
  text += "moved:\n";
  for (const AnchorMove& move : anchor.moved)
    text += fmt::format("  {}: {{from: {}, to: {}}}\n", name_of(move.scale), scale_text(move.scale, move.from),
                        scale_text(move.scale, move.to));
  if (!anchor.not_moved.empty()) text += "not_moved:\n";
  for (const auto& [scale, why] : anchor.not_moved) text += fmt::format("  {}: {}\n", scale, json_quoted(why));
  text += "# s, 1/s, token/s\nresidual:\n";
  for (const AnchorResidual& one : anchor.residuals)
    text +=
        fmt::format("  {}: {{measured: {}, before: {}, after: {}}}\n", one.metric, one.measured, one.before, one.after);
  text += fmt::format(
      "# Means of a request's tokens; requests at once on a replica, of closed loops; tokens/s of a replica, of open "
      "ones.\napplies:\n  prompt: [{}, {}]\n  output: [{}, {}]\n  running: [{}, {}]\n  output_rate: [{}, {}]\n",
      anchor.prompt.low, anchor.prompt.high, anchor.output.low, anchor.output.high, anchor.running.low,
      anchor.running.high, anchor.output_rate.low, anchor.output_rate.high);
  return text;
}

std::vector<Anchor> read_anchors(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(path, ignored)) return {read_anchor(ConfigValue::from_file(path))};
  std::vector<Anchor> anchors;
  for (const std::string& stem : config_names(path)) {
    const ConfigValue root = ConfigValue::from_file(fmt::format("{}/{}.yaml", path, stem));
    anchors.push_back(read_anchor(root));
    for (std::size_t i = 0; i + 1 < anchors.size(); ++i)
      if (anchors[i].name == anchors.back().name)
        root.map().required("anchor").fail(
            fmt::format("another anchor of {} is named '{}' too", path, anchors[i].name));
  }
  return anchors;
}

void move_pool(ConfigNode& tree, std::size_t pool, const std::vector<AnchorMove>& moved, const std::string& origin) {
  const std::string path = fmt::format("cluster.pools.{}", pool);
  for (const AnchorMove& move : moved) {
    const std::string value = scale_text(move.scale, move.to);
    if (!is_time(move.scale)) {
      set_config(tree, path + ".maturity", value, origin);
      continue;
    }
    // An engine by name becomes that engine with a host of its own; the name keeps its place for messages.
    ConfigNode* engine = child(&child(child(&tree, "cluster"), "pools")->items[pool], "engine");
    if (engine->kind == ConfigNode::Kind::kScalar) {
      ConfigNode map;
      map.kind = ConfigNode::Kind::kMap, map.mark = engine->mark;
      map.entries.push_back({"base", engine->mark, std::move(*engine)});
      *engine = std::move(map);
    }
    set_config(tree, fmt::format("{}.engine.host.{}", path, name_of(move.scale)), value, origin);
  }
}

std::string set_by_hand(const ConfigNode& tree, std::size_t pool, const std::vector<AnchorMove>& moved) {
  const ConfigNode* one = &child(child(&tree, "cluster"), "pools")->items[pool];
  for (const AnchorMove& move : moved) {
    const ConfigNode* of = is_time(move.scale) ? child(child(one, "engine"), "host") : one;
    if (of != nullptr && of->find(name_of(move.scale)) != nullptr)
      return fmt::format("the pool sets {} itself", name_of(move.scale));
  }
  return "";
}

}  // namespace silicast
