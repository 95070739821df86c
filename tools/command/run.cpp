// silicast run SCENARIO: simulates it, prints the summary, writes the result file.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <iostream>

#include "sim/base/errors.hpp"
#include "sim/run/presentation.hpp"
#include "sim/run/simulation.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {
namespace {

// One line on standard error, rewritten in place; nothing when that is not a terminal.
class Progress {
 public:
  explicit Progress(std::optional<std::int64_t> expected) : expected_(expected), shown_(isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (shown_) std::cerr << "\r\033[K" << std::flush;
  }
  void show(const Simulation& simulation) {
    const auto now = std::chrono::steady_clock::now();
    if (!shown_ || now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    const std::string share =
        expected_ ? fmt::format("{:.0f}% ", 100.0 * static_cast<double>(simulation.arrived()) /
                                                static_cast<double>(std::max<std::int64_t>(*expected_, 1)))
                  : "";
    std::cerr << fmt::format("\r\033[K{}{} requests, {} in the system, {:.1f} s simulated", share, simulation.arrived(),
                             simulation.in_system(), simulation.now_seconds())
              << std::flush;
  }

 private:
  std::optional<std::int64_t> expected_;
  bool shown_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace

int run(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  visible.add_options()("set", options::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
                        "change a key of the scenario, e.g. cluster.pools.0.nodes=2; may be repeated")(
      "out", options::value<std::string>()->value_name("FILE"),
      "result file (HDF5); default: output.file of the scenario, else none")(
      "write-arrivals", options::value<std::string>()->value_name("FILE"),
      "a trace (.h5, .csv, .jsonl) of the requests as they were asked, to be replayed bit for bit")(
      "format", options::value<std::string>()->value_name("table|json")->default_value("table"),
      "of the summary on standard output")("no-leap", "step mode: one event per iteration; the same answer, slower");
  add_configs_option(visible);
  hidden.add_options()("scenario", options::value<std::string>());
  options::positional_options_description positional;
  positional.add("scenario", 1);
  const auto given = parse(
      arguments, "usage: silicast run SCENARIO.yaml [--set key.path=value ...] [--out FILE] [--format table|json]",
      visible, positional, hidden);
  if (!given) return 0;
  if (given->count("scenario") == 0) throw InputError("run what? give a scenario");
  const std::string format = (*given)["format"].as<std::string>();
  if (format != "table" && format != "json")
    throw InputError(fmt::format("--format '{}': must be table or json", format));
  ScenarioSource source{find_configs(*given), {}};
  if (given->count("set") > 0) source.settings = (*given)["set"].as<std::vector<std::string>>();
  if (given->count("out") > 0) source.output_file = (*given)["out"].as<std::string>();
  if (given->count("out") > 0 && source.output_file.empty()) throw InputError("--out needs the name of a file");
  const Scenario scenario =
      read_scenario(find_scenario((*given)["scenario"].as<std::string>(), source.configs_dir), source);
  SimulationOptions how{given->count("no-leap") == 0, scenario.output.file};
  if (given->count("write-arrivals") > 0) how.arrivals_file = (*given)["write-arrivals"].as<std::string>();
  if (given->count("write-arrivals") > 0 && how.arrivals_file.empty())
    throw InputError("--write-arrivals needs the name of a file");
  Simulation simulation(scenario, how);
  {
    Progress progress(scenario.workload_info.requests);
    while (simulation.advance(1 << 16)) progress.show(simulation);
  }
  const RunResult result = simulation.finish();
  std::cout << (format == "json" ? json_of(result.summary) : table_of(result.summary));
  if (format == "table") {
    std::cout << fmt::format("\nfingerprint {:016x}\n", result.fingerprint);
    if (!scenario.output.file.empty()) std::cout << fmt::format("written: {}\n", scenario.output.file);
    if (!result.arrivals.empty())
      std::cout << fmt::format("written: {}\nto replay its requests: workload: {{trace: {}}}\n", how.arrivals_file,
                               result.arrivals);
  }
  return 0;
}

}  // namespace silicast::command
