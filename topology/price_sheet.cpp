// Reads price sheets and answers what one chip of a server costs.
#include "topology/price_sheet.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace silicast {
namespace {

// Whatever unit: nothing costs a trillion RMB, and the integer program of a plan must not see more.
constexpr Bounds kMoney{0, 1e12}, kPrice{0, 1e12, true};

const std::vector<std::string>& basis_names() {
  static const std::vector<std::string> names{"card", "server_share"};
  return names;
}

// Reads each entry of a mapping from free names to values.
template <class Value, class Read>
std::map<std::string, Value> read_named(const ConfigValue& value, Read read) {
  ConfigMap map = value.map();
  std::map<std::string, Value> named;
  for (const std::string& key : map.keys()) named.emplace(key, read(map.required(key)));
  if (named.empty()) value.fail("must have at least one entry");
  return named;
}

ChipPrice read_chip_price(const ConfigValue& value) {
  ConfigMap map = value.map();
  ChipPrice price;
  price.purchase = map.required("purchase").evidence(Dimension::kMoney, kPrice);
  price.basis = static_cast<PriceBasis>(map.required("basis").choice(basis_names(), "basis"));
  if (const auto rent = map.optional("rent")) price.rent = rent->evidence(Dimension::kMoneyPerHour, kPrice);
  map.done();
  return price;
}

StackCost read_stack(const ConfigValue& value) {
  ConfigMap map = value.map();
  StackCost stack;
  stack.staff_factor = map.required("staff_factor").evidence(Dimension::kNumber);
  stack.porting = map.required("porting").evidence(Dimension::kMoney, kMoney);
  if (const auto licence = map.optional("licence")) stack.licence = licence->evidence(Dimension::kMoneyPerHour, kMoney);
  map.done();
  return stack;
}

PowerShares read_power(const ConfigValue& value) {
  ConfigMap map = value.map();
  // A chip may draw a little over its TDP for as long as a sample takes, never twice as much.
  const auto share = [&](std::string_view key) {
    return map.required(key).evidence(Dimension::kNumber, Bounds{0, 1.5, true});
  };
  PowerShares shares{share("off"), share("idle"), share("decode"), share("prefill")};
  map.done();
  return shares;
}

}  // namespace

std::string_view name_of(PriceBasis basis) {
  return basis_names()[static_cast<std::size_t>(basis)];
}

PriceSheet read_price_sheet(const ConfigValue& prices) {
  ConfigMap map = prices.map();
  PriceSheet sheet;
  const auto number = [&](std::string_view key, const Bounds& bounds) {
    return map.required(key).evidence(Dimension::kNumber, bounds);
  };
  sheet.name = map.required("name").text();
  sheet.description = map.required("description").text();
  sheet.rmb_per_usd = number("rmb_per_usd", Bounds{0.01, 1000});
  sheet.rest_of_server = map.required("rest_of_server").evidence(Dimension::kMoney, kMoney);
  sheet.depreciation = map.required("depreciation").evidence(Dimension::kTime, Bounds{30 * 86400.0, 1e10});
  sheet.server_power = number("server_power", Bounds{1, 10});
  if (const auto nodes = map.optional("node_server_power"))
    sheet.node_server_power = read_named<Evidence>(*nodes, [](const ConfigValue& value) {
      return value.evidence(Dimension::kNumber, Bounds{1, 10});
    });
  sheet.power = read_power(map.required("power"));
  sheet.pue = number("pue", Bounds{1, 5});
  sheet.tariffs = read_named<Evidence>(map.required("tariffs"), [](const ConfigValue& value) {
    return value.evidence(Dimension::kMoneyPerEnergy, kMoney);
  });
  const ConfigValue region = map.required("default_region");
  sheet.default_region = region.text();
  sheet.tariff(region);
  sheet.carbon = map.required("carbon").evidence(Dimension::kCarbonPerEnergy, kNonNegative);
  sheet.site = map.required("site").evidence(Dimension::kMoneyPerPowerMonth, kMoney);
  sheet.staff = number("staff", kNonNegative);
  if (const auto load = map.optional("load_factor"))
    sheet.load_factor = load->evidence(Dimension::kNumber, kPositiveFraction);
  sheet.stacks = read_named<StackCost>(map.required("stacks"), read_stack);
  sheet.chips = read_named<ChipPrice>(map.required("chips"), read_chip_price);
  map.done();
  return sheet;
}

std::optional<Evidence> PriceSheet::purchase_of(const std::string& chip) const {
  const auto found = chips.find(chip);
  if (found == chips.end()) return std::nullopt;
  Evidence price = found->second.purchase;
  if (found->second.basis == PriceBasis::kServerShare) return price;
  price.value += rest_of_server.value;
  price.low += rest_of_server.low;
  price.high += rest_of_server.high;
  price.grade = std::max(price.grade, rest_of_server.grade);
  price.source = fmt::format("{}; plus the rest of the server: {}", price.source, rest_of_server.source);
  return price;
}

std::optional<Evidence> PriceSheet::rent_of(const std::string& chip) const {
  const auto found = chips.find(chip);
  return found == chips.end() ? std::nullopt : found->second.rent;
}

const StackCost* PriceSheet::stack_of(const std::string& software) const {
  const auto found = stacks.find(software);
  return found == stacks.end() ? nullptr : &found->second;
}

const Evidence& PriceSheet::server_power_of(const std::string& node) const {
  const auto found = node_server_power.find(node);
  return found == node_server_power.end() ? server_power : found->second;
}

const Evidence& PriceSheet::tariff(const std::optional<ConfigValue>& region) const {
  if (!region) return tariffs.at(default_region);
  std::vector<std::string> names;
  for (const auto& entry : tariffs) names.push_back(entry.first);
  return tariffs.at(names[region->choice(names, "region")]);
}

}  // namespace silicast
