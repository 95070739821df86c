#include "sim/io/table_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/io/gzip_file.hpp"
#include "sim/io/quantity_text.hpp"

namespace silicast {

TableFile::TableFile(const std::string& path, const std::vector<std::string>& columns,
                     const std::vector<std::string>& optional)
    : csv_(open_packed_file(path), path) {
  for (const std::string& column : columns) columns_[column] = csv_.column(column);
  const std::vector<std::string>& header = csv_.header();
  for (const std::string& column : optional) {
    if (std::find(header.begin(), header.end(), column) != header.end())
      columns_[column] = csv_.column(column);
    else
      absent_.push_back(column);
  }
}

std::string_view TableFile::cell(std::string_view column) const {
  if (std::find(absent_.begin(), absent_.end(), column) != absent_.end()) return {};
  return csv_.field(index_of(column));
}

bool TableFile::has(std::string_view column) const {
  return columns_.find(column) != columns_.end();
}

std::size_t TableFile::index_of(std::string_view column) const {
  const auto found = columns_.find(column);
  SILICAST_CHECK(found != columns_.end(), "column {} was not asked for at the start", column);
  return found->second;
}

void TableFile::fail(std::string_view column, std::string_view what) const {
  throw InputError(csv_.mark(index_of(column)), column, what);
}

std::string TableFile::text(std::string_view column) const {
  return std::string(cell(column));
}

std::string TableFile::required_text(std::string_view column) const {
  if (cell(column).empty()) fail(column, "is empty");
  return text(column);
}

std::optional<double> TableFile::maybe_number(std::string_view column) const {
  const std::string_view field = cell(column);
  if (field.empty()) return std::nullopt;
  double value = 0;
  if (!parse_number(field, value)) fail(column, fmt::format("{} is not a number", quoted_text(field)));
  if (value <= 0) fail(column, fmt::format("{} must be over 0", field));
  return value;
}

double TableFile::number(std::string_view column) const {
  const std::optional<double> value = maybe_number(column);
  if (!value) fail(column, "is empty");
  return *value;
}

std::optional<std::int64_t> TableFile::maybe_integer(std::string_view column, std::int64_t low,
                                                     std::int64_t high) const {
  const std::string_view field = cell(column);
  if (field.empty()) return std::nullopt;
  double value = 0;
  if (!parse_number(field, value) || value != std::floor(value) || value < static_cast<double>(low) ||
      value > static_cast<double>(high))
    fail(column, fmt::format("{} is not a whole number from {} to {}", quoted_text(field), low, high));
  return static_cast<std::int64_t>(value);
}

std::int64_t TableFile::integer(std::string_view column, std::int64_t low, std::int64_t high) const {
  const std::optional<std::int64_t> value = maybe_integer(column, low, high);
  if (!value) fail(column, "is empty");
  return *value;
}

std::vector<std::string> table_header(const std::string& path) {
  try {
    return CsvReader(open_packed_file(path), path).header();
  } catch (const InputError&) {
    return {};
  }
}

}  // namespace silicast
