#include "sim/study/sweep/run_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>

#include "sim/base/check.hpp"
#include "sim/study/sweep/journal.hpp"
#include "sim/study/sweep/worker_pool.hpp"

namespace silicast {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// The file is rewritten as often as it costs one part in fifty.
constexpr int kWriteShare = 50;
constexpr auto kWriteEvery = std::chrono::seconds(2);

class LocalSweep {
 public:
  LocalSweep(const SweepSpec& spec, const SweepOptions& options)
      : spec_(spec), options_(options), journal_(options.out + ".journal") {
    outcome_.points = sweep_points(spec);
    outcome_.results.resize(outcome_.points.size());
    outcome_.progress.points = outcome_.points.size();
    const std::uint64_t signature = inputs_signature(spec, options.configs_dir);
    for (std::size_t i = 0; i < outcome_.points.size(); ++i) {
      const std::uint64_t key = point_key(scenario_of(spec, outcome_.points[i]), signature);
      outcome_.results[i].key = key;
      by_key_[key].push_back(i);
    }
  }

  SweepOutcome run() {
    keep_earlier();
    std::vector<std::int32_t> jobs;
    for (const auto& [key, indices] : by_key_)
      if (outcome_.results[indices[0]].state == PointState::kMissing)
        jobs.push_back(static_cast<std::int32_t>(indices[0]));
    std::sort(jobs.begin(), jobs.end());
    if (spec_.rows) fs::create_directories(fs::path(rows_file(options_.out, 0)).parent_path());
    WorkerPoolCalls calls;
    calls.work = [&](std::int32_t job) { return compute(static_cast<std::size_t>(job)); };
    calls.done = [&](std::int32_t, std::string bytes) {
      PointResult result;
      SILICAST_CHECK(from_bytes(bytes, result));
      take(std::move(result));
    };
    calls.died = [&](std::int32_t job, const std::string& why) {
      PointResult result;
      result.key = outcome_.results[static_cast<std::size_t>(job)].key;
      result.state = PointState::kFailed;
      result.message = "its process was " + why + ", twice";
      take(std::move(result));
    };
    calls.tick = [&] { tick(); };
    calls.stopped = options_.stopped;
    if (!jobs.empty()) run_in_workers(jobs, options_.workers, calls);
    outcome_.interrupted = options_.stopped();
    write_sweep_file(options_.out, spec_, outcome_.points, outcome_.results);
    if (!outcome_.interrupted) journal_.remove();
    return std::move(outcome_);
  }

 private:
  // A point that failed is tried again; one that was refused would be again.
  void keep_earlier() {
    const auto keep = [&](std::vector<PointResult> results) {
      for (PointResult& result : results) {
        const auto found = by_key_.find(result.key);
        if (found == by_key_.end() || result.state == PointState::kFailed) continue;
        if (spec_.rows && result.state == PointState::kDone && !fs::exists(rows_file(options_.out, found->second[0])))
          continue;
        if (outcome_.results[found->second[0]].state == PointState::kMissing) {
          set(result);
          outcome_.progress.there += found->second.size();
        }
      }
    };
    JournalContents journal = read_journal(options_.out + ".journal");
    outcome_.damaged = journal.damaged;
    keep(std::move(journal.results));
    keep(read_sweep_file(options_.out));
  }

  // In a worker.
  std::string compute(std::size_t index) const {
    std::string rows;
    if (spec_.rows) {
      rows = rows_file(options_.out, index);
      std::error_code ignored;
      fs::remove(rows + ".part", ignored);  // of a worker that was killed
    }
    PointResult result =
        run_point(scenario_of(spec_, outcome_.points[index]), spec_.scenario_path, options_.configs_dir, rows);
    result.key = outcome_.results[index].key;
    return to_bytes(result);
  }

  void take(PointResult result) {
    journal_.append(result);
    set(result);
  }

  // Of all points with its key: axes may give one scenario twice.
  void set(const PointResult& result) {
    for (const std::size_t index : by_key_.at(result.key)) {
      outcome_.results[index] = result;
      SweepProgress& progress = outcome_.progress;
      ++(result.state == PointState::kDone      ? progress.done
         : result.state == PointState::kRefused ? progress.refused
                                                : progress.failed);
    }
  }

  void tick() {
    if (options_.progress) options_.progress(outcome_.progress);
    const auto now = Clock::now();
    if (now < next_write_) return;
    write_sweep_file(options_.out, spec_, outcome_.points, outcome_.results);
    const auto after = Clock::now();
    next_write_ = after + std::max<Clock::duration>(kWriteEvery, kWriteShare * (after - now));
  }

  const SweepSpec& spec_;
  const SweepOptions& options_;
  Journal journal_;
  SweepOutcome outcome_;
  std::map<std::uint64_t, std::vector<std::size_t>> by_key_;
  Clock::time_point next_write_ = Clock::now() + kWriteEvery;
};

}  // namespace

SweepOutcome run_sweep(const SweepSpec& spec, const SweepOptions& options) {
  return LocalSweep(spec, options).run();
}

}  // namespace silicast
