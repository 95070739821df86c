#include "sim/study/sweep/run_sweep.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "sim/base/check.hpp"
#include "sim/study/sweep/sweep_file.hpp"
#include "sim/study/sweep/worker_pool.hpp"

namespace silicast {
namespace {

namespace fs = std::filesystem;

// The file is rewritten as often as it costs one part in fifty.
constexpr std::int64_t kWriteShare = 50;
constexpr std::int64_t kWriteEveryNs = 2'000'000'000;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// In a worker. Requests go to a file of the worker's own first: on a cluster two may compute one point.
std::string compute(const SweepTable& table, const std::string& out, std::size_t index) {
  const SweepSpec& spec = table.spec();
  const std::string rows = rows_file(out, table.results()[index].key);
  const std::string own = spec.rows ? fmt::format("{}.{}", rows, process_name()) : "";
  std::error_code error;
  if (spec.rows) fs::remove(own + ".part", error);  // of a killed worker of this name
  PointResult result =
      run_point(scenario_of(spec, table.points()[index]), spec.scenario_path, table.configs_dir(), own);
  result.key = table.results()[index].key;
  if (!own.empty() && result.state == PointState::kDone) fs::rename(own, rows, error);
  if (result.state == PointState::kDone && error) {
    result.state = PointState::kFailed;
    result.message = fmt::format("{}: cannot rename: {}", own, error.message());
  }
  return to_bytes(result);
}

// What killed workers left of their rows.
void remove_unfinished_rows(const std::string& out) {
  std::error_code ignored;
  for (fs::directory_iterator entry(fs::path(rows_file(out, 0)).parent_path(), ignored), end; entry != end; ++entry)
    if (entry->path().extension() != ".h5") fs::remove(entry->path(), ignored);
}

}  // namespace

std::string process_name() {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  return fmt::format("{}.{}", host, ::getpid());
}

SweepFileWriter::SweepFileWriter(const SweepTable& table, std::string out)
    : table_(table), out_(std::move(out)), due_ns_(now_ns() + kWriteEveryNs) {}

void SweepFileWriter::now() {
  const std::int64_t before = now_ns();
  write_sweep_file(out_, table_.spec(), table_.points(), table_.results());
  const std::int64_t after = now_ns();
  due_ns_ = after + std::max(kWriteEveryNs, kWriteShare * (after - before));
}

void SweepFileWriter::when_due() {
  if (now_ns() >= due_ns_) now();
}

void compute_points(SweepTable& table, const std::vector<std::int32_t>& points, Journal& journal,
                    const SweepOptions& options, const std::function<void()>& tick) {
  if (points.empty()) return;
  if (table.spec().rows) fs::create_directories(fs::path(rows_file(options.out, 0)).parent_path());
  const auto take = [&](const PointResult& result) {
    journal.append(result);
    table.take(result);
  };
  WorkerPoolCalls calls;
  calls.work = [&](std::int32_t job) { return compute(table, options.out, static_cast<std::size_t>(job)); };
  calls.done = [&](std::int32_t, const std::string& bytes) {
    PointResult result;
    SILICAST_CHECK(from_bytes(bytes, result), "a worker's result is none");
    take(result);
  };
  calls.died = [&](std::int32_t job, const std::string& why) {
    PointResult result;
    result.key = table.results()[static_cast<std::size_t>(job)].key;
    result.state = PointState::kFailed;
    result.message = fmt::format("its process was {}, twice", why);
    take(result);
  };
  calls.tick = [&] {
    options.progress(table.progress());
    tick();
  };
  calls.stopped = options.stopped;
  run_in_workers(points, options.workers, calls);
}

std::int64_t keep_earlier(SweepTable& table, const std::string& out, const std::vector<std::string>& journals) {
  std::vector<PointResult> results = read_sweep_file(out);
  std::int64_t damaged = 0;
  for (const std::string& path : journals) {
    JournalContents journal = read_journal(path);
    damaged += journal.damaged;
    results.insert(results.end(), journal.results.begin(), journal.results.end());
  }
  // Rows may have been removed since, or never been asked for.
  std::erase_if(results, [&](const PointResult& one) {
    return table.spec().rows && one.state == PointState::kDone && !fs::exists(rows_file(out, one.key));
  });
  table.keep(results);
  return damaged;
}

SweepOutcome run_sweep(SweepTable& table, const SweepOptions& options) {
  Journal journal(options.out + ".journal");
  SweepOutcome outcome;
  outcome.damaged = keep_earlier(table, options.out, {options.out + ".journal"});
  SweepFileWriter file(table, options.out);
  compute_points(table, table.missing(), journal, options, [&] { file.when_due(); });
  outcome.interrupted = !table.missing().empty();
  if (table.spec().rows) remove_unfinished_rows(options.out);
  file.now();
  if (!outcome.interrupted) journal.remove();
  return outcome;
}

}  // namespace silicast
