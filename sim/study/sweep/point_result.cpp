#include "sim/study/sweep/point_result.hpp"

#include <fmt/format.h>

#include <cstring>
#include <map>

#include "sim/report/metrics.hpp"
#include "sim/run/simulation.hpp"

namespace silicast {
namespace {

template <class T>
void put(std::string& to, const T& value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
bool take(std::string_view& from, T& value) {
  if (from.size() < sizeof value) return false;
  std::memcpy(&value, from.data(), sizeof value);
  from.remove_prefix(sizeof value);
  return true;
}

std::vector<SummaryColumn> all_columns() {
  std::vector<SummaryColumn> columns;
  for (const Metric& metric : metric_catalogue()) {
    const std::string unit(metric.si_unit());
    columns.push_back({metric.key, unit, metric.label});
    if (!metric.has_range) continue;
    columns.push_back({metric.key + "_low", unit, metric.label + ", low end"});
    columns.push_back({metric.key + "_high", unit, metric.label + ", high end"});
  }
  return columns;
}

std::vector<double> summary_of(const Summary& summary) {
  std::map<std::string, double> values;
  const auto add = [&](const std::vector<Metric>& metrics) {
    for (const Metric& metric : metrics) {
      values[metric.key] = metric.value;
      if (metric.has_range) values[metric.key + "_low"] = metric.low, values[metric.key + "_high"] = metric.high;
    }
  };
  add(run_metrics(summary));
  if (summary.cost) add(cost_metrics(*summary.cost));
  std::vector<double> result;
  for (const SummaryColumn& column : summary_columns()) {
    const auto found = values.find(column.key);
    result.push_back(found != values.end() ? found->second : kNoValue);
  }
  return result;
}

}  // namespace

const std::vector<SummaryColumn>& summary_columns() {
  static const std::vector<SummaryColumn> columns = all_columns();
  return columns;
}

PointResult run_point(ConfigNode tree, const std::string& path, const std::string& configs_dir,
                      const std::string& rows_file) {
  PointResult result;
  try {
    const Scenario scenario = read_scenario(std::move(tree), path, {configs_dir, {}});
    const RunResult run = simulate(scenario, {.leap = true, .output_file = rows_file});
    result.state = PointState::kDone;
    result.unstable = run.summary.unstable;
    result.fingerprint = run.fingerprint;
    result.summary = summary_of(run.summary);
  } catch (const OutputError& error) {
    result.state = PointState::kFailed;
    result.message = error.what();
  } catch (const InputError& error) {
    // A disk that is full already when the file of rows is set up says nothing of the scenario.
    const bool of_rows = !rows_file.empty() && std::string_view(error.what()).starts_with(rows_file);
    result.state = of_rows ? PointState::kFailed : PointState::kRefused;
    result.message = error.what();
  } catch (const std::exception& error) {
    result.state = PointState::kFailed;
    result.message = fmt::format("internal error: {}", error.what());
  }
  return result;
}

std::string to_bytes(const PointResult& result) {
  std::string bytes;
  put(bytes, result.key);
  put(bytes, result.state);
  put(bytes, result.unstable);
  put(bytes, result.fingerprint);
  put(bytes, static_cast<std::uint32_t>(result.message.size()));
  put(bytes, static_cast<std::uint32_t>(result.summary.size()));
  bytes += result.message;
  for (const double value : result.summary) put(bytes, value);
  return bytes;
}

bool from_bytes(std::string_view bytes, PointResult& result) {
  std::uint32_t message = 0, summary = 0;
  if (!take(bytes, result.key) || !take(bytes, result.state) || !take(bytes, result.unstable) ||
      !take(bytes, result.fingerprint) || !take(bytes, message) || !take(bytes, summary) ||
      bytes.size() != message + sizeof(double) * summary)
    return false;
  result.message = bytes.substr(0, message);
  bytes.remove_prefix(message);
  result.summary.resize(summary);
  for (double& value : result.summary) take(bytes, value);
  const bool whole = result.state != PointState::kDone || summary == summary_columns().size();
  return whole && result.state <= PointState::kFailed;
}

}  // namespace silicast
