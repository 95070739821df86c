// Time stamps and token counts as traces write them, read exactly into integers: a double would lose the 100
// ns digits of a stamp of today.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace silicast {

struct ParsedInteger {
  bool ok = false;
  std::int64_t value = 0;
  std::string error;  // why not, when not ok: "'x' is not a number"
};

// A decimal number ("12", "0.0125", "1.7e9") of a unit of 10^unit_exponent ns (s: 9, ms: 6, us: 3, ns: 0), to
// the nearest nanosecond, halves up. Refused: negative, NaN, infinity, over 2^63 - 1 ns, anything else behind
// it.
ParsedInteger parse_time(std::string_view text, int unit_exponent);

// "2023-11-16 18:15:46.6805900", "2024-05-10T00:00:00.009930+00:00", "...Z": nanoseconds since 1970, UTC
// where no zone is given. Up to 9 digits of a second; years 1970 to 2261.
ParsedInteger parse_datetime(std::string_view text);

// A whole number of tokens from 1 to kMaxTokens.
ParsedInteger parse_tokens(std::string_view text);

}  // namespace silicast
