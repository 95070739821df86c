// Quantities as people write them: "4.8 TB/s", "96 GB", "600 W", "50 ms". A number without its unit is an
// error wherever a unit is due.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/base/evidence.hpp"

namespace silicast {

enum class Dimension {
  kNumber,              // no unit
  kTime,                // s
  kBytes,               // B; GB is 10^9, GiB is 2^30
  kByteRate,            // B/s; Gb/s are bits
  kFlopRate,            // FLOP/s; TOP/s is the same thing for integers
  kPower,               // W
  kEventRate,           // 1/s
  kTokenRate,           // token/s
  kMoney,               // RMB
  kMoneyPerHour,        // RMB/h
  kMoneyPerEnergy,      // RMB/kWh
  kMoneyPerPowerMonth,  // RMB/kW/month
  kCarbonPerEnergy,     // g/kWh
};

struct ParsedQuantity {
  bool ok = false;
  double value = 0;   // in the base unit above
  std::string error;  // why not, when not ok: "'989' needs a unit, e.g. TB/s"
};

// Never throws; NaN, infinities, hex and trailing text are refused.
ParsedQuantity parse_quantity(std::string_view text, Dimension dimension);

// The units of a dimension, for error messages and documentation.
std::vector<std::string> unit_names(Dimension dimension);

// A finite decimal number and nothing else ("1e3", "-2.5"); locale-independent.
bool parse_number(std::string_view text, double& value);

// "4.80 TB/s", "113 ms": a value in base units as a person would write it, `digits` significant.
std::string format_quantity(double value, Dimension dimension, int digits = 3);

// "4.80 TB/s (4.50 TB/s to 4.80 TB/s)"; the value alone where its range is no wider.
std::string format_evidence(const Evidence& evidence, Dimension dimension);

}  // namespace silicast
