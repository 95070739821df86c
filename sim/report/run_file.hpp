// A result file read back, and several of them set side by side.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/report/batched_series.hpp"
#include "sim/report/table_writer.hpp"

namespace silicast {

// Errors (InputError): not a complete HDF5 file, or not one of silicast.
class RunFile {
 public:
  explicit RunFile(std::string path);

  const std::string& path() const { return path_; }
  const TableColumn& summary() const { return summary_; }  // attributes of /summary and /cost
  const std::string& scenario_yaml() const { return scenario_yaml_; }
  const std::string& fingerprint() const { return fingerprint_; }
  bool recovered() const { return recovered_; }  // no summary: the run was killed

  // One request; times in ns, -1 for never. In order of arrival; empty when the file has no rows.
  struct Row {
    std::int64_t index, arrival, first_token, completion, prompt_tokens, output_tokens;
    bool completed;
  };
  std::vector<Row> requests() const;

 private:
  std::string path_;
  TableColumn summary_;
  std::string scenario_yaml_;
  std::string fingerprint_;
  bool recovered_ = false;
};

// Request by request, b minus a: negative is faster. Of requests that both completed.
struct PairedMetric {
  std::string name;  // "TTFT"
  std::int64_t requests = 0;
  double mean_difference = 0;  // s
  Interval interval;           // 95%, batch means in order of arrival
  double share_faster = 0;     // of b, ties not counted
};
struct PairedDifference {
  std::string a, b;  // titles
  bool comparable = false;
  std::string why_not;
  std::vector<PairedMetric> metrics;  // TTFT, TPOT, E2E
};

PairedDifference paired_difference(const RunFile& a, const RunFile& b);

// The table of the summaries, then each later run against the first.
std::string comparison(std::span<const RunFile> runs);

}  // namespace silicast
