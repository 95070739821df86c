// silicast capacity SCENARIO: the highest load that meets the targets, and what binds there.
#include <fmt/format.h>

#include <iostream>

#include "sim/base/errors.hpp"
#include "sim/study/capacity/capacity_report.hpp"
#include "sim/study/capacity/ratios.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {

int capacity(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  visible.add_options()("set", options::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
                        "change a key of the scenario; may be repeated")(
      "replications", options::value<int>()->value_name("N")->default_value(10), "seeds, each with its own search")(
      "precision", options::value<double>()->value_name("X")->default_value(0.01), "of each search, relative")(
      "share", options::value<double>()->value_name("X")->default_value(0.99),
      "of requests within their own limits, where targets are no percentiles")(
      "ratios", "also with the nodes that prefill and that decode shared out otherwise")(
      "threads", options::value<int>()->value_name("N"), "default: one for each core")(
      "format", options::value<std::string>()->value_name("table|json")->default_value("table"), "of the answer");
  add_configs_option(visible);
  hidden.add_options()("scenario", options::value<std::string>());
  options::positional_options_description positional;
  positional.add("scenario", 1);
  const auto given =
      parse(arguments, "usage: silicast capacity SCENARIO.yaml [--set key.path=value ...] [--replications N]", visible,
            positional, hidden);
  if (!given) return 0;
  if (given->count("scenario") == 0) throw InputError("capacity of what? give a scenario");
  CapacityQuestion question;
  question.configs_dir = find_configs(*given);
  question.path = find_scenario((*given)["scenario"].as<std::string>(), question.configs_dir);
  question.scenario = load_config(question.path);
  for (const std::string& setting : texts(*given, "set"))
    apply_setting(question.scenario, setting, fmt::format("--set {}", setting));
  question.replications = (*given)["replications"].as<int>();
  question.precision = (*given)["precision"].as<double>();
  question.least_good = (*given)["share"].as<double>();
  question.threads = threads_of(*given);
  const std::string format = (*given)["format"].as<std::string>();
  if (question.replications < 1 || question.replications > 10'000) throw InputError("--replications: from 1 to 10000");
  if (!(question.precision >= 1e-4 && question.precision <= 0.5)) throw InputError("--precision: from 0.0001 to 0.5");
  if (!(question.least_good > 0 && question.least_good <= 1)) throw InputError("--share: over 0, up to 1");
  if (format != "table" && format != "json")
    throw InputError(fmt::format("--format '{}': must be table or json", format));
  if (given->count("ratios") > 0) {
    const std::vector<RatioAnswer> answers = capacity_by_ratio(question);
    std::cout << (format == "json" ? ratios_json(answers) + "\n" : ratios_text(answers));
    return 0;
  }
  const CapacityAnswer answer = find_capacity(question);
  std::cout << (format == "json" ? capacity_json(answer) + "\n" : capacity_text(answer));
  return 0;
}

}  // namespace silicast::command
