// SILICAST_CHECK(condition[, format, args...]): our own mistake when it fails. On in release builds; throws
// InternalError, which nothing but tools/ catches (exit 1), so a broken invariant never becomes a number in a report.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace silicast {

class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] inline void check_failed(const char* expression, const char* file, int line, const std::string& detail) {
  throw InternalError(
      fmt::format("{}:{}: broken invariant: {}{}{}", file, line, expression, detail.empty() ? "" : " - ", detail));
}

}  // namespace silicast

#define SILICAST_CHECK(condition, ...)                                                         \
  do {                                                                                         \
    if (!(condition)) [[unlikely]]                                                             \
      ::silicast::check_failed(#condition, __FILE__, __LINE__, ::fmt::format("" __VA_ARGS__)); \
  } while (false)
