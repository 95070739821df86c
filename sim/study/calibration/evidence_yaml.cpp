#include "sim/study/calibration/evidence_yaml.hpp"

#include <fmt/format.h>

#include "sim/base/check.hpp"
#include "sim/report/json_text.hpp"

namespace silicast {
namespace {

constexpr int kDigits = 3;

// Rounding must not push the ends of a range past the value: they are rounded alike, and equal figures stay equal.
std::string text_of(double value, Dimension dimension) {
  if (dimension == Dimension::kNumber)
    return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.{}g}", value, kDigits);
  SILICAST_CHECK(dimension == Dimension::kTime, "times and numbers only");
  if (value == 0) return "0 s";
  if (value < 1e-7) return fmt::format("{:.{}g} ns", value * 1e9, kDigits);
  if (value < 1e-3) return fmt::format("{:.{}g} us", value * 1e6, kDigits);
  return fmt::format("{:.{}g} ms", value * 1e3, kDigits);
}

}  // namespace

std::string evidence_yaml(const Evidence& evidence, Dimension dimension) {
  return fmt::format("{{value: {}, range: [{}, {}], grade: {}, source: {}}}", text_of(evidence.value, dimension),
                     text_of(evidence.low, dimension), text_of(evidence.high, dimension), name_of(evidence.grade),
                     json_quoted(evidence.source));
}

}  // namespace silicast
