// Tables for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace silicast {

// Columns aligned to their widest cell, two spaces between; the first row is the header.
std::string aligned(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

// The same, row by row.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> header) : header_(std::move(header)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const { return aligned(header_, rows_); }

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace silicast
