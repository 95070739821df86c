// silicast plan PLAN: which nodes to buy.
#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <optional>

#include "sim/base/errors.hpp"
#include "sim/io/output_file.hpp"
#include "sim/study/plan/plan_report.hpp"
#include "sim/study/uncertainty/plan_uncertainty.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {

int plan(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  visible.add_options()("set", options::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
                        "change a key of the plan; may be repeated")(
      "out", options::value<std::string>()->value_name("FOLDER"), "where the winners' scenarios go; default: nowhere")(
      "uncertain", options::value<int>()->value_name("N"),
      "draw every number that has a range N times: how firm is it?")(
      "ledger", "every option with its status and the reason as well")(
      "threads", options::value<int>()->value_name("N"), "default: one for each core")(
      "seconds", options::value<double>()->value_name("S")->default_value(600), "after which options are given up")(
      "format", options::value<std::string>()->value_name("table|json")->default_value("table"), "of the answer");
  add_configs_option(visible);
  hidden.add_options()("plan", options::value<std::string>());
  options::positional_options_description positional;
  positional.add("plan", 1);
  const auto given = parse(arguments, "usage: silicast plan PLAN.yaml [--set key.path=value ...] [--out FOLDER]",
                           visible, positional, hidden);
  if (!given) return 0;
  if (given->count("plan") == 0) throw InputError("plan what? give a plan file");
  const std::string format = (*given)["format"].as<std::string>();
  if (format != "table" && format != "json")
    throw InputError(fmt::format("--format '{}': must be table or json", format));
  const PlanOptions options{find_configs(*given), threads_of(*given), (*given)["seconds"].as<double>()};
  if (!(options.seconds > 0)) throw InputError("--seconds: must be over 0");
  const int draws = given->count("uncertain") > 0 ? (*given)["uncertain"].as<int>() : 0;
  if (given->count("uncertain") > 0 && (draws < 2 || draws > 100'000))
    throw InputError("--uncertain: from 2 to 100000 draws");
  const PlanSpec spec = read_plan((*given)["plan"].as<std::string>(), options.configs_dir, texts(*given, "set"));
  const std::string folder = given->count("out") > 0 ? (*given)["out"].as<std::string>() : "";
  if (given->count("out") > 0 && folder.empty()) throw InputError("--out: is empty; give a folder");
  if (!folder.empty())
    for (const std::string& name : winning_names(spec))
      if (std::error_code ignored; std::filesystem::exists(std::filesystem::path(folder) / name, ignored))
        throw InputError(fmt::format("{}/{}: exists already; give another folder", folder, name));
  const PlanAnswer answer = solve_plan(spec, options);
  std::optional<PlanUncertainty> uncertain;
  if (draws > 0)
    uncertain = draw_plan(spec, answer, {options.configs_dir, static_cast<std::size_t>(draws), options.threads});
  if (format == "json") {
    JsonText json;
    json.open('{');
    put_plan(json, spec, answer, options.configs_dir);
    if (uncertain) put_uncertainty(json.item("uncertainty"), spec, *uncertain);
    json.close('}');
    std::cout << json.take() << "\n";
  } else {
    std::cout << plan_text(spec, answer, options.configs_dir, given->count("ledger") > 0);
    if (uncertain) std::cout << uncertainty_text(spec, *uncertain);
  }
  if (!folder.empty()) {
    for (const auto& [name, text] : winning_files(spec, answer, folder)) {
      write_text_file(fmt::format("{}/{}", folder, name), text);
      if (format == "table") std::cout << fmt::format("written: {}/{}\n", folder, name);
    }
  }
  return 0;
}

}  // namespace silicast::command
