#include "sim/io/config_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace silicast {
namespace {

constexpr std::size_t kSorted = 32;  // keys of a mapping from which on an index pays

std::string_view kind_of(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::kNull:
      return "nothing";
    case ConfigNode::Kind::kScalar:
      return "a plain value";
    case ConfigNode::Kind::kList:
      return "a list";
    case ConfigNode::Kind::kMap:
      return "a mapping";
  }
  return "";
}

std::string shown(double value, Dimension dimension) {
  return dimension == Dimension::kNumber ? fmt::format("{:g}", value) : format_quantity(value, dimension);
}

void check_bounds(const ConfigValue& at, const std::string& text, double value, Dimension dimension,
                  const Bounds& bounds) {
  const bool too_low = value < bounds.low || (bounds.low_excluded && value == bounds.low);
  if (!too_low && value <= bounds.high) return;
  const bool open_above = bounds.high == std::numeric_limits<double>::max();
  if (bounds.low == 0 && open_above)
    at.fail(fmt::format("'{}' must be {}", text, bounds.low_excluded ? "positive" : "zero or positive"));
  at.fail(fmt::format("'{}' must be {} {}{}", text, bounds.low_excluded ? "over" : "at least",
                      shown(bounds.low, dimension),
                      open_above ? "" : fmt::format(" and at most {}", shown(bounds.high, dimension))));
}

}  // namespace

ConfigValue ConfigValue::of(ConfigNode root) {
  auto document = std::make_shared<const ConfigNode>(std::move(root));
  const ConfigNode* node = document.get();
  return ConfigValue(std::move(document), node, "");
}

void ConfigValue::fail(std::string_view what) const {
  throw InputError(node_->mark, path_, what);
}

std::string ConfigValue::text() const {
  if (!is_scalar()) fail(fmt::format("{} where text is due", kind_of(*node_)));
  if (node_->scalar.empty()) fail("empty text");
  return node_->scalar;
}

bool ConfigValue::boolean() const {
  if (is_scalar() && !node_->quoted) {
    if (node_->scalar == "true") return true;
    if (node_->scalar == "false") return false;
  }
  fail(is_scalar() ? fmt::format("'{}' must be true or false", node_->scalar)
                   : fmt::format("{} where true or false is due", kind_of(*node_)));
}

std::int64_t ConfigValue::integer(std::int64_t low, std::int64_t high) const {
  if (!is_scalar()) fail(fmt::format("{} where a whole number is due", kind_of(*node_)));
  const std::string& text = node_->scalar;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range)
    fail(fmt::format("'{}' must be a whole number from {} to {}", text, low, high));
  if (error != std::errc() || end != text.data() + text.size()) fail(fmt::format("'{}' is not a whole number", text));
  if (node_->quoted) fail(fmt::format("the quoted text '{}' is not a whole number; leave out the quotes", text));
  if (value < low || value > high) fail(fmt::format("'{}' must be a whole number from {} to {}", text, low, high));
  return value;
}

double ConfigValue::number(const Bounds& bounds) const {
  return quantity(Dimension::kNumber, bounds);
}

double ConfigValue::quantity(Dimension dimension, const Bounds& bounds) const {
  if (!is_scalar()) {
    const std::vector<std::string> units = unit_names(dimension);
    fail(fmt::format("{} where {} is due", kind_of(*node_),
                     units.empty() ? "a number" : fmt::format("a quantity (unit: {})", fmt::join(units, ", "))));
  }
  const ParsedQuantity parsed = parse_quantity(node_->scalar, dimension);
  if (!parsed.ok) fail(parsed.error);
  check_bounds(*this, node_->scalar, parsed.value, dimension, bounds);
  return parsed.value;
}

Evidence ConfigValue::evidence(Dimension dimension, const Bounds& bounds) const {
  Evidence evidence;
  if (!is_map()) {
    evidence.value = evidence.low = evidence.high = quantity(dimension, bounds);
    evidence.source = "not given";
    return evidence;
  }
  ConfigMap map = this->map();
  evidence.value = evidence.low = evidence.high = map.required("value").quantity(dimension, bounds);
  if (const auto range = map.optional("range")) {
    const std::vector<ConfigValue> ends = range->list();
    if (ends.size() != 2) range->fail("must be a list of two quantities, low and high");
    evidence.low = ends[0].quantity(dimension, bounds);
    evidence.high = ends[1].quantity(dimension, bounds);
    if (!(evidence.low <= evidence.value && evidence.value <= evidence.high))
      range->fail(fmt::format("must hold the value: {} is not between {} and {}", shown(evidence.value, dimension),
                              shown(evidence.low, dimension), shown(evidence.high, dimension)));
  }
  evidence.grade =
      static_cast<Grade>(map.required("grade").choice({"measured", "vendor", "third_party", "estimate"}, "grade"));
  evidence.source = map.required("source").text();
  map.done();
  return evidence;
}

std::vector<ConfigValue> ConfigValue::list() const {
  if (!is_list()) fail(fmt::format("{} where a list is due", kind_of(*node_)));
  std::vector<ConfigValue> values;
  for (std::size_t i = 0; i < node_->items.size(); ++i)
    values.emplace_back(document_, &node_->items[i], fmt::format("{}[{}]", path_, i));
  return values;
}

ConfigMap ConfigValue::map() const {
  return ConfigMap(*this);
}

std::size_t ConfigValue::choice(const std::vector<std::string>& names, std::string_view what) const {
  const std::string given = text();
  const auto found = std::find(names.begin(), names.end(), given);
  if (found == names.end()) fail(fmt::format("unknown {} '{}'{}", what, given, suggestion(given, names)));
  return static_cast<std::size_t>(found - names.begin());
}

ConfigMap::ConfigMap(ConfigValue value) : value_(std::move(value)) {
  if (!value_.is_map()) value_.fail(fmt::format("{} where a mapping is due", kind_of(value_.node())));
  const std::vector<ConfigEntry>& entries = value_.node().entries;
  if (entries.size() < kSorted) return;
  for (const ConfigEntry& entry : entries) sorted_.push_back(&entry);
  std::sort(sorted_.begin(), sorted_.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
}

const ConfigEntry* ConfigMap::find(std::string_view key) const {
  if (sorted_.empty()) return value_.node().find(key);
  const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), key,
                                      [](const ConfigEntry* entry, std::string_view due) { return entry->key < due; });
  return found != sorted_.end() && (*found)->key == key ? *found : nullptr;
}

ConfigValue ConfigMap::child(const ConfigEntry& entry) const {
  return ConfigValue(value_, &entry.value,
                     value_.path().empty() ? entry.key : fmt::format("{}.{}", value_.path(), entry.key));
}

ConfigValue ConfigMap::required(std::string_view key) {
  asked_.emplace(key);
  if (const ConfigEntry* entry = find(key)) {
    if (entry->value.kind == ConfigNode::Kind::kNull) child(*entry).fail("has no value");
    return child(*entry);
  }
  const std::string near = nearest(key, keys());
  value_.fail(fmt::format("missing key '{}'{}", key, near.empty() ? "" : fmt::format("; is it the key '{}'?", near)));
}

std::optional<ConfigValue> ConfigMap::optional(std::string_view key) {
  asked_.emplace(key);
  const ConfigEntry* entry = find(key);
  if (entry == nullptr) return std::nullopt;
  if (entry->value.kind == ConfigNode::Kind::kNull)
    child(*entry).fail("has no value; leave the key out for the default");
  return child(*entry);
}

bool ConfigMap::has(std::string_view key) const {
  return find(key) != nullptr;
}

std::vector<std::string> ConfigMap::keys() const {
  std::vector<std::string> keys;
  for (const ConfigEntry& entry : value_.node().entries) keys.push_back(entry.key);
  return keys;
}

void ConfigMap::done() const {
  for (const ConfigEntry& entry : value_.node().entries) {
    if (asked_.contains(entry.key)) continue;
    const std::string path = value_.path().empty() ? entry.key : fmt::format("{}.{}", value_.path(), entry.key);
    throw InputError(entry.mark, path,
                     fmt::format("unknown key{}", suggestion(entry.key, {asked_.begin(), asked_.end()})));
  }
}

}  // namespace silicast
