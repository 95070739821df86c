#include "sim/study/sweep/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace silicast {
namespace {

constexpr std::int64_t kMostPoints = 1'000'000;

struct NumberAndUnit {
  double number = std::nan("");
  std::string unit;
};

// "0.5 TB/s": the number and what is behind it.
NumberAndUnit split(const std::string& text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  NumberAndUnit result;
  if (!parse_number(text.substr(0, end), result.number)) return {};
  result.unit = end < text.size() ? text.substr(end + 1) : "";
  return result;
}

AxisRange read_range(const ConfigValue& ends, bool log) {
  const std::vector<ConfigValue> items = ends.list();
  if (items.size() != 2) ends.fail("must be [low, high]");
  const NumberAndUnit low = split(items[0].text()), high = split(items[1].text());
  if (std::isnan(low.number)) items[0].fail(fmt::format("'{}' is no number", items[0].text()));
  if (std::isnan(high.number)) items[1].fail(fmt::format("'{}' is no number", items[1].text()));
  if (low.unit != high.unit) items[1].fail(fmt::format("must be in '{}', as the low end is", low.unit));
  if (high.number <= low.number) items[1].fail("must be over the low end");
  if (log && low.number <= 0) items[0].fail("must be over 0: the axis goes by ratios");
  if (!std::isfinite(log ? high.number / low.number : high.number - low.number)) ends.fail("is too wide");
  AxisRange range;
  range.low = low.number, range.high = high.number, range.unit = low.unit, range.log = log;
  return range;
}

std::vector<AxisValue> read_cases(const ConfigValue& cases) {
  ConfigMap by_label = cases.map();
  std::vector<AxisValue> values;
  for (const std::string& label : by_label.keys()) {
    const ConfigValue keys = by_label.required(label);
    if (!keys.is_map()) keys.fail("must be keys of the scenario and their values, {cluster.pools.0.nodes: 2}");
    AxisValue value{label, {}};
    for (const ConfigEntry& entry : keys.node().entries)
      value.settings.push_back(entry.key + "=" + to_yaml(entry.value));
    values.push_back(std::move(value));
  }
  if (values.empty()) cases.fail("is empty");
  return values;
}

}  // namespace

double AxisValue::number() const {
  return split(label).number;
}

Axis Axis::read(const ConfigValue& value) {
  ConfigMap map = value.map();
  Axis axis;
  const auto name = map.optional("name"), key = map.optional("key");
  if (name) axis.name_ = name->text();
  if (const auto cases = map.optional("cases")) {
    if (key) key->fail("goes with values, linear or log; cases name their own keys");
    if (!name) map.fail("cases need a name");
    axis.grid_ = read_cases(*cases);
    map.done();
    return axis;
  }
  if (!key) map.fail("needs a key (cluster.pools.0.nodes), or a name and cases");
  axis.key_ = key->text();
  if (!name) axis.name_ = axis.key_;
  if (axis.name_.find_first_not_of('.') == std::string::npos)
    map.fail("its name is the name of a column; give letters");
  const auto values = map.optional("values"), linear = map.optional("linear"), log = map.optional("log");
  if (static_cast<int>(values.has_value()) + static_cast<int>(linear.has_value()) + static_cast<int>(log.has_value()) !=
      1)
    map.fail("needs one of values, linear and log");
  if (values) {
    for (const ConfigValue& one : values->list())
      axis.grid_.push_back({flow_text(one.node()), {axis.key_ + "=" + to_yaml(one.node())}});
    if (axis.grid_.empty()) values->fail("is empty");
    map.done();
    return axis;
  }
  axis.range_ = read_range(linear ? *linear : *log, log.has_value());
  if (const auto whole = map.optional("whole")) {
    axis.range_->whole = whole->boolean();
    if (axis.range_->whole &&
        (std::round(axis.range_->low) != axis.range_->low || std::round(axis.range_->high) != axis.range_->high))
      whole->fail("the ends of the range are not whole numbers");
  }
  if (const auto points = map.optional("points")) axis.range_->points = points->integer(2, kMostPoints);
  map.done();
  for (std::int64_t i = 0; i < axis.range_->points; ++i) {
    AxisValue one = axis.value_of(axis.range_->low, axis.range_->high,
                                  static_cast<double>(i) / static_cast<double>(axis.range_->points - 1));
    if (axis.grid_.empty() || axis.grid_.back().label != one.label) axis.grid_.push_back(std::move(one));
  }
  return axis;
}

std::string Axis::column() const {
  std::string column = name_;
  std::replace(column.begin(), column.end(), '/', '_');
  return column;
}

AxisValue Axis::value_of(double low, double high, double share) const {
  const AxisRange& range = *range_;
  double value = range.log ? low * std::pow(high / low, share) : low + share * (high - low);
  if (range.whole) value = std::clamp(std::round(value), range.low, range.high) + 0.0;  // no -0
  const std::string number = range.whole ? fmt::format("{:.0f}", value) : fmt::format("{:.12g}", value);
  const std::string text = number + (range.unit.empty() ? "" : " ") + range.unit;
  return {text, {key_ + "=" + text}};
}

AxisValue Axis::at(double share) const {
  if (range_ && range_->whole)  // half a number more at the ends, or they were half as likely as others
    return value_of(range_->low - 0.5, range_->high + 0.5, share);
  if (range_) return value_of(range_->low, range_->high, share);
  return grid_[static_cast<std::size_t>(share * static_cast<double>(grid_.size()))];
}

}  // namespace silicast
