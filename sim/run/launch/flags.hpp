// The flags of a launch command against a table of those that its engine has.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/run/launch/shell_text.hpp"

namespace silicast {

enum class Takes {
  kValue,
  kNothing,  // with --no-NAME beside --NAME where the engine has it
  kValues,   // one and more, up to the next flag
};

struct FlagSpec {
  std::string_view names;  // all spellings, a blank between; messages say the first
  Takes takes = Takes::kValue;
  std::string_view unmodelled = {};  // why a simulation does without it; empty: it is read

  std::string name() const { return std::string(names.substr(0, names.find(' '))); }
};

struct Flag {
  const FlagSpec* spec = nullptr;
  std::string value;  // empty where it takes none
  bool on = true;     // false: --no-NAME
  Mark mark;          // of the value, where there is one
};

// A value and where it was said, for messages: "FILE:LINE:COLUMN: --flag: what is wrong".
template <class Value>
struct Said {
  Value value{};
  Mark mark;
  std::string by;  // the flag or the key

  [[noreturn]] void fail(std::string_view what) const { throw InputError(mark, by, what); }
};

class Flags {
 public:
  // `words` behind the program. Dashes and underscores are alike, as engines take them. Errors (InputError): a flag
  // that differs from one of the table by a letter or two, a value that is missing or too much, a flag given twice
  // with unlike values.
  Flags(std::span<const FlagSpec> table, std::span<const ShellWord> words);

  const std::vector<ShellWord>& positional() const { return positional_; }
  std::optional<Said<std::string>> text(std::string_view name) const;
  std::optional<Said<std::int64_t>> integer(std::string_view name, std::int64_t low, std::int64_t high) const;
  std::optional<Said<double>> number(std::string_view name, double low, double high) const;  // low excluded
  std::optional<Said<std::string>> choice(std::string_view name, const std::vector<std::string>& values) const;
  std::optional<Said<bool>> on(std::string_view name) const;

  // What is not modelled, one line each: "--host (launch.sh:3): where it listens".
  const std::vector<std::string>& unmodelled() const { return unmodelled_; }

 private:
  void take(const Flag& flag);
  const Flag* find(std::string_view name) const;

  std::vector<Flag> flags_;
  std::vector<ShellWord> positional_;
  std::vector<std::string> unmodelled_;
};

// Of one of `known` by one place of two letters at the most, so hardly another flag of the engine. "": none.
std::string misspelt(const std::string& word, const std::vector<std::string>& known);

// "FILE:LINE", as notes say it.
std::string place_of(const Mark& mark);

}  // namespace silicast
