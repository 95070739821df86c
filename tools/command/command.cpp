#include "tools/command/command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>

#include "sim/base/errors.hpp"
#include "sim/io/config_catalogue.hpp"

namespace silicast::command {

std::optional<options::variables_map> parse(const std::vector<std::string>& arguments, const std::string& usage,
                                            const options::options_description& visible,
                                            const options::positional_options_description& positional,
                                            const options::options_description& hidden) {
  options::options_description all;
  all.add(visible).add(hidden);
  all.add_options()("help,h", "print this help");
  options::variables_map given;
  try {
    namespace style = options::command_line_style;
    // No guessing: "--for" is not "--format".
    const int strict = style::default_style & ~style::allow_guessing;
    options::store(options::command_line_parser(arguments).options(all).positional(positional).style(strict).run(),
                   given);
    if (given.count("help") > 0) {
      std::cout << usage << "\n\n" << visible << "  -h [ --help ]          print this help\n";
      return std::nullopt;
    }
    options::notify(given);
  } catch (const options::error& error) {
    throw InputError(fmt::format("{}; see --help", error.what()));
  }
  return given;
}

void add_configs_option(options::options_description& visible) {
  visible.add_options()("configs", options::value<std::string>()->value_name("DIR"),
                        "the catalogue (default: SILICAST_CONFIGS, else the one that came with the program)");
}

std::string find_configs(const options::variables_map& given) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto checked = [&](const std::string& dir, const char* from) {
    if (!fs::is_directory(fs::path(dir) / "chips", ignored))
      throw InputError(fmt::format("{} '{}': is no catalogue (it has no folder chips)", from, dir));
    return dir;
  };
  if (given.count("configs") > 0) return checked(given["configs"].as<std::string>(), "--configs");
  if (const char* dir = std::getenv("SILICAST_CONFIGS")) return checked(dir, "SILICAST_CONFIGS");
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  // Installed as PREFIX/bin, or built in a folder of the sources.
  for (const fs::path& dir : {program / "../share/silicast/configs", program / "../configs", program / "../../configs"})
    if (fs::is_directory(dir / "chips", ignored)) return fs::weakly_canonical(dir).string();
  throw InputError("the catalogue (configs/) is not found beside the program; give --configs DIR");
}

std::vector<std::string> texts(const options::variables_map& given, const char* option) {
  return given.count(option) > 0 ? given[option].as<std::vector<std::string>>() : std::vector<std::string>{};
}

std::size_t threads_of(const options::variables_map& given, const char* option) {
  const int threads = given.count(option) > 0 ? given[option].as<int>()
                                              : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (threads < 1 || threads > 1024) throw InputError(fmt::format("--{} {}: must be from 1 to 1024", option, threads));
  return static_cast<std::size_t>(threads);
}

std::string find_scenario(const std::string& name, const std::string& configs_dir) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::exists(name, ignored) || name.find('/') != std::string::npos || name.ends_with(".yaml")) return name;
  const std::string shipped = fmt::format("{}/scenarios/{}.yaml", configs_dir, name);
  if (fs::exists(shipped, ignored)) return shipped;
  throw InputError(fmt::format("no scenario '{}': neither a file nor one that ships{}", name,
                               suggestion(name, config_names(configs_dir + "/scenarios"))));
}

}  // namespace silicast::command
