// silicast sweep SWEEP.yaml: many runs of a scenario, into one file.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <map>

#include "sim/base/errors.hpp"
#include "sim/study/sweep/run_sweep.hpp"
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
    const std::size_t ended = progress.done + progress.refused + progress.failed;
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

}  // namespace

int sweep(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  visible.add_options()("set", options::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
                        "change a key of the sweep, e.g. replications=5; may be repeated")(
      "out", options::value<std::string>()->value_name("FILE"), "result file (HDF5); default: output of the sweep")(
      "workers", options::value<int>()->value_name("N"), "processes; default: one for each core")(
      "dry-run", "say which points there are and compute none");
  add_configs_option(visible);
  hidden.add_options()("sweep", options::value<std::string>());
  options::positional_options_description positional;
  positional.add("sweep", 1);
  const auto given = parse(arguments,
                           "usage: silicast sweep SWEEP.yaml [--set key.path=value ...] [--out FILE] [--workers N]\n"
                           "Killed or interrupted, the same command goes on from where it stopped.",
                           visible, positional, hidden);
  if (!given) return 0;
  if (given->count("sweep") == 0) throw InputError("sweep what? give a sweep file");
  const std::string configs = find_configs(*given);
  const SweepSpec spec = read_sweep((*given)["sweep"].as<std::string>(), configs, texts(*given, "set"));
  const std::string out = given->count("out") > 0 ? (*given)["out"].as<std::string>() : spec.output;
  if (given->count("dry-run") > 0) {
    const std::vector<SweepPoint> points = sweep_points(spec);
    for (const SweepPoint& point : points) {
      std::string line = fmt::format("{:>6} {:>3}", point.point, point.replication);
      for (std::size_t i = 0; i < spec.axes.size(); ++i)
        line += fmt::format("  {}={}", spec.axes[i].name(), point.values[i].label);
      std::cout << line << "\n";
    }
    return 0;
  }
  if (out.empty()) throw InputError("sweep into what? give --out FILE.h5, or `output` in the sweep");
  SweepOptions options{configs, out, threads_of(*given, "workers")};
  SweepLine line;
  options.progress = [&](const SweepProgress& progress) { line.show(progress); };
  options.stopped = [] { return interrupted != 0; };
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  const SweepOutcome outcome = run_sweep(spec, options);
  const SweepProgress& progress = outcome.progress;
  std::cout << fmt::format("{} points: {} done, {} refused, {} failed", progress.points, progress.done,
                           progress.refused, progress.failed);
  if (progress.there > 0) std::cout << fmt::format("; {} were there already", progress.there);
  std::cout << "\n" << complaints(outcome.results);
  if (outcome.damaged > 0)
    std::cout << fmt::format("{} damaged stretches of {}.journal were computed again\n", outcome.damaged, out);
  std::cout << fmt::format("written: {}\n", out);
  if (!outcome.interrupted) return progress.failed > 0 ? 1 : 0;
  std::cout << "interrupted; the same command goes on from here\n";
  return kInterrupted;
}

}  // namespace silicast::command
