#include "sim/study/uncertainty/unknown.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "sim/base/check.hpp"
#include "sim/io/quantity_text.hpp"

namespace silicast {
namespace {

constexpr std::array kDimensions = {
    Dimension::kNumber,         Dimension::kTime,         Dimension::kBytes,          Dimension::kByteRate,
    Dimension::kFlopRate,       Dimension::kPower,        Dimension::kEventRate,      Dimension::kTokenRate,
    Dimension::kMoney,          Dimension::kMoneyPerHour, Dimension::kMoneyPerEnergy, Dimension::kMoneyPerPowerMonth,
    Dimension::kCarbonPerEnergy};

// The unit whose multiple of one is one.
std::string base_unit(Dimension dimension) {
  for (const std::string& unit : unit_names(dimension))
    if (parse_quantity("1 " + unit, dimension).value == 1) return unit;
  return "";
}

std::optional<Unknown> evidence_of(const ConfigNode& node) {
  const ConfigEntry *value = node.find("value"), *range = node.find("range");
  if (value == nullptr || range == nullptr || node.find("grade") == nullptr || range->value.items.size() != 2)
    return {};
  for (const Dimension dimension : kDimensions) {
    const ParsedQuantity middle = parse_quantity(value->value.scalar, dimension);
    const ParsedQuantity low = parse_quantity(range->value.items[0].scalar, dimension);
    const ParsedQuantity high = parse_quantity(range->value.items[1].scalar, dimension);
    if (!middle.ok || !low.ok || !high.ok) continue;
    Unknown unknown;
    unknown.low = low.value, unknown.value = middle.value, unknown.high = high.value;
    unknown.unit = base_unit(dimension);
    return unknown;
  }
  return {};
}

class Collector {
 public:
  Collector(std::string file, const std::vector<KeptBelow>& only) : file_(std::move(file)), only_(only) {}

  void visit(const ConfigNode& node) {
    if (auto unknown = evidence_of(node)) {
      if (!(unknown->high > unknown->low)) return;
      unknown->file = file_, unknown->path = path_;
      const auto counts = [](double value) { return value == std::round(value); };
      unknown->whole = file_.starts_with("engines/") && unknown->unit.empty() && counts(unknown->low) &&
                       counts(unknown->value) && counts(unknown->high) && unknown->high > 1;
      unknown->name = fmt::format("{} {}", file_.substr(0, file_.rfind('.')), fmt::join(path_, "."));
      found_.push_back(*std::move(unknown));
      return;
    }
    for (const ConfigEntry& entry : node.entries)
      if (kept(entry.key)) below(entry.key, entry.value);
    for (std::size_t i = 0; i < node.items.size(); ++i) below(fmt::format("{}", i), node.items[i]);
  }
  std::vector<Unknown> take() { return std::move(found_); }

 private:
  void below(const std::string& key, const ConfigNode& node) {
    path_.push_back(key);
    visit(node);
    path_.pop_back();
  }
  bool kept(const std::string& key) const {
    return std::none_of(only_.begin(), only_.end(), [&](const KeptBelow& one) {
      return path_.size() == 1 && one.key == path_[0] &&
             std::find(one.names.begin(), one.names.end(), key) == one.names.end();
    });
  }

  std::string file_;
  const std::vector<KeptBelow>& only_;
  std::vector<std::string> path_;
  std::vector<Unknown> found_;
};

// The node of that key, or position.
ConfigNode* below(ConfigNode& node, const std::string& key) {
  for (ConfigEntry& entry : node.entries)
    if (entry.key == key) return &entry.value;
  for (std::size_t i = 0; i < node.items.size(); ++i)
    if (fmt::format("{}", i) == key) return &node.items[i];
  return nullptr;
}

}  // namespace

double Unknown::at(double share) const {
  const double width = high - low;
  const double peak = (value - low) / width;
  const double drawn =
      share < peak ? low + width * std::sqrt(share * peak) : high - width * std::sqrt((1 - share) * (1 - peak));
  return whole ? std::round(drawn) : drawn;
}

void set_evidence(ConfigNode& root, const Unknown& unknown, std::size_t first, double value) {
  ConfigNode* node = &root;
  for (std::size_t i = first; i < unknown.path.size(); ++i) {
    node = below(*node, unknown.path[i]);
    SILICAST_CHECK(node != nullptr, "a drawn number is not where it was found");
  }
  const std::string text = fmt::format("{:.12g}{}{}", value, unknown.unit.empty() ? "" : " ", unknown.unit);
  set_config(*node, "value", text, unknown.name);
  set_config(*node, "range", fmt::format("[{0}, {0}]", text), unknown.name);
}

std::vector<Unknown> unknowns_of(const ConfigNode& root, const std::string& file, const std::vector<KeptBelow>& only) {
  Collector collector(file, only);
  collector.visit(root);
  return collector.take();
}

}  // namespace silicast
