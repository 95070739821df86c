// What hardware, power, space and people cost in one market. Money is RMB; every number is evidence, because
// prices here are mostly press reports.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sim/base/evidence.hpp"
#include "sim/io/config_reader.hpp"

namespace silicast {

// What a purchase price covers.
enum class PriceBasis {
  kCard,         // the accelerator alone; PriceSheet::rest_of_server comes on top
  kServerShare,  // a chip's share of a complete server (or pod, with its network)
};
std::string_view name_of(PriceBasis basis);  // "card", "server_share"

struct ChipPrice {
  Evidence purchase;  // RMB per chip, as quoted
  PriceBasis basis = PriceBasis::kServerShare;
  std::optional<Evidence> rent;  // RMB/h per chip, bare metal for a year or more; none where no quote is known
};

// Power of a chip as a share of its TDP.
struct PowerShares {
  Evidence off;   // powered, no model loaded
  Evidence idle;  // model loaded, no request
  Evidence decode;
  Evidence prefill;
};

struct StackCost {
  Evidence staff_factor;            // operations staff relative to a mature NVIDIA site (1)
  Evidence porting;                 // RMB, once per model family brought to the stack; may be 0
  std::optional<Evidence> licence;  // RMB/h per chip in use, for software that is paid by the chip; none: not known
};

struct PriceSheet {
  std::string name;
  std::string description;
  std::map<std::string, ChipPrice> chips;   // by chip name
  std::map<std::string, StackCost> stacks;  // by ChipSpec::software
  std::map<std::string, Evidence> tariffs;  // RMB/kWh by region
  std::string default_region;               // a key of tariffs
  Evidence rmb_per_usd;
  Evidence rest_of_server;  // RMB per chip: CPUs, memory, chassis, NICs; added where a card's price is quoted
  Evidence depreciation;    // s; straight line to nothing
  Evidence server_power;    // power of a server over that of its chips (CPUs, fans, NICs, optics)
  std::map<std::string, Evidence> node_server_power;  // the same for nodes that differ, by node name
  PowerShares power;
  Evidence pue;     // power of the site over that of its servers
  Evidence carbon;  // g CO2 per kWh
  Evidence site;    // RMB/kW/month of IT power: space, cooling plant, no electricity
  // Operations staff of a mature NVIDIA site as a fraction of `site`; times the stack's staff_factor
  // elsewhere. Tied to power, not to hardware price, so that a dear chip does not cost more people.
  Evidence staff;
  std::optional<Evidence> load_factor;  // mean load of a day over that of its busiest hour, where nobody knows better

  // Purchase price of one chip with its share of a server, RMB: as quoted, or the card's price plus
  // rest_of_server (the weaker grade, both sources). Nothing for a chip that the sheet does not list.
  std::optional<Evidence> purchase_of(const std::string& chip) const;
  std::optional<Evidence> rent_of(const std::string& chip) const;  // RMB/h
  const StackCost* stack_of(const std::string& software) const;    // nullptr when not listed
  const Evidence& server_power_of(const std::string& node) const;  // the node's own or server_power
  // Tariff of a region, RMB/kWh; an empty value means the default. An unknown region is an InputError at the
  // value.
  const Evidence& tariff(const std::optional<ConfigValue>& region) const;
};

// Schema (EVIDENCE as in read_chip):
//   name, description, default_region: text
//   rmb_per_usd, pue, server_power, staff: EVIDENCE (numbers)
//   rest_of_server: EVIDENCE (RMB); depreciation: EVIDENCE (time); site: EVIDENCE (RMB/kW/month)
//   carbon: EVIDENCE (g/kWh)
//   tariffs: {west: EVIDENCE, ...}                                 # RMB/kWh
//   power: {off: EVIDENCE, idle: ..., decode: ..., prefill: ...}   # shares of TDP
//   node_server_power: {atlas-800-a3: EVIDENCE, ...}               # optional
//   stacks: {CANN: {staff_factor: EVIDENCE, porting: EVIDENCE, licence: EVIDENCE}, ...}   # licence (RMB/year) optional
//   load_factor: EVIDENCE (over 0, to 1)                           # optional
//   chips: {h20-96: {purchase: EVIDENCE, basis: card | server_share, rent: EVIDENCE}, ...}   # rent optional
PriceSheet read_price_sheet(const ConfigValue& prices);

}  // namespace silicast
