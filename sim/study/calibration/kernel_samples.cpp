#include "sim/study/calibration/kernel_samples.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "sim/base/errors.hpp"
#include "sim/io/input_file.hpp"

namespace silicast {

std::vector<std::string> RowsLeftOut::lines() const {
  std::vector<std::string> lines;
  for (const auto& [what, rows] : rows_)
    lines.push_back(fmt::format("{} ({} row{})", what, rows, rows == 1 ? "" : "s"));
  return lines;
}

TableOption TableOption::parse(const std::string& text) {
  const std::size_t at = text.rfind('@');
  TableOption option{text, ""};
  if (at != std::string::npos && text.find('/', at) == std::string::npos)
    option = {text.substr(0, at), text.substr(at + 1)};
  if (const std::string problem = input_problem(option.path); !problem.empty())
    throw InputError({option.path, 0, 0}, "", problem);
  return option;
}

std::string TableOption::name() const {
  return std::filesystem::path(path).filename().string();
}

bool TableOption::takes(const std::string& row_kernel, RowsLeftOut& left_out) const {
  if (row_kernel.find(kernel) != std::string::npos) return true;
  left_out.add(name(), fmt::format("kernels without '{}' in their name", kernel));
  return false;
}

std::string band_of(const char* name, double value, const std::vector<double>& limits) {
  for (const double limit : limits)
    if (value <= limit) return fmt::format("{} <= {:g}", name, limit);
  return fmt::format("{} > {:g}", name, limits.back());
}

}  // namespace silicast
