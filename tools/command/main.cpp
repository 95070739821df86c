// silicast: forecasts how a cluster of AI accelerators serves language models. Exit status: 0 fine, 2 the user's
// mistake, 1 ours.
#include <fmt/format.h>

#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>

#include "sim/base/errors.hpp"
#include "sim/run/version.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {
namespace {

struct Entry {
  std::string_view name;
  std::string_view summary;
  Command* command;
};

constexpr Entry kCommands[] = {
    {"run", "simulate a scenario: latency, throughput, energy, cost", run},
    {"compare", "result files side by side, with paired differences", compare},
    {"check", "validate config files and show what they resolve to", check},
    {"list", "the catalogue: chips, nodes, models, engines, policies...", list},
    {"explain", "what fits, the roofline, where an iteration's time goes", explain},
    {"launch", "scenarios as launch commands of their engines, and the other way", launch},
    {"validate", "errors against measurements of real systems", validate},
    {"calibrate", "fit a chip to kernel tables, an engine to measured runs", calibrate},
    {"claims", "what is said of chips, and on which workloads it is true", claims},
    {"anchor", "move chip and engine by a run that was measured", anchor},
    {"sweep", "many runs over the keys of a scenario, resumable", sweep},
    {"capacity", "the highest load that meets the targets, and what binds", capacity},
    {"plan", "which nodes to buy: the cheapest that meet targets and caps", plan},
    {"trace", "traces of requests: convert, cut, merge, describe, generate", trace},
    {"recover", "read what a killed run left in its .part file", recover},
};

std::string usage() {
  std::string text = fmt::format(
      "silicast {} ({}): forecasts how a cluster of AI accelerators serves language models\n\n"
      "usage: silicast COMMAND [arguments]; silicast COMMAND --help\n\n",
      version(), git_hash());
  for (const Entry& entry : kCommands) text += fmt::format("  {:<9} {}\n", entry.name, entry.summary);
  return text + "\nexit status: 0 fine, 2 a mistake in the input, 1 a mistake of silicast\n";
}

int dispatch(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  if (name == "--help" || name == "-h" || name == "help") {
    std::cout << usage();
    return 0;
  }
  if (name == "--version") {
    std::cout << fmt::format("silicast {} ({})\n", version(), git_hash());
    return 0;
  }
  std::vector<std::string> names;
  for (const Entry& entry : kCommands) {
    if (name == entry.name) return entry.command({argv + 2, argv + argc});
    names.emplace_back(entry.name);
  }
  if (name.empty()) {
    std::cerr << usage();
    return 2;
  }
  throw InputError(fmt::format("unknown command '{}'{}", name, suggestion(name, names)));
}

}  // namespace
}  // namespace silicast::command

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files is an error of writing
  try {
    const int status = silicast::command::dispatch(argc, argv);
    std::cout.flush();
    if (!std::cout) throw silicast::InputError("standard output cannot be written (is the disk full?)");
    return status;
  } catch (const silicast::InputError& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 2;
  } catch (const std::filesystem::filesystem_error& error) {
    const std::string path = error.path1().string();
    std::cerr << fmt::format("error: {}: {}\n", path.empty() ? "temporary folder" : path, error.code().message());
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "silicast: internal error: " << error.what()
              << "\nThis is a mistake of silicast; please report it with the input.\n";
    return 1;
  }
}
