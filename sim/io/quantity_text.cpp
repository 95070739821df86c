#include "sim/io/quantity_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <span>

#include "sim/base/errors.hpp"

namespace silicast {
namespace {

struct Unit {
  std::string_view name;
  double factor;
  bool shown = true;  // offered in messages and used by format_quantity
};

constexpr Unit kTimes[] = {{"ns", 1e-9},
                           {"us", 1e-6},
                           {"ms", 1e-3},
                           {"s", 1},
                           {"min", 60},
                           {"h", 3600},
                           {"d", 86400},
                           {"month", 730 * 3600.0, false},
                           {"year", 8760 * 3600.0, false}};
constexpr Unit kByteUnits[] = {{"B", 1},
                               {"KB", 1e3},
                               {"MB", 1e6},
                               {"GB", 1e9},
                               {"TB", 1e12},
                               {"KiB", 1024.0, false},
                               {"MiB", 1048576.0, false},
                               {"GiB", 1073741824.0, false},
                               {"TiB", 1099511627776.0, false}};
constexpr Unit kByteRates[] = {{"B/s", 1},
                               {"KB/s", 1e3},
                               {"MB/s", 1e6},
                               {"GB/s", 1e9},
                               {"TB/s", 1e12},
                               {"Mb/s", 1e6 / 8, false},
                               {"Gb/s", 1e9 / 8, false},
                               {"Tb/s", 1e12 / 8, false},
                               {"GiB/s", 1073741824.0, false},
                               {"TiB/s", 1099511627776.0, false}};
constexpr Unit kFlopRates[] = {{"FLOP/s", 1},     {"GFLOP/s", 1e9},       {"TFLOP/s", 1e12},
                               {"PFLOP/s", 1e15}, {"TOP/s", 1e12, false}, {"POP/s", 1e15, false}};
constexpr Unit kPowers[] = {{"mW", 1e-3, false}, {"W", 1}, {"kW", 1e3}, {"MW", 1e6}};
constexpr Unit kEventRates[] = {{"/s", 1},           {"/min", 1.0 / 60},       {"/h", 1.0 / 3600},
                                {"req/s", 1, false}, {"requests/s", 1, false}, {"/d", 1.0 / 86400, false}};
constexpr Unit kTokenRates[] = {{"token/s", 1}, {"tokens/s", 1, false}, {"tok/s", 1, false}};
constexpr Unit kMonies[] = {{"RMB", 1}, {"k RMB", 1e3, false}, {"M RMB", 1e6, false}, {"CNY", 1, false}};
constexpr Unit kMoneyRates[] = {{"RMB/h", 1}, {"RMB/month", 1.0 / 730, false}, {"RMB/year", 1.0 / 8760, false}};
constexpr Unit kTariffs[] = {{"RMB/kWh", 1}};
constexpr Unit kSiteCosts[] = {{"RMB/kW/month", 1}};
constexpr Unit kCarbon[] = {{"g/kWh", 1}, {"kg/kWh", 1e3, false}};

std::span<const Unit> units_of(Dimension dimension) {
  switch (dimension) {
    case Dimension::kNumber:
      return {};
    case Dimension::kTime:
      return kTimes;
    case Dimension::kBytes:
      return kByteUnits;
    case Dimension::kByteRate:
      return kByteRates;
    case Dimension::kFlopRate:
      return kFlopRates;
    case Dimension::kPower:
      return kPowers;
    case Dimension::kEventRate:
      return kEventRates;
    case Dimension::kTokenRate:
      return kTokenRates;
    case Dimension::kMoney:
      return kMonies;
    case Dimension::kMoneyPerHour:
      return kMoneyRates;
    case Dimension::kMoneyPerEnergy:
      return kTariffs;
    case Dimension::kMoneyPerPowerMonth:
      return kSiteCosts;
    case Dimension::kCarbonPerEnergy:
      return kCarbon;
  }
  return {};
}

}  // namespace

bool parse_number(std::string_view text, double& value) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() && std::isfinite(value);
}

std::vector<std::string> unit_names(Dimension dimension) {
  std::vector<std::string> names;
  for (const Unit& unit : units_of(dimension)) names.emplace_back(unit.name);
  return names;
}

ParsedQuantity parse_quantity(std::string_view text, Dimension dimension) {
  ParsedQuantity parsed;
  const auto refuse = [&](std::string why) {
    parsed.error = std::move(why);
    return parsed;
  };
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::result_out_of_range) return refuse(fmt::format("'{}' is out of range", text));
  if (error != std::errc()) return refuse(fmt::format("'{}' is not a number", text));
  if (!std::isfinite(number)) return refuse(fmt::format("'{}' is not a finite number", text));
  std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (dimension == Dimension::kNumber) {
    if (!unit.empty()) return refuse(fmt::format("'{}' has a unit where a plain number is due", text));
    parsed.ok = true;
    parsed.value = number;
    return parsed;
  }
  const std::vector<std::string> names = unit_names(dimension);
  if (unit.empty()) return refuse(fmt::format("'{}' needs a unit (one of: {})", text, fmt::join(names, ", ")));
  for (const Unit& candidate : units_of(dimension)) {
    if (candidate.name != unit) continue;
    parsed.value = number * candidate.factor;
    parsed.ok = std::isfinite(parsed.value);
    if (!parsed.ok) parsed.error = fmt::format("'{}' is out of range", text);
    return parsed;
  }
  return refuse(fmt::format("'{}' has an unknown unit '{}'{}", text, unit, suggestion(unit, names)));
}

std::string format_quantity(double value, Dimension dimension, int digits) {
  const Unit* best = nullptr;
  for (const Unit& unit : units_of(dimension)) {
    if (!unit.shown) continue;
    if (dimension == Dimension::kEventRate && unit.factor != 1) continue;
    if (best == nullptr || (std::abs(value) >= unit.factor && unit.factor > best->factor)) best = &unit;
  }
  if (value == 0)
    for (const Unit& unit : units_of(dimension))
      if (unit.factor == 1 && unit.shown) best = &unit;
  const double scaled = best == nullptr ? value : value / best->factor;
  const double magnitude = std::abs(scaled);
  const int before = magnitude >= 1 ? static_cast<int>(std::floor(std::log10(magnitude))) + 1 : 1;
  const std::string number = fmt::format("{:.{}f}", scaled, std::max(0, digits - before));
  return best == nullptr ? number : fmt::format("{} {}", number, best->name);
}

std::string format_evidence(const Evidence& evidence, Dimension dimension) {
  const auto text = [&](double value) {
    return dimension == Dimension::kNumber ? fmt::format("{:.6g}", value) : format_quantity(value, dimension);
  };
  if (evidence.low == evidence.high) return text(evidence.value);
  return fmt::format("{} ({} to {})", text(evidence.value), text(evidence.low), text(evidence.high));
}

}  // namespace silicast
