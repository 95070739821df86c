// silicast anchor add RUN --scenario S: moves chip and engine by a measured run; silicast anchor list: those that there
// are.
#include "sim/run/anchor.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include "sim/base/errors.hpp"
#include "sim/io/output_file.hpp"
#include "sim/study/anchors/fit_anchor.hpp"
#include "tools/command/command.hpp"

namespace silicast::command {
namespace {

namespace fs = std::filesystem;
constexpr const char* kFolder = "anchors";

std::string scale_text(AnchorScale scale, double value) {
  return scale == AnchorScale::kMaturity ? fmt::format("{:.3f}", value) : format_quantity(value, Dimension::kTime);
}

// "4.15 (+3.2%)"
std::string against(double value, double measured) {
  return fmt::format("{:.4g} ({:+.1f}%)", value, 100 * (value / measured - 1));
}

void print(const Anchor& anchor) {
  std::vector<std::vector<std::string>> moves;
  for (const AnchorMove& move : anchor.moved)
    moves.push_back(
        {std::string(name_of(move.scale)), scale_text(move.scale, move.from), scale_text(move.scale, move.to), ""});
  for (const auto& [scale, why] : anchor.not_moved) moves.push_back({scale, "-", "-", "stays: " + why});
  std::cout << fmt::format("{}: {} run of {}, {} on {}, engine {}\n\n", anchor.name, anchor.format, anchor.date,
                           anchor.measured.model, anchor.measured.chip, anchor.measured.engine)
            << aligned({"scale", "from", "to", ""}, moves) << "\n";
  std::vector<std::vector<std::string>> residuals;
  for (const AnchorResidual& one : anchor.residuals)
    residuals.push_back({one.metric, fmt::format("{:.4g}", one.measured), against(one.before, one.measured),
                         against(one.after, one.measured)});
  std::cout << aligned({"metric [s, 1/s, token/s]", "measured", "before", "after"}, residuals);
  std::cout << fmt::format(
      "\napplies to {} under {}, {}, {} activations; prompts of {:.4g} to {:.4g} and outputs of {:.4g} to {:.4g} "
      "tokens on\naverage; {:.4g} to {:.4g} requests at once or {:.4g} to {:.4g} output tokens/s on a replica\n",
      anchor.measured.chip, anchor.measured.engine, anchor.measured.family, anchor.measured.precision,
      anchor.prompt.low, anchor.prompt.high, anchor.output.low, anchor.output.high, anchor.running.low,
      anchor.running.high, anchor.output_rate.low, anchor.output_rate.high);
}

int add_anchor(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  visible.add_options()("scenario", options::value<std::string>()->value_name("FILE"),
                        "the scenario that the run was made with: one pool, the run's requests and load")(
      "name", options::value<std::string>()->value_name("NAME"), "of the anchor; default: the stem of RUN")(
      "out", options::value<std::string>()->value_name("DIR")->default_value(kFolder), "folder of anchors")(
      "run", options::value<std::int64_t>()->value_name("N"), "which of several runs in RUN, from 1")(
      "set", options::value<std::vector<std::string>>()->value_name("KEY=VALUE"),
      "change a key of the scenario; may be repeated");
  add_configs_option(visible);
  hidden.add_options()("file", options::value<std::string>());
  options::positional_options_description positional;
  positional.add("file", 1);
  const auto given = parse(arguments,
                           "usage: silicast anchor add RUN --scenario SCENARIO.yaml [--name N] [--out DIR] [--run N]\n"
                           "RUN: vllm bench serve --save-result, SGLang's bench_serving JSONL, GuideLLM's "
                           "benchmarks.json, AIPerf's profile_export_aiperf.json.",
                           visible, positional, hidden);
  if (!given) return 0;
  if (given->count("file") == 0) throw InputError("anchor by what? give the result of a benchmark");
  if (given->count("scenario") == 0) throw InputError("--scenario: with which scenario was it run?");
  AnchorQuestion question;
  question.run_file = (*given)["file"].as<std::string>();
  question.name =
      given->count("name") > 0 ? (*given)["name"].as<std::string>() : fs::path(question.run_file).stem().string();
  if (question.name.empty() || question.name[0] == '.' || question.name.find('/') != std::string::npos)
    throw InputError(fmt::format("--name '{}': must do as the name of a file", question.name));
  question.source.configs_dir = find_configs(*given);
  if (given->count("set") > 0) question.source.settings = (*given)["set"].as<std::vector<std::string>>();
  question.scenario_path = find_scenario((*given)["scenario"].as<std::string>(), question.source.configs_dir);
  const std::string folder = (*given)["out"].as<std::string>();
  const std::string path = (fs::path(folder) / (question.name + ".yaml")).string();
  const auto which = given->count("run") > 0 ? std::optional((*given)["run"].as<std::int64_t>()) : std::nullopt;
  question.run = read_measured_run(question.run_file, which);
  const Anchor anchor = fit_anchor(question);
  write_text_file(path, write_anchor(anchor));
  print(anchor);
  std::cout << fmt::format("\nwritten: {}\n", path);
  return 0;
}

int list_anchors(const std::vector<std::string>& arguments) {
  options::options_description visible("options"), hidden;
  hidden.add_options()("folder", options::value<std::string>()->default_value(kFolder));
  options::positional_options_description positional;
  positional.add("folder", 1);
  const auto given = parse(arguments,
                           "usage: silicast anchor list [DIR]\nDIR: a folder of anchors, or one of them; "
                           "default: anchors",
                           visible, positional, hidden);
  if (!given) return 0;
  std::vector<std::vector<std::string>> rows;
  for (const Anchor& anchor : read_anchors((*given)["folder"].as<std::string>())) {
    std::string moved;
    for (const AnchorMove& move : anchor.moved)
      moved += fmt::format("{}{} {} to {}", moved.empty() ? "" : ", ", name_of(move.scale),
                           scale_text(move.scale, move.from), scale_text(move.scale, move.to));
    const AnchorSubject& on = anchor.measured;
    rows.push_back({anchor.name, anchor.date, on.chip, on.engine, on.model, on.precision, moved,
                    fmt::format("{:.4g} to {:.4g}", anchor.running.low, anchor.running.high),
                    fmt::format("{} {}", anchor.file, anchor.signature)});
  }
  std::cout << aligned({"anchor", "date", "chip", "engine", "model", "precision", "moved", "requests at once", "run"},
                       rows);
  return 0;
}

}  // namespace

int anchor(const std::vector<std::string>& arguments) {
  const std::vector<std::string> rest(arguments.empty() ? arguments.begin() : arguments.begin() + 1, arguments.end());
  const std::string what = arguments.empty() ? "" : arguments[0];
  if (what == "add") return add_anchor(rest);
  if (what == "list") return list_anchors(rest);
  if (what == "--help" || what == "-h") {
    std::cout << "usage: silicast anchor add RUN --scenario SCENARIO.yaml | silicast anchor list [DIR]\n";
    return 0;
  }
  throw InputError(fmt::format("anchor '{}': must be add or list{}", what, what.empty() ? "; see --help" : ""));
}

}  // namespace silicast::command
