// Price sheets: what a chip costs, and the exact words when a sheet is wrong.
#include "topology/price_sheet.hpp"

#include "specs_for_tests.hpp"

namespace silicast {
namespace {

constexpr const char* kSheet =
    "name: p\ndescription: d\nrmb_per_usd: 7\nrest_of_server: 45 k RMB\ndepreciation: 4 year\nserver_power: "
    "1.8\n"
    "node_server_power: {big: 2.4}\n"
    "power: {off: 0.2, idle: 0.25, decode: 0.65, prefill: 0.95}\n"
    "pue: 1.2\ntariffs: {west: 0.38 RMB/kWh, coast: 0.7 RMB/kWh}\ndefault_region: west\ncarbon: 537 g/kWh\n"
    "site: 650 RMB/kW/month\nstaff: 0.15\nstacks: {CANN: {staff_factor: 4, porting: 0 RMB}}\n"
    "chips:\n"
    "  a: {purchase: {value: 80 k RMB, range: [70 k RMB, 90 k RMB], grade: vendor, source: s}, basis: card, "
    "rent: 6 RMB/h}\n"
    "  b: {purchase: 300 k RMB, basis: server_share}\n";

PriceSheet sheet(const std::string& from = "", const std::string& to = "") {
  std::string text = kSheet;
  if (!from.empty()) text.replace(text.find(from), from.size(), to);
  return read_price_sheet(ConfigValue::from_text(text, "p.yaml"));
}

TEST_CASE("a card's price gets the rest of its server, a server's share does not") {
  const PriceSheet prices = sheet();
  CHECK(prices.purchase_of("a")->value == 125e3);
  CHECK(prices.purchase_of("a")->low == 115e3);
  CHECK(prices.purchase_of("a")->high == 135e3);
  CHECK(prices.purchase_of("a")->grade == Grade::kEstimate);  // the weaker of vendor and the bare 45 k
  CHECK(prices.purchase_of("b")->value == 300e3);
  CHECK_FALSE(prices.purchase_of("c").has_value());
}

TEST_CASE("rent, stack and node power are looked up by name") {
  const PriceSheet prices = sheet();
  CHECK(prices.rent_of("a")->value == 6);
  CHECK_FALSE(prices.rent_of("b").has_value());
  CHECK_FALSE(prices.rent_of("c").has_value());
  CHECK(prices.stack_of("CANN")->staff_factor.value == 4);
  CHECK(prices.stack_of("CUDA") == nullptr);
  CHECK(prices.server_power_of("big").value == 2.4);
  CHECK(prices.server_power_of("other").value == 1.8);
  CHECK(prices.depreciation.value == 4 * 8760 * 3600.0);
}

TEST_CASE("licences by the chip and the load factor of a day are optional") {
  CHECK_FALSE(sheet().load_factor.has_value());
  CHECK_FALSE(sheet().stack_of("CANN")->licence.has_value());
  const PriceSheet prices = sheet("porting: 0 RMB}", "porting: 0 RMB, licence: 8760 RMB/year}");
  CHECK(prices.stack_of("CANN")->licence->value == Approx(1));  // RMB/h
  CHECK(sheet("staff: 0.15", "staff: 0.15\nload_factor: 0.6").load_factor->value == 0.6);
}

TEST_CASE("the tariff is the default region's unless one is named") {
  const PriceSheet prices = sheet();
  CHECK(prices.tariff(std::nullopt).value == 0.38);
  CHECK(prices.tariff(ConfigValue::from_text("coast", "s.yaml")).value == 0.7);
  CHECK(message_of([&] { prices.tariff(ConfigValue::from_text("cost", "s.yaml")); }) ==
        "s.yaml:1:1: unknown region 'cost'; did you mean 'coast'? (known: coast, west)");
}

TEST_CASE("broken sheets are refused at the value") {
  const auto refusal = [](const std::string& from, const std::string& to) {
    return message_of([&] { sheet(from, to); });
  };
  CHECK(refusal("default_region: west", "default_region: north") ==
        "p.yaml:11:17: default_region: unknown region 'north' (known: coast, west)");
  CHECK(refusal("pue: 1.2", "pue: 0.9") == "p.yaml:9:6: pue: '0.9' must be at least 1 and at most 5");
  CHECK(refusal("basis: card", "basis: crate") ==
        "p.yaml:17:98: chips.a.basis: unknown basis 'crate' (known: card, server_share)");
  CHECK(refusal("rent: 6 RMB/h", "rent: 6 RMB") ==
        "p.yaml:17:110: chips.a.rent: '6 RMB' has an unknown unit 'RMB' (known: RMB/h, RMB/month, RMB/year)");
  CHECK(refusal("purchase: 300 k RMB", "purchase: -1 RMB") ==
        "p.yaml:18:17: chips.b.purchase: '-1 RMB' must be over 0.00 RMB and at most 1000000000000 RMB");
  CHECK(refusal("prefill: 0.95", "prefill: 95") == "p.yaml:8:54: power.prefill: '95' must be over 0 and at most 1.5");
  CHECK(
      refusal("depreciation: 4 year", "depreciation: 4 s").find("p.yaml:5:15: depreciation: '4 s' must be at least") ==
      0);
  CHECK(refusal("staff: 0.15", "staff: 0.15\nload_factor: 1.2") ==
        "p.yaml:15:14: load_factor: '1.2' must be over 0 and at most 1");
  CHECK(refusal("porting: 0 RMB}", "porting: 0 RMB, licence: 5 RMB}") ==
        "p.yaml:15:59: stacks.CANN.licence: '5 RMB' has an unknown unit 'RMB' (known: RMB/h, RMB/month, RMB/year)");
  CHECK(refusal("stacks: {CANN: {staff_factor: 4, porting: 0 RMB}}", "stacks: {}") ==
        "p.yaml:15:9: stacks: must have at least one entry");
}

}  // namespace
}  // namespace silicast
