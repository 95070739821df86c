// silicast-bench: how fast the simulator is, on one core. The workload is fixed: Poisson requests with lognormal
// lengths (prompts of 1,000 tokens on average, outputs of 200), Llama-3.1-8B on H100, 3 requests/s per replica,
// two-choice routing, requests in their queues as clients ask (a way in is one event more, about 310 instructions).
// Beside requests/s it gives the ratio to a fixed calibration loop, so that figures of different machines compare.
#include <fmt/format.h>
#include <sys/resource.h>

#include <boost/program_options.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "sim/base/errors.hpp"
#include "sim/run/simulation.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using namespace silicast;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A dependent chain of integer and floating-point work over 256 KiB; millions of rounds per second.
double calibration_rate() {
  std::vector<double> cells(32768, 1.0);
  std::uint64_t x = 1;
  const auto start = Clock::now();
  constexpr std::int64_t kRounds = 20'000'000;
  for (std::int64_t i = 0; i < kRounds; ++i) {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    double& cell = cells[x >> 49];
    cell = cell * 0.999999 + static_cast<double>(x & 1023) * 1e-6;
  }
  const double elapsed = seconds_since(start);
  if (cells[x >> 49] < 0) std::cout << "";  // the work must not be optimised away
  return kRounds / elapsed / 1e6;
}

std::string machine() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown CPU";
}

std::string scenario_text(std::int64_t requests, int replicas) {
  const int nodes = (replicas + 7) / 8;
  return fmt::format(
      "name: bench\nmodel: llama-3.1-8b\nworkload:\n"
      "  arrivals: {{process: poisson, rate: {} /s, requests: {}}}\n"
      "  prompt: {{distribution: lognormal, mean: 1000, cv: 1.0, max: 16000}}\n"
      "  output: {{distribution: lognormal, mean: 200, cv: 1.0, max: 4000}}\n"
      "cluster:\n  pools:\n    - {{name: main, node: hgx-h100, nodes: {}, replicas: {}, layout: {{tensor: 1}}, engine: "
      "{{base: vllm, host: {{per_request: 0 s}}}}}}\n"
      "router: two_choices\nwarmup: none\n",
      3 * replicas, requests, nodes, replicas);
}

struct Measured {
  double seconds;
  RunResult result;
};

Measured measure(const std::string& configs, std::int64_t requests, int replicas, bool leap, const std::string& file) {
  const Scenario scenario =
      read_scenario(parse_config(scenario_text(requests, replicas), "bench"), "bench", {configs, {}});
  const auto start = Clock::now();
  Measured measured{0, simulate(scenario, {leap, file})};
  measured.seconds = seconds_since(start);
  return measured;
}

void report(const std::string& name, const Measured& run, std::int64_t requests, double calibration) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double rate = static_cast<double>(requests) / run.seconds;
  std::cout << fmt::format(
      "{:<28}{:>9.3f} s {:>12.0f} requests/s {:>13.0f} iterations/s {:>14.0f} output tokens/s  {:.2f} events/request  "
      "ratio {:.4f}  peak {} MiB  fingerprint {:016x}\n",
      name, run.seconds, rate, static_cast<double>(run.result.iterations) / run.seconds,
      static_cast<double>(run.result.output_tokens) / run.seconds,
      static_cast<double>(run.result.events) / static_cast<double>(requests), rate / 1e6 / calibration,
      usage.ru_maxrss / 1024, run.result.fingerprint);
}

int bench(int argc, char** argv) {
  namespace options = boost::program_options;
  options::options_description visible("options");
  std::int64_t requests = 2'000'000;
  int replicas = 64;
  std::string mode = "all", configs, file;
  visible.add_options()("help,h", "print this help")("requests", options::value(&requests)->default_value(requests),
                                                     "requests to simulate")(
      "replicas", options::value(&replicas)->default_value(replicas), "replicas, 3 requests/s each")(
      "mode", options::value(&mode)->default_value(mode), "leap, rows (leap with HDF5 rows), step, or all")(
      "file",
      options::value(&file)->default_value((std::filesystem::temp_directory_path() / "silicast-bench.h5").string()),
      "file for the rows, removed afterwards")("configs", options::value(&configs),
                                               "the catalogue; default: beside the program");
  options::variables_map given;
  options::store(options::parse_command_line(argc, argv, visible), given);
  if (given.count("help") > 0) {
    std::cout << visible;
    return 0;
  }
  options::notify(given);
  if (requests < 1 || replicas < 1 || replicas > 16384)
    throw InputError("--requests and --replicas must be positive, replicas at most 16384");
  if (mode != "all" && mode != "leap" && mode != "rows" && mode != "step")
    throw InputError("--mode must be leap, rows, step or all");
  if (configs.empty())
    configs =
        (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../configs").lexically_normal().string();
  const double calibration = calibration_rate();
  std::cout << fmt::format("{}; {} requests, {} replicas; calibration loop {:.1f} M rounds/s; one core\n", machine(),
                           requests, replicas, calibration);
  if (mode == "all" || mode == "leap")
    report("leap", measure(configs, requests, replicas, true, ""), requests, calibration);
  if (mode == "all" || mode == "rows") {
    report("leap, HDF5 rows", measure(configs, requests, replicas, true, file), requests, calibration);
    std::filesystem::remove(file);
  }
  if (mode == "all" || mode == "step")
    report("step", measure(configs, requests, replicas, false, ""), requests, calibration);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return bench(argc, argv);
  } catch (const InputError& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
