// The silicast command: one subcommand per file, and what they share.
#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/text_table.hpp"

namespace silicast::command {

namespace options = boost::program_options;

// Each parses its own arguments (argv without the program and the subcommand) and returns the exit status.
using Command = int(const std::vector<std::string>& arguments);
Command run, compare, check, list, explain, recover, validate, calibrate, claims, anchor, sweep, capacity, plan, launch,
    trace;

// Parses strictly. nullopt after --help, which it prints: "usage", then the options.
std::optional<options::variables_map> parse(const std::vector<std::string>& arguments, const std::string& usage,
                                            const options::options_description& visible,
                                            const options::positional_options_description& positional,
                                            const options::options_description& hidden);

// The folder of the catalogue: --configs, else SILICAST_CONFIGS, else beside the installed or the built program.
std::string find_configs(const options::variables_map& given);
void add_configs_option(options::options_description& visible);

// An option that may be repeated; none where it is not given.
std::vector<std::string> texts(const options::variables_map& given, const char* option);

// --threads or the like, an option without a default: one for each core.
std::size_t threads_of(const options::variables_map& given, const char* option = "threads");

// A scenario file: the path itself, or the name of one in configs/scenarios.
std::string find_scenario(const std::string& name, const std::string& configs_dir);

}  // namespace silicast::command
