// Other people's measurements, which are not in this repository, and what the tests find against them.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace silicast::testing {

// SILICAST_DATA, or shared/data beside the checkout; nothing where there is none.
inline std::optional<std::string> data_dir() {
  const char* given = std::getenv("SILICAST_DATA");
  const std::string folder = given != nullptr ? given : std::string(SILICAST_SOURCE_DIR) + "/../shared/data";
  if (std::filesystem::is_directory(folder)) return folder;
  return std::nullopt;
}

// Cells of a plain CSV file (no quotes), packed by gzip where it ends in .gz; without the header.
inline std::vector<std::vector<std::string>> csv_rows(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
      popen(((path.ends_with(".gz") ? "gzip -dc '" : "cat '") + path + "'").c_str(), "r"), pclose);
  std::string text;
  char buffer[65536];
  while (const std::size_t size = fread(buffer, 1, sizeof buffer, pipe.get())) text.append(buffer, size);
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    rows.emplace_back();
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
  }
  return rows;
}

// One case of a claim of the README's accuracy table: `error` as a fraction. Collected in the file that
// SILICAST_ACCURACY names (tools/readme_tables), else forgotten.
inline void note_accuracy(const std::string& claim, const std::string& shown_by, double error) {
  if (const char* file = std::getenv("SILICAST_ACCURACY"))
    std::ofstream(file, std::ios::app) << claim << '|' << shown_by << '|' << error << '\n';
}

}  // namespace silicast::testing
