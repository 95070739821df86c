// Comma-separated text with a header, one record at a time: quoted fields, CRLF, byte order mark, no newline
// at the end. Every record has as many fields as the header.
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/io/line_reader.hpp"

namespace silicast {

class CsvReader {
 public:
  // Reads the header at once. InputError when there is none.
  CsvReader(std::unique_ptr<std::istream> input, std::string name);

  // Its fields are views into itself.
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  const std::vector<std::string>& header() const { return header_; }

  // The position of a column; InputError, with a suggestion, when the header lacks it or has it twice.
  std::size_t column(std::string_view name) const;

  // Reads the next record; empty lines are skipped. False at the end. InputError: more or fewer fields than
  // the header, an unclosed quote, text behind a closing quote, and what LineReader refuses.
  bool next();

  // A field of the record; blanks around an unquoted one are cut. Holds until the next record.
  std::string_view field(std::size_t index) const { return fields_[index].text; }
  // Where it stands; a field behind a line break within quotes gets the line where its record starts.
  Mark mark(std::size_t index) const { return lines_.mark_at(line_, fields_[index].offset); }
  std::int64_t line() const { return line_; }  // where the record starts
  const std::string& name() const { return lines_.name(); }

 private:
  struct Field {
    std::string_view text;
    std::size_t offset = 0;  // in its record
  };

  bool read_record();
  void split_plain(std::string_view record);
  void split_quoted();
  std::size_t take_quoted(std::size_t at);
  void check_quote_end(std::size_t at) const;

  LineReader lines_;
  std::vector<std::string> header_;
  std::vector<Field> fields_;
  std::string record_;    // copy of a record with quotes; may span lines
  std::string unquoted_;  // its quoted fields, without quotes
  std::int64_t line_ = 0;
};

}  // namespace silicast
