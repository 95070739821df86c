#include "sim/run/presentation.hpp"

#include "sim/report/json_writer.hpp"
#include "sim/report/run_file.hpp"
#include "sim/report/table_writer.hpp"

namespace silicast {

std::string table_of(const Summary& summary) {
  return summary_table({&summary, 1});
}
std::string json_of(const Summary& summary) {
  return summary_json({&summary, 1});
}

std::string comparison_of(const std::vector<std::string>& files) {
  std::vector<RunFile> runs;
  for (const std::string& file : files) runs.emplace_back(file);
  return comparison(runs);
}

}  // namespace silicast
