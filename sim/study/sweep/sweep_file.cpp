#include "sim/study/sweep/sweep_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <set>

#include "sim/io/hdf5_file.hpp"
#include "sim/run/version.hpp"

namespace silicast {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKind = "silicast sweep";

template <class Of>
std::vector<std::int64_t> integers(std::size_t count, const Of& of) {
  std::vector<std::int64_t> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::int64_t>(of(i));
  return values;
}

// Numbers where all values are numbers in one unit, else texts.
void write_axis(Hdf5Writer& file, const Axis& axis, std::size_t at, const std::vector<SweepPoint>& points) {
  std::vector<double> numbers;
  std::vector<std::string> labels;
  std::string unit;
  bool numeric = true;
  for (const SweepPoint& point : points) {
    labels.push_back(point.values[at].label);
    numbers.push_back(point.values[at].number());
    const std::size_t space = std::min(labels.back().find(' '), labels.back().size());
    const std::string behind = labels.back().substr(space);
    if (labels.size() == 1) unit = behind;
    numeric = numeric && !std::isnan(numbers.back()) && behind == unit;
  }
  const std::string path = "/points/" + axis.column();
  if (numeric)
    file.add_array(path, numbers, unit.empty() ? "" : unit.substr(1), "axis");
  else
    file.add_texts(path, labels, "axis");
}

void write_points(Hdf5Writer& file, const SweepSpec& spec, const std::vector<SweepPoint>& points,
                  const std::vector<PointResult>& results) {
  const std::size_t count = points.size();
  std::vector<std::string> messages;
  for (const PointResult& result : results) messages.push_back(result.message);
  file.add_array("/points/point", integers(count, [&](std::size_t i) { return points[i].point; }), "",
                 "number of the point");
  file.add_array("/points/replication", integers(count, [&](std::size_t i) { return points[i].replication; }), "",
                 "its seed is the scenario's plus this");
  for (std::size_t i = 0; i < spec.axes.size(); ++i) write_axis(file, spec.axes[i], i, points);
  file.add_array("/points/state", integers(count, [&](std::size_t i) { return results[i].state; }), "",
                 "position in `names`");
  file.set_text("/points/state", "names", std::string(kPointStates));
  file.add_texts("/points/message", messages, "why not, unless done");
  file.add_array("/points/unstable", integers(count, [&](std::size_t i) { return results[i].unstable; }), "",
                 "1: the queue grows without bound");
  file.add_array("/points/fingerprint",
                 integers(count, [&](std::size_t i) { return std::bit_cast<std::int64_t>(results[i].fingerprint); }),
                 "", "hash of all request records");
  file.add_array("/points/key",
                 integers(count, [&](std::size_t i) { return std::bit_cast<std::int64_t>(results[i].key); }), "",
                 "hash of the resolved scenario and all inputs");
}

void write_summaries(Hdf5Writer& file, const std::vector<PointResult>& results) {
  const std::vector<SummaryColumn>& columns = summary_columns();
  for (std::size_t c = 0; c < columns.size(); ++c) {
    std::vector<double> values;
    for (const PointResult& result : results)
      values.push_back(result.summary.empty() ? std::nan("") : result.summary[c]);
    file.add_array("/summary/" + columns[c].key, values, columns[c].unit, columns[c].description);
  }
}

// The requests of all runs as one table, which stays where the runs wrote it; `run` is the row of /points.
void write_rows(Hdf5Writer& file, const std::string& out, const std::vector<PointResult>& results) {
  const std::string folder = fs::path(out).parent_path().string();
  std::vector<JoinedPart> parts;
  std::vector<std::int64_t> run;
  std::set<std::uint64_t> keys;  // requests of points that are the same scenario stand once
  std::string first;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string name = rows_file(out, results[i].key);
    if (results[i].state != PointState::kDone || !fs::exists(name) || !keys.insert(results[i].key).second) continue;
    const Hdf5Reader reader(name);
    const std::int64_t rows = reader.rows("/requests/index");
    if (first.empty()) first = name;
    parts.push_back({fs::path(name).lexically_relative(folder.empty() ? "." : folder).string(), rows});
    run.insert(run.end(), static_cast<std::size_t>(rows), static_cast<std::int64_t>(i));
  }
  if (first.empty()) return;
  const Hdf5Reader reader(first);
  for (const std::string& column : reader.children("/requests")) {
    const std::string path = "/requests/" + column;
    file.add_joined(path, reader.type(path), parts, reader.text(path, "unit").value_or(""),
                    reader.text(path, "description").value_or(""));
    if (const auto names = reader.text(path, "names")) file.set_text(path, "names", *names);
  }
  file.add_array("/requests/run", run, "", "row of /points");
}

}  // namespace

std::string rows_file(const std::string& out, std::uint64_t key) {
  return fmt::format("{}.rows/{:016x}.h5", out, key);
}

void write_sweep_file(const std::string& path, const SweepSpec& spec, const std::vector<SweepPoint>& points,
                      const std::vector<PointResult>& results) {
  std::error_code ignored;
  fs::remove(path + ".part", ignored);  // of a writer that was killed; whoever writes holds the journal's lock
  Hdf5Writer file(path);
  const auto missing = std::count_if(results.begin(), results.end(),
                                     [](const PointResult& one) { return one.state == PointState::kMissing; });
  file.set_text("/", "kind", kKind);
  file.set_text("/", "name", spec.name);
  file.set_text("/", "sweep", spec.resolved);
  file.set_text("/", "scenario", to_yaml(spec.scenario));
  file.set_text("/", "version", std::string(version()));
  file.set_text("/", "git_hash", std::string(git_hash()));
  file.set_flag("/", "complete", missing == 0);
  write_points(file, spec, points, results);
  write_summaries(file, results);
  if (spec.rows) write_rows(file, path, results);
  file.finish();
}

std::vector<PointResult> read_sweep_file(const std::string& path) {
  std::vector<PointResult> results;
  if (!fs::exists(path)) return results;
  const Hdf5Reader file(path);
  if (file.text("/", "kind") != kKind)
    throw InputError(fmt::format("{}: is there and no sweep's; give another name", path));
  const std::vector<SummaryColumn>& columns = summary_columns();
  for (const SummaryColumn& column : columns)
    if (!file.has("/summary/" + column.key)) return results;
  const std::vector<std::int64_t> states = file.integers("/points/state"), keys = file.integers("/points/key"),
                                  prints = file.integers("/points/fingerprint"),
                                  unstable = file.integers("/points/unstable");
  results.resize(states.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    results[i].key = std::bit_cast<std::uint64_t>(keys.at(i));
    results[i].fingerprint = std::bit_cast<std::uint64_t>(prints.at(i));
    results[i].unstable = unstable.at(i) != 0;
    results[i].state = static_cast<PointState>(states[i]);
  }
  for (const SummaryColumn& column : columns) {
    const std::vector<double> values = file.doubles("/summary/" + column.key);
    for (std::size_t i = 0; i < results.size(); ++i) results[i].summary.push_back(values.at(i));
  }
  std::erase_if(results, [](const PointResult& one) { return one.state != PointState::kDone; });
  return results;
}

}  // namespace silicast
