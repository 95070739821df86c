// JSON Lines (one JSON object a line), one at a time, keeping only the keys that are asked for. Numbers stay
// text, so that a time stamp of 19 digits loses nothing in a double.
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/io/line_reader.hpp"

namespace silicast {

// The value of a key: a scalar's text, or what it is instead.
struct JsonField {
  enum class Kind { kAbsent, kNull, kBoolean, kNumber, kText, kContainer };
  Kind kind = Kind::kAbsent;
  std::string text;  // of a number (as written) or a text
  // Of a list of whole numbers from 0, where it was asked for as one; else what is wrong with the list in `text`.
  std::vector<std::uint64_t> numbers;
  bool is_list = false;
};

class JsonlReader {
 public:
  // `keys` are those of the outermost object that field() will be asked for, those of `lists`, which follow them in
  // field()'s count, as lists of whole numbers.
  JsonlReader(std::unique_ptr<std::istream> input, std::string name, std::vector<std::string> keys,
              const std::vector<std::string>& lists = {});

  // Reads the next object; empty lines are skipped. False at the end. InputError: not JSON, not an object, a
  // key twice, and what LineReader refuses.
  bool next();

  // The value of keys[index]; InputError, with a suggestion, when the object lacks it.
  const JsonField& field(std::size_t index) const;
  bool has(std::size_t index) const { return fields_[index].kind != JsonField::Kind::kAbsent; }

  // The numbers of the list at keys[index]. InputError: what field() throws, no list, an item that is no whole number
  // from 0 to 2^64 - 1. Holds until the next object.
  const std::vector<std::uint64_t>& list(std::size_t index) const;
  Mark mark() const;
  std::int64_t line() const { return lines_.number(); }
  const std::string& name() const { return lines_.name(); }

 private:
  LineReader lines_;
  std::vector<std::string> keys_;
  std::size_t first_list_;  // in keys_
  std::vector<JsonField> fields_;
  std::vector<std::string> others_;  // some keys of the object that nobody asked for, for suggestions
};

}  // namespace silicast
