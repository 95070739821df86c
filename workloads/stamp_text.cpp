#include "workloads/stamp_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "sim/io/line_reader.hpp"
#include "workloads/limits.hpp"

namespace silicast {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

ParsedInteger refused(std::string_view text, std::string_view why) {
  return {false, 0, text.empty() ? "is empty" : fmt::format("{} {}", quoted_text(text), why)};
}

// The digits of a number with its decimal point taken out: 0.DIGITS * 10^magnitude.
struct Decimal {
  std::string_view whole, fraction;
  std::int64_t exponent = 0;
  bool ok = false;
};

Decimal split_decimal(std::string_view text) {
  Decimal decimal;
  const auto digits = [&] {
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const std::string_view found = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(found.size());
    return found;
  };
  decimal.whole = digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    decimal.fraction = digits();
  }
  if (decimal.whole.empty() && decimal.fraction.empty()) return decimal;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(text.starts_with("e+") || text.starts_with("E+") ? 2 : 1);
    int exponent = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (error != std::errc() || exponent < -10000 || exponent > 10000) return decimal;
    decimal.exponent = exponent;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  decimal.ok = text.empty();
  return decimal;
}

// A fixed number of digits at the front, taken off; -1 when they are not there.
int take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (!is_digit(c)) return -1;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

int days_in_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

// Days since 1970-01-01 (Howard Hinnant, chrono-Compatible Low-Level Date Algorithms: days_from_civil).
std::int64_t days_from_civil(int year, int month, int day) {
  const int y = year - (month <= 2 ? 1 : 0);
  const int era = y / 400;
  const int year_of_era = y - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * std::int64_t{146097} + day_of_era - 719468;
}

// Digits behind the point of a second, as nanoseconds; -1 when there are none or over nine.
std::int64_t take_fraction(std::string_view& text) {
  std::int64_t ns = 0;
  int count = 0;
  while (!text.empty() && is_digit(text.front())) {
    if (++count > 9) return -1;
    ns = ns * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (count == 0) return -1;
  for (; count < 9; ++count) ns *= 10;
  return ns;
}

// "Z", "+08:00", "+0800", "+08" or nothing, as seconds east of UTC; false when it is something else.
bool take_zone(std::string_view& text, std::int64_t& seconds) {
  seconds = 0;
  if (text.empty() || text == "Z") return text = {}, true;
  const bool west = text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) return false;
  const int hours = take_digits(text, 2);
  int minutes = 0;
  if (take(text, ':') || !text.empty()) minutes = take_digits(text, 2);
  if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59 || !text.empty()) return false;
  seconds = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
  return true;
}

}  // namespace

ParsedInteger parse_time(std::string_view text, int unit_exponent) {
  const bool negative = text.starts_with('-');
  const Decimal decimal = split_decimal(text.substr(negative || text.starts_with('+') ? 1 : 0));
  if (!decimal.ok) return refused(text, "is not a number");
  if (negative) return refused(text, "is negative");
  const std::int64_t whole_size = static_cast<std::int64_t>(decimal.whole.size());
  const std::int64_t size = whole_size + static_cast<std::int64_t>(decimal.fraction.size());
  const auto digit = [&](std::int64_t i) {
    if (i >= size) return 0;
    return (i < whole_size ? decimal.whole[static_cast<std::size_t>(i)]
                           : decimal.fraction[static_cast<std::size_t>(i - whole_size)]) -
           '0';
  };
  // The first `kept` digits are whole nanoseconds.
  const std::int64_t kept = whole_size + decimal.exponent + unit_exponent;
  std::int64_t value = 0;
  for (std::int64_t i = 0; i < kept; ++i) {
    if (value > (kMost - 10) / 10) return refused(text, "is too large a time");
    value = value * 10 + digit(i);
  }
  if (kept >= 0 && digit(kept) >= 5) ++value;
  return {true, value, {}};
}

ParsedInteger parse_datetime(std::string_view text) {
  constexpr std::string_view kWrong = "is not a time stamp such as 2023-11-16 18:15:46.6805900";
  std::string_view rest = text;
  const int year = take_digits(rest, 4);
  const bool dash1 = take(rest, '-');
  const int month = take_digits(rest, 2);
  const bool dash2 = take(rest, '-');
  const int day = take_digits(rest, 2);
  const bool blank = take(rest, ' ') || take(rest, 'T');
  const int hour = take_digits(rest, 2);
  const bool colon1 = take(rest, ':');
  const int minute = take_digits(rest, 2);
  const bool colon2 = take(rest, ':');
  const int second = take_digits(rest, 2);
  if (!dash1 || !dash2 || !blank || !colon1 || !colon2 || year < 0 || second < 0) return refused(text, kWrong);
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second > 59)
    return refused(text, kWrong);
  const std::int64_t fraction = take(rest, '.') ? take_fraction(rest) : 0;
  std::int64_t zone = 0;
  if (fraction < 0 || !take_zone(rest, zone)) return refused(text, kWrong);
  if (year < 1970 || year > 2261) return refused(text, "is not between the years 1970 and 2261");
  const std::int64_t seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone;
  return {true, seconds * 1'000'000'000 + fraction, {}};
}

ParsedInteger parse_tokens(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = end == text.data() + text.size() && error != std::errc::invalid_argument;
  if (!whole) return refused(text, "is not a whole number");
  if (error != std::errc() || value < 1 || value > kMaxTokens)
    return refused(text, fmt::format("must be from 1 to {} tokens", kMaxTokens));
  return {true, value, {}};
}

}  // namespace silicast
