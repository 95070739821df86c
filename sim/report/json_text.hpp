// A small JSON writer: objects and lists with indentation, numbers that round-trip.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace silicast {

inline std::string json_quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      (result += '\\') += c;
    else if (c == '\n')
      result += "\\n";
    else if (c == '\t')
      result += "\\t";
    else if (static_cast<unsigned char>(c) < 0x20)
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      result += c;
  }
  return result += '"';
}

class JsonText {
 public:
  void open(char bracket) { text_ += bracket, first_ = true, ++depth_; }
  void close(char bracket) {
    --depth_;
    if (!first_) new_line();
    text_ += bracket;
    first_ = false;
  }
  // Starts the next item of the object or list that is open.
  JsonText& item(std::string_view key = {}) {
    if (!first_) text_ += ',';
    first_ = false;
    new_line();
    if (!key.empty()) text_ += json_quoted(key) + ": ";
    return *this;
  }
  void string(std::string_view value) { text_ += json_quoted(value); }
  void boolean(bool value) { text_ += value ? "true" : "false"; }
  void null() { text_ += "null"; }
  void number(double value) { text_ += std::isfinite(value) ? fmt::format("{}", value) : "null"; }
  void integer(std::int64_t value) { text_ += fmt::format("{}", value); }
  std::string take() { return std::move(text_); }

 private:
  void new_line() { (text_ += '\n').append(static_cast<std::size_t>(2 * depth_), ' '); }

  std::string text_;
  int depth_ = 0;
  bool first_ = true;
};

}  // namespace silicast
