#include "sim/study/calibration/evidence_yaml.hpp"

#include <fmt/format.h>

#include "sim/base/check.hpp"

namespace silicast {
namespace {

constexpr int kDigits = 3;

// Rounding must not push the ends of a range past the value: they are rounded alike, and equal figures stay equal.
std::string text_of(double value, Dimension dimension) {
  if (dimension == Dimension::kNumber) return fmt::format("{:.{}g}", value, kDigits);
  SILICAST_CHECK(dimension == Dimension::kTime, "times and numbers only");
  if (value == 0) return "0 s";
  if (value < 1e-7) return fmt::format("{:.{}g} ns", value * 1e9, kDigits);
  if (value < 1e-3) return fmt::format("{:.{}g} us", value * 1e6, kDigits);
  return fmt::format("{:.{}g} ms", value * 1e3, kDigits);
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + "\"";
}

}  // namespace

std::string evidence_yaml(const Evidence& evidence, Dimension dimension) {
  return fmt::format("{{value: {}, range: [{}, {}], grade: {}, source: {}}}", text_of(evidence.value, dimension),
                     text_of(evidence.low, dimension), text_of(evidence.high, dimension), name_of(evidence.grade),
                     quoted(evidence.source));
}

}  // namespace silicast
