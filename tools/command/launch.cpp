// silicast launch SCENARIO: the commands that start its pools; silicast launch --read FILE: the other way.
#include "sim/run/launch/launch.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "sim/base/errors.hpp"
#include "sim/io/input_file.hpp"
#include "sim/io/output_file.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {
namespace {

constexpr std::size_t kMostBytes = (1u << 20) + 1;  // one more than read_launch takes

// "-" is standard input.
std::string text_of(const std::string& file) {
  std::string text(kMostBytes, '\0');
  if (file == "-") {
    text.resize(read_bytes(std::cin, text.data(), text.size(), "standard input"));
    return text;
  }
  if (const std::string problem = input_problem(file); !problem.empty()) throw InputError({file, 0, 0}, "", problem);
  std::ifstream input(file, std::ios::binary);
  text.resize(read_bytes(input, text.data(), text.size(), file));
  return text;
}

std::string given_text(const options::variables_map& given, const char* name) {
  return given.count(name) > 0 ? given[name].as<std::string>() : "";
}

// Options of one direction that were given with the other.
void refuse(const options::variables_map& given, std::initializer_list<const char*> names, std::string_view why) {
  for (const char* name : names)
    if (given.count(name) > 0) throw InputError(fmt::format("--{}: {}", name, why));
}

}  // namespace

int launch(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  visible.add_options()("set", options::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
                        "change a key of the scenario, read or to be printed; may be repeated")(
      "pool", options::value<std::string>()->value_name("NAME"), "print the launch of this pool alone")(
      "read", options::value<std::string>()->value_name("FILE"),
      "read a launch command of vLLM or SGLang, or a config.json of MindIE (-: standard input), and print a scenario")(
      "node", options::value<std::string>()->value_name("NODE"), "with --read: what it runs on")(
      "model", options::value<std::string>()->value_name("NAME"), "with --read: the catalogue's model that it serves")(
      "out", options::value<std::string>()->value_name("SCENARIO.yaml"),
      "with --read: write the scenario to a new file");
  add_configs_option(visible);
  hidden.add_options()("scenario", options::value<std::string>());
  options::positional_options_description positional;
  positional.add("scenario", 1);
  const auto given =
      parse(arguments,
            "usage: silicast launch SCENARIO.yaml [--set key.path=value] [--pool NAME]\n"
            "       silicast launch --read FILE [--node NODE] [--model NAME] [--set key.path=value] [--out "
            "SCENARIO.yaml]",
            visible, positional, hidden);
  if (!given) return 0;
  const std::string configs = find_configs(*given);
  std::vector<std::string> settings;
  if (given->count("set") > 0) settings = (*given)["set"].as<std::vector<std::string>>();
  if (given->count("read") == 0) {
    refuse(*given, {"node", "model", "out"}, "goes with --read");
    if (given->count("scenario") == 0) throw InputError("launch what? give a scenario, or --read FILE");
    const Scenario scenario =
        read_scenario(find_scenario(given_text(*given, "scenario"), configs), {configs, settings});
    std::cout << launch_text(scenario, given_text(*given, "pool"), configs);
    return 0;
  }
  refuse(*given, {"pool"}, "goes with a scenario, not with --read");
  refuse(*given, {"scenario"}, "a scenario is given and --read too; leave one out");
  const std::string file = given_text(*given, "read");
  const std::string text =
      read_launch(text_of(file), file, {configs, given_text(*given, "node"), given_text(*given, "model"), settings});
  if (given->count("out") == 0) {
    std::cout << text;
    return 0;
  }
  write_text_file(given_text(*given, "out"), text);
  std::cout << fmt::format("written: {}\n", given_text(*given, "out"));
  return 0;
}

}  // namespace silicast::command
