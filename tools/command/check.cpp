// silicast check FILE...: validates config files and prints what they resolve to, running nothing.
#include <iostream>

#include "sim/base/errors.hpp"
#include "sim/run/catalogue.hpp"
#include "sim/study/check_study_file.hpp"
#include "sim/study/claims/claim.hpp"
#include "sim/study/validation/check_file.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {

int check(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  visible.add_options()("set", options::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
                        "change a key of a scenario before it is read; may be repeated");
  add_configs_option(visible);
  hidden.add_options()("files", options::value<std::vector<std::string>>());
  options::positional_options_description positional;
  positional.add("files", -1);
  const auto given =
      parse(arguments,
            "usage: silicast check FILE... [--set key.path=value]\n"
            "Any config file: scenario, chip, node, cluster, model, engine, calibration, prices, workload, use "
            "case, validation case, claim, anchor, sweep, plan.",
            visible, positional, hidden);
  if (!given) return 0;
  if (given->count("files") == 0) throw InputError("check what? give config files");
  const std::string configs = find_configs(*given);
  std::vector<std::string> settings;
  if (given->count("set") > 0) settings = (*given)["set"].as<std::vector<std::string>>();
  int status = 0;
  for (const std::string& file : (*given)["files"].as<std::vector<std::string>>()) {
    try {
      auto known = check_validation_file(file, configs, settings);
      if (!known) known = check_claim_file(file, configs);
      if (!known) known = check_study_file(file, configs, settings);
      std::cout << (known ? *known : check_config(file, configs, settings));
    } catch (const InputError& error) {
      std::cerr << "error: " << error.what() << "\n";
      status = 2;
    }
  }
  return status;
}

}  // namespace silicast::command
