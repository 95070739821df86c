#include "sim/io/text_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "sim/base/errors.hpp"

namespace silicast {
namespace {

constexpr std::size_t kMostBrackets = 1000;

// Bytes of the UTF-8 sequence at the start of `text`, 0 when it is none (RFC 3629; no surrogates, nothing
// overlong).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first < 0xf0) {
    const bool legal = first == 0xe0 ? byte(1) >= 0xa0 : first == 0xed ? byte(1) < 0xa0 : true;
    return legal && follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first < 0xf5) {
    const bool legal = first == 0xf0 ? byte(1) >= 0x90 : first == 0xf4 ? byte(1) < 0x90 : true;
    return legal && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

void check_utf8(const std::string& text, const std::string& name) {
  int line = 1;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(std::string_view(text).substr(at));
    if (length == 0)
      throw InputError(
          {name, line, static_cast<int>(at - start) + 1}, "",
          fmt::format("not UTF-8 text (byte 0x{:02x}); save the file as UTF-8", static_cast<unsigned char>(text[at])));
    if (text[at] == '\n') {
      ++line;
      start = at + 1;
    }
    at += length;
  }
}

void check_brackets(const std::string& text, const std::string& name) {
  std::size_t depth = 0;
  int line = 1;
  char quote = '\0', before = '\n';  // the quote that is open; the last character that is no blank
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    line += c == '\n';
    if (quote != '\0') {
      if (c == quote) quote = '\0';  // '' opens again at once
      if (c == '\\' && quote == '"' && at + 1 < text.size() && text[at + 1] != '\n') ++at;
    } else if (c == '#' && (at == 0 || std::string_view(" \t\n").find(text[at - 1]) != std::string_view::npos)) {
      at = std::min(text.find('\n', at), text.size()) - 1;
    } else if ((c == '"' || c == '\'') && std::string_view("\n:,[{-?'").find(before) != std::string_view::npos) {
      quote = c;
    } else if (c == '[' || c == '{') {
      if (++depth > kMostBrackets)
        throw InputError({name, line, 0}, "", fmt::format("brackets nested over {} levels", kMostBrackets));
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
    if (c != ' ' && c != '\t') before = c;
  }
}

}  // namespace silicast
