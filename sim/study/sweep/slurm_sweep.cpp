#include "sim/study/sweep/slurm_sweep.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "sim/study/sweep/slurm.hpp"
#include "sim/study/sweep/sweep_file.hpp"

namespace silicast {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostElements = 1000;  // Slurm's default MaxArraySize is 1001
constexpr std::size_t kFewestElements = 8;   // so that a lost one costs little, and nodes share
constexpr int kRounds = 3;
constexpr auto kEvery = std::chrono::milliseconds(500);

std::string shards_of(const std::string& out) {
  return out + ".shards";
}

// Those of one element, or of all.
std::vector<std::string> journals_in(const std::string& folder, const std::string& prefix) {
  std::vector<std::string> paths;
  std::error_code ignored;
  for (fs::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored))
    if (entry->path().extension() == ".journal" && entry->path().filename().string().starts_with(prefix))
      paths.push_back(entry->path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  if (!file) throw InputError(fmt::format("{}: cannot be written", path));
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string points_text(const SlurmSweepPlan& plan) {
  std::string text;
  for (const std::vector<std::int32_t>& points : plan.elements) text += fmt::format("{}\n", fmt::join(points, " "));
  return text;
}

// Journals that grew are read again; their results go to the table.
class Shards {
 public:
  explicit Shards(std::string folder) : folder_(std::move(folder)) {}

  void merge(SweepTable& table) {
    damaged_ = 0;
    for (const std::string& path : journals_in(folder_, "")) {
      std::error_code ignored;
      Seen& seen = seen_[path];
      const std::uintmax_t size = fs::file_size(path, ignored);
      if (size != seen.size) {
        const JournalContents journal = read_journal(path);
        for (const PointResult& result : journal.results) table.take(result);
        seen = {size, journal.damaged};
      }
      damaged_ += seen.damaged;
    }
  }
  std::int64_t damaged() const { return damaged_; }

 private:
  struct Seen {
    std::uintmax_t size = 0;
    std::int64_t damaged = 0;
  };
  std::string folder_;
  std::map<std::string, Seen> seen_;
  std::int64_t damaged_ = 0;
};

class SlurmSweep {
 public:
  SlurmSweep(SweepTable& table, const SlurmSweepOptions& options)
      : table_(table),
        options_(options),
        journal_(options.sweep.out + ".journal"),
        folder_(shards_of(options.sweep.out)),
        shards_(folder_),
        file_(table, options.sweep.out) {}

  SweepOutcome run() {
    keep_earlier(table_, options_.sweep.out, {options_.sweep.out + ".journal"});
    shards_.merge(table_);
    std::string job = read_text(folder_ + "/job");
    for (int round = 0; round < kRounds && !table_.missing().empty() && !options_.sweep.stopped(); ++round) {
      if (job.empty() || ask(job) == SlurmJob::kGone) job = submit_missing();
      follow(job);
    }
    SweepOutcome outcome;
    outcome.damaged = shards_.damaged();
    outcome.interrupted = options_.sweep.stopped() && !table_.missing().empty();
    file_.now();
    if (!table_.missing().empty()) return outcome;
    if (!job.empty()) cancel(job);  // copies of elements that others finished
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    journal_.remove();
    return outcome;
  }

 private:
  std::string submit_missing() {
    const SlurmSweepPlan plan = plan_slurm_sweep(table_, options_);
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) throw InputError(fmt::format("{}: cannot be made: {}", folder_, error.message()));
    write_text(folder_ + "/points", points_text(plan));
    write_text(folder_ + "/sweep.sh", plan.script);
    const std::string job = submit(folder_ + "/sweep.sh");
    write_text(folder_ + "/job", job);
    options_.say(fmt::format("job {}: {} points in {} elements", job, table_.missing().size(), plan.elements.size()));
    return job;
  }

  // Until all is there, the job is gone, or somebody stops us.
  void follow(const std::string& job) {
    bool silent = false;
    for (int gone = 0; gone < 2 && !table_.missing().empty() && !options_.sweep.stopped();) {
      std::this_thread::sleep_for(kEvery);
      const SlurmJob state = ask(job);  // before the journals: what a finished element wrote is then seen
      shards_.merge(table_);
      options_.sweep.progress(table_.progress());
      file_.when_due();
      if (state == SlurmJob::kNoAnswer && !silent) options_.say("the controller does not answer; waiting for it");
      silent = state == SlurmJob::kNoAnswer;
      gone = state == SlurmJob::kGone ? gone + 1 : 0;
    }
  }

  SweepTable& table_;
  const SlurmSweepOptions& options_;
  Journal journal_;
  std::string folder_;
  Shards shards_;
  SweepFileWriter file_;
};

}  // namespace

SlurmSweepPlan plan_slurm_sweep(const SweepTable& table, const SlurmSweepOptions& options) {
  const std::vector<std::int32_t> missing = table.missing();
  const Clock::time_point start = Clock::now();
  if (!missing.empty())
    run_point(scenario_of(table.spec(), table.points()[static_cast<std::size_t>(missing[0])]),
              table.spec().scenario_path, table.configs_dir(), "");
  const std::chrono::duration<double> point = Clock::now() - start;
  const double elements = static_cast<double>(missing.size()) * point.count() /
                          (60 * options.minutes * static_cast<double>(options.sweep.workers));
  const std::size_t count = std::min({std::max(static_cast<std::size_t>(std::ceil(elements)), kFewestElements),
                                      kMostElements, std::max<std::size_t>(missing.size(), 1)});
  SlurmSweepPlan plan;
  plan.elements.resize(count);
  for (std::size_t i = 0; i < missing.size(); ++i) plan.elements[i % count].push_back(missing[i]);
  plan.script = batch_script({table.spec().name, fs::absolute(shards_of(options.sweep.out)).string(), options.command,
                              options.sbatch, options.sweep.workers, count});
  return plan;
}

SweepOutcome run_slurm_sweep(SweepTable& table, const SlurmSweepOptions& options) {
  return SlurmSweep(table, options).run();
}

void run_element(SweepTable& table, const SweepOptions& options, std::size_t element) {
  const std::string folder = shards_of(options.out), name = fmt::format("element-{}.", element);
  std::istringstream lines(read_text(folder + "/points"));
  std::string line;
  for (std::size_t i = 0; i <= element; ++i)
    if (!std::getline(lines, line)) throw InputError(fmt::format("{}/points: has no line {}", folder, element + 1));
  keep_earlier(table, options.out, journals_in(folder, name));
  std::vector<std::int32_t> points;
  std::istringstream numbers(line);
  for (std::int32_t point = 0; numbers >> point;)
    if (point >= 0 && point < static_cast<std::int32_t>(table.points().size()) &&
        table.results()[static_cast<std::size_t>(point)].state == PointState::kMissing)
      points.push_back(point);
  Journal journal(fmt::format("{}/{}{}.journal", folder, name, process_name()));
  compute_points(table, points, journal, options, [] {});
}

}  // namespace silicast
