// silicast sweep SWEEP.yaml: many runs of a scenario, into one file.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <map>

#include "sim/base/errors.hpp"
#include "sim/study/sweep/slurm_sweep.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {
namespace {

constexpr int kInterrupted = 130;  // as a shell says it of SIGINT

volatile std::sig_atomic_t interrupted = 0;

// One line on standard error, rewritten in place; nothing when that is not a terminal.
class SweepLine {
 public:
  SweepLine() : shown_(isatty(STDERR_FILENO) != 0) {}
  ~SweepLine() {
    if (shown_) std::cerr << "\r\033[K" << std::flush;
  }
  void show(const SweepProgress& progress) {
    if (!shown_) return;
    const std::size_t ended = progress.ended();
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    const double rate = static_cast<double>(ended - progress.there) / passed.count();
    const std::string left =
        rate > 0 ? fmt::format(", {:.0f} s left", static_cast<double>(progress.points - ended) / rate) : "";
    std::cerr << fmt::format("\r\033[K{} of {} points, {} failed, {:.1f} points/s{}", ended, progress.points,
                             progress.failed + progress.refused, rate, left)
              << std::flush;
  }

 private:
  bool shown_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Messages of points that came to nothing, the most frequent first.
std::string complaints(const std::vector<PointResult>& results) {
  constexpr std::size_t kMost = 10;
  std::map<std::string, std::size_t> counts;
  for (const PointResult& one : results)
    if (!one.message.empty()) ++counts[one.message];
  std::vector<std::pair<std::size_t, std::string>> sorted;
  for (const auto& [message, count] : counts) sorted.emplace_back(count, message);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (std::size_t i = 0; i < std::min(kMost, sorted.size()); ++i)
    text += fmt::format("  {} x {}\n", sorted[i].first, sorted[i].second);
  if (sorted.size() > kMost)
    text += fmt::format("  and {} other messages, in /points/message\n", sorted.size() - kMost);
  return text;
}

using Given = options::variables_map;

void print_points(const SweepTable& table) {
  for (const SweepPoint& point : table.points()) {
    std::cout << fmt::format("{:>6} {:>3}", point.point, point.replication);
    for (std::size_t i = 0; i < point.values.size(); ++i)
      std::cout << fmt::format("  {}={}", table.spec().axes[i].name(), point.values[i].label);
    std::cout << "\n";
  }
}

// This very program, with what makes the same points; the number of the element comes behind.
std::vector<std::string> element_command(const Given& given, const std::string& sweep_file, const std::string& configs,
                                         const SweepOptions& options) {
  namespace fs = std::filesystem;
  std::vector<std::string> words = {fs::read_symlink("/proc/self/exe").string(), "sweep",
                                    fs::absolute(sweep_file).string()};
  for (const std::string& setting : texts(given, "set")) words.insert(words.end(), {"--set", setting});
  words.insert(words.end(), {"--configs", fs::absolute(configs).string(), "--out", fs::absolute(options.out).string(),
                             "--workers", fmt::format("{}", options.workers), "--element"});
  return words;
}

SlurmSweepOptions slurm_options(const Given& given, const SweepOptions& options, const std::string& sweep_file,
                                const std::string& configs) {
  SlurmSweepOptions slurm;
  slurm.sweep = options;
  slurm.sweep.workers = given.count("workers") > 0 ? options.workers : 1;
  slurm.command = element_command(given, sweep_file, configs, slurm.sweep);
  slurm.sbatch = texts(given, "sbatch");
  slurm.minutes = given["minutes"].as<double>();
  if (!(slurm.minutes > 0 && slurm.minutes < 1e5)) throw InputError("--minutes: must be over 0 and under 100000");
  slurm.say = [](const std::string& text) { std::cerr << text << "\n"; };
  return slurm;
}

int report(const SweepTable& table, const SweepOutcome& outcome, const std::string& out) {
  const SweepProgress& progress = table.progress();
  std::cout << fmt::format("{} points: {} done, {} refused, {} failed", progress.points, progress.done,
                           progress.refused, progress.failed);
  if (progress.there > 0) std::cout << fmt::format("; {} were there already", progress.there);
  std::cout << "\n" << complaints(table.results());
  if (outcome.damaged > 0) std::cout << fmt::format("{} damaged records of the journal\n", outcome.damaged);
  std::cout << fmt::format("written: {}\n", out);
  if (outcome.interrupted) {
    std::cout << "interrupted; the same command goes on from here\n";
    return kInterrupted;
  }
  const std::vector<std::int32_t> missing = table.missing();
  if (!missing.empty())
    std::cout << fmt::format("missing: rows {} of /points; the same command tries again\n", fmt::join(missing, ", "));
  return missing.empty() && progress.failed == 0 ? 0 : 1;
}

}  // namespace

int sweep(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  visible.add_options()("set", options::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
                        "change a key of the sweep, e.g. replications=5; may be repeated")(
      "out", options::value<std::string>()->value_name("FILE"), "result file (HDF5); default: output of the sweep")(
      "workers", options::value<int>()->value_name("N"), "processes; default: one for each core, on Slurm one")(
      "on", options::value<std::string>()->value_name("slurm"), "one job array in place of this machine's cores")(
      "minutes", options::value<double>()->value_name("M")->default_value(5), "of an element of the array, about")(
      "sbatch", options::value<std::vector<std::string>>()->value_name("OPTION"),
      "an option of sbatch, e.g. --sbatch=--partition=long; may be repeated")(
      "dry-run", "print the points, or the batch script, and compute none");
  add_configs_option(visible);
  hidden.add_options()("sweep", options::value<std::string>())("element", options::value<int>());
  options::positional_options_description positional;
  positional.add("sweep", 1);
  const auto given = parse(arguments,
                           "usage: silicast sweep SWEEP.yaml [--set key.path=value ...] [--out FILE] [--workers N] "
                           "[--on slurm]\nKilled or interrupted, the same command goes on from where it stopped.",
                           visible, positional, hidden);
  if (!given) return 0;
  if (given->count("sweep") == 0) throw InputError("sweep what? give a sweep file");
  const bool slurm = given->count("on") > 0;
  if (slurm && (*given)["on"].as<std::string>() != "slurm")
    throw InputError(fmt::format("--on '{}': must be slurm", (*given)["on"].as<std::string>()));
  const std::string configs = find_configs(*given), file = (*given)["sweep"].as<std::string>();
  SweepTable table(read_sweep(file, configs, texts(*given, "set")), configs);
  SweepOptions options;
  options.out = given->count("out") > 0 ? (*given)["out"].as<std::string>() : table.spec().output;
  options.workers = threads_of(*given, "workers");
  const bool dry = given->count("dry-run") > 0;
  if (dry && !slurm) {
    print_points(table);
    return 0;
  }
  if (options.out.empty()) throw InputError("sweep into what? give --out FILE.h5, or `output` in the sweep");
  if (dry) {
    std::cout << plan_slurm_sweep(table, slurm_options(*given, options, file, configs)).script;
    return 0;
  }
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  options.stopped = [] { return interrupted != 0; };
  if (given->count("element") > 0) {
    run_element(table, options, static_cast<std::size_t>(std::max(0, (*given)["element"].as<int>())));
    return 0;
  }
  SweepOutcome outcome;
  {
    SweepLine line;
    options.progress = [&](const SweepProgress& progress) { line.show(progress); };
    outcome = slurm ? run_slurm_sweep(table, slurm_options(*given, options, file, configs)) : run_sweep(table, options);
  }
  return report(table, outcome, options.out);
}

}  // namespace silicast::command
