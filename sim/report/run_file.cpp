// Reading result files and comparing them request by request.
#include "sim/report/run_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "sim/io/hdf5_file.hpp"

namespace silicast {
namespace {

// A run is as good as its worst pool; files of older versions have no badges.
int rank_of(const std::string& badge) {
  for (const BadgeKind kind : {BadgeKind::kEstimated, BadgeKind::kAnchored, BadgeKind::kMeasured})
    if (badge == name_of(kind)) return static_cast<int>(kind) + 1;
  return 0;
}

std::string stem_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

void take_numbers(const Hdf5Reader& file, const std::string& object, TableColumn& column) {
  for (const std::string& name : file.attribute_names(object))
    if (const auto value = file.number(object, name)) column.values[name] = *value;
}

// "the third request differs: ..." or "".
std::string difference_of(const std::vector<RunFile::Row>& a, const std::vector<RunFile::Row>& b) {
  if (a.empty() || b.empty()) return "a file has no rows of requests (output.requests: none)";
  if (a.size() != b.size()) return fmt::format("{} requests against {}", a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].index != b[i].index)
      return fmt::format("request {} is only in one of them", std::min(a[i].index, b[i].index));
    if (a[i].arrival != b[i].arrival)
      return fmt::format("request {} arrives at {} s against {} s", a[i].index,
                         static_cast<double>(a[i].arrival) * 1e-9, static_cast<double>(b[i].arrival) * 1e-9);
    if (a[i].prompt_tokens != b[i].prompt_tokens)
      return fmt::format("request {} has {} prompt tokens against {}", a[i].index, a[i].prompt_tokens,
                         b[i].prompt_tokens);
    if (a[i].completed && b[i].completed && a[i].output_tokens != b[i].output_tokens)
      return fmt::format("request {} has {} output tokens against {}", a[i].index, a[i].output_tokens,
                         b[i].output_tokens);
  }
  return "";
}

// Latencies of a completed row in seconds; NaN where the metric has none.
double ttft_of(const RunFile::Row& row) {
  return static_cast<double>(row.first_token - row.arrival) * 1e-9;
}
double e2e_of(const RunFile::Row& row) {
  return static_cast<double>(row.completion - row.arrival) * 1e-9;
}
double tpot_of(const RunFile::Row& row) {
  if (row.output_tokens < 2) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(row.completion - row.first_token) * 1e-9 / static_cast<double>(row.output_tokens - 1);
}

PairedMetric paired_metric(std::string name, double (*value)(const RunFile::Row&), const std::vector<RunFile::Row>& a,
                           const std::vector<RunFile::Row>& b) {
  constexpr std::size_t kBatches = 96;  // to be merged; divides into 32, 24, 16 and 12
  PairedMetric metric;
  metric.name = std::move(name);
  std::vector<BatchSum> batches(kBatches);
  double sum = 0;
  std::int64_t faster = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!a[i].completed || !b[i].completed) continue;
    const double difference = value(b[i]) - value(a[i]);
    if (!(difference == difference)) continue;
    BatchSum& batch = batches[i * kBatches / a.size()];
    batch.count += 1;
    batch.sum += difference;
    sum += difference;
    faster += difference < 0;
    ++metric.requests;
  }
  if (metric.requests == 0) return metric;
  const double n = static_cast<double>(metric.requests);
  metric.mean_difference = sum / n;
  metric.share_faster = static_cast<double>(faster) / n;
  metric.interval = mean_interval(batches);
  return metric;
}

}  // namespace

RunFile::RunFile(std::string path) : path_(std::move(path)) {
  const Hdf5Reader file(path_);
  const auto yaml = file.has("/scenario") ? file.text("/scenario", "yaml") : std::nullopt;
  if (!yaml) throw InputError(fmt::format("{}: is an HDF5 file, but not of a silicast run (no /scenario)", path_));
  scenario_yaml_ = *yaml;
  fingerprint_ = file.text("/scenario", "fingerprint").value_or("");
  recovered_ = file.number("/", "recovered").value_or(0) != 0;
  summary_.title = file.text("/scenario", "name").value_or(stem_of(path_));
  if (!file.has("/summary")) return;
  take_numbers(file, "/summary", summary_);
  summary_.unstable = file.number("/summary", "unstable").value_or(0) != 0;
  std::string chips, badge;
  if (file.has("/summary/pools"))
    for (const std::string& pool : file.children("/summary/pools")) {
      const std::string chip = file.text("/summary/pools/" + pool, "chip").value_or("");
      const std::string own = file.text("/summary/pools/" + pool, "badge").value_or("");
      badge = std::max(badge, own, [](const std::string& a, const std::string& b) { return rank_of(a) < rank_of(b); });
      if (chips.find(chip) == std::string::npos) chips += (chips.empty() ? "" : ", ") + chip;
    }
  summary_.texts["chip"] = chips;
  summary_.texts["badge"] = badge;
  summary_.texts["latency rests on"] = file.text("/summary", "latency_weakest_grade").value_or("");
  summary_.texts["energy rests on"] = file.text("/summary", "energy_weakest_grade").value_or("");
  if (!file.has("/cost")) return;
  take_numbers(file, "/cost", summary_);
  summary_.texts["cost rests on"] = file.text("/cost", "weakest_grade").value_or("");
}

std::vector<RunFile::Row> RunFile::requests() const {
  const Hdf5Reader file(path_);
  if (!file.has("/requests")) return {};
  const auto column = [&](const char* name) { return file.integers(fmt::format("/requests/{}", name)); };
  const auto index = column("index"), arrival = column("arrival"), first_token = column("first_token"),
             completion = column("completion"), prompt = column("prompt_tokens"), output = column("output_tokens"),
             state = column("state");
  std::vector<Row> rows(index.size());
  for (const auto* other : {&arrival, &first_token, &completion, &prompt, &output, &state})
    if (other->size() != index.size())
      throw InputError(fmt::format("{}: the columns of /requests differ in length", path_));
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i] = {index[i], arrival[i], first_token[i], completion[i], prompt[i], output[i], state[i] == 0};
  std::sort(rows.begin(), rows.end(), [](const Row& x, const Row& y) { return x.index < y.index; });
  return rows;
}

PairedDifference paired_difference(const RunFile& a, const RunFile& b) {
  PairedDifference result;
  result.a = a.summary().title;
  result.b = b.summary().title;
  const auto rows_a = a.requests(), rows_b = b.requests();
  result.why_not = difference_of(rows_a, rows_b);
  result.comparable = result.why_not.empty();
  if (!result.comparable) return result;
  result.metrics.push_back(paired_metric("TTFT", ttft_of, rows_a, rows_b));
  result.metrics.push_back(paired_metric("TPOT", tpot_of, rows_a, rows_b));
  result.metrics.push_back(paired_metric("E2E", e2e_of, rows_a, rows_b));
  return result;
}

std::string comparison(std::span<const RunFile> runs) {
  std::vector<TableColumn> columns;
  for (const RunFile& run : runs) columns.push_back(run.summary());
  // Runs of one name are told apart by their files.
  for (std::size_t i = 0; i < runs.size(); ++i)
    for (std::size_t j = 0; j < runs.size(); ++j)
      if (i != j && runs[i].summary().title == runs[j].summary().title) columns[i].title = runs[i].path();
  std::string text = table_of(columns, metric_catalogue());
  for (const RunFile& run : runs)
    if (run.recovered()) text += fmt::format("{}: recovered from a killed run, no summary\n", run.path());
  for (std::size_t i = 1; i < runs.size(); ++i) {
    const PairedDifference pair = paired_difference(runs[0], runs[i]);
    text += fmt::format("\n{} against {}, request by request", columns[i].title, columns[0].title);
    if (!pair.comparable) {
      text += fmt::format(": not comparable: {}\n", pair.why_not);
      continue;
    }
    text += " (negative: faster)\n";
    for (const PairedMetric& metric : pair.metrics) {
      if (metric.requests == 0) {
        text += fmt::format("  {}: no request that both completed\n", metric.name);
        continue;
      }
      text += fmt::format("  {}: mean {} s ({} to {}), {}% of {} requests faster\n", metric.name,
                          format_significant(metric.mean_difference), format_significant(metric.interval.low),
                          format_significant(metric.interval.high), format_significant(100 * metric.share_faster, 3),
                          metric.requests);
    }
  }
  return text;
}

}  // namespace silicast
