// A measured table: a CSV file with a header, gzip or not, whose cells are asked for by column name. Every error names
// file, line, column and key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/io/csv_reader.hpp"

namespace silicast {

class TableFile {
 public:
  // All of `columns` must be in the header. InputError otherwise, with a suggestion. Cells of `optional` columns that
  // the header lacks are empty.
  TableFile(const std::string& path, const std::vector<std::string>& columns,
            const std::vector<std::string>& optional = {});

  bool next() { return csv_.next(); }
  std::int64_t line() const { return csv_.line(); }
  const std::string& name() const { return csv_.name(); }
  bool has(std::string_view column) const;  // beside those that are required

  std::string text(std::string_view column) const;                                           // may be empty
  std::string required_text(std::string_view column) const;                                  // not empty
  double number(std::string_view column) const;                                              // over 0
  std::optional<double> maybe_number(std::string_view column) const;                         // empty: nullopt
  std::int64_t integer(std::string_view column, std::int64_t low, std::int64_t high) const;  // "8.0" is 8
  std::optional<std::int64_t> maybe_integer(std::string_view column, std::int64_t low, std::int64_t high) const;

  [[noreturn]] void fail(std::string_view column, std::string_view what) const;

 private:
  std::string_view cell(std::string_view column) const;
  std::size_t index_of(std::string_view column) const;

  CsvReader csv_;
  std::map<std::string, std::size_t, std::less<>> columns_;
  std::vector<std::string> absent_;  // of the optional ones
};

// The header of such a file; empty where it is no text or has none.
std::vector<std::string> table_header(const std::string& path);

}  // namespace silicast
