#include "sim/run/use_case_targets.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace silicast {
namespace {

std::string rate_text(const Evidence& rate) {
  if (rate.low == rate.high) return fmt::format("{:.4g}", rate.value);
  return fmt::format("{:.4g} ({:.3g} to {:.3g})", rate.value, rate.low, rate.high);
}

std::string users_of(const UseCaseLoad& load) {
  return fmt::format("{:.0f} users of {}", load.users, load.use_case.name);
}

// The numbers that make the rate; all of them stand in assumptions_of().
std::string rate_note(const UseCaseLoad& load) {
  std::string factors;
  for (const UseCaseFigure& figure : figures_of(load.use_case)) {
    if (figure.key == "burstiness") break;
    factors += fmt::format("{}{} {}", factors.empty() ? "" : ", ", figure.label,
                           format_evidence(figure.evidence, figure.dimension));
  }
  return fmt::format("{} ask {} requests/s in their busiest hour: {}; {}", users_of(load), rate_text(load.rate),
                     factors, name_of(load.rate.grade));
}

std::string targets_note(const ClassFacts& of, bool several, const UseCase& use_case) {
  std::string limits;
  for (const UseCaseTarget& target : use_case.targets)
    limits += fmt::format("{}{} {}", limits.empty() ? "" : ", ", target.name,
                          format_evidence(target.limit, Dimension::kTime));
  return fmt::format("targets{} are those of {}: {}", several ? fmt::format(" of class {}", of.name) : "",
                     use_case.name, limits);
}

bool states_targets(const ConfigNode& root, const std::string& class_name) {
  return root.find("targets") != nullptr || root.at({"classes", class_name, "targets"}) != nullptr;
}

}  // namespace

Targets targets_of(const UseCase& use_case) {
  ConfigNode limits;
  limits.kind = ConfigNode::Kind::kMap;
  for (const UseCaseTarget& target : use_case.targets) {
    limits.mark = target.mark;
    ConfigNode limit;
    limit.kind = ConfigNode::Kind::kScalar;
    limit.scalar = fmt::format("{} s", target.limit.value);
    limit.mark = target.mark;
    limits.entries.push_back({target.name, target.mark, std::move(limit)});
  }
  const ConfigValue root = ConfigValue::of(std::move(limits));
  return read_targets(ConfigValue(root, &root.node(), "targets"));
}

void take_use_case_targets(const ConfigValue& root, Scenario& scenario) {
  const WorkloadInfo& info = scenario.workload_info;
  for (const UseCaseLoad& load : info.use_cases) scenario.notes.push_back(rate_note(load));
  for (std::size_t i = 0; i < scenario.classes.size(); ++i) {
    ClassFacts& one = scenario.classes[i];
    if (states_targets(root.node(), one.name)) continue;
    std::vector<const UseCase*> asked;
    for (const UseCaseLoad& load : info.use_cases)
      if (load.request_class == ClassId{static_cast<std::int32_t>(i)}) asked.push_back(&load.use_case);
    if (asked.empty()) continue;
    if (!info.only_use_cases || asked.size() > 1) {
      scenario.notes.push_back(fmt::format(
          "targets of class {}: none is taken from {}, for not all of its requests are of that use case; give targets",
          one.name, asked[0]->name));
      continue;
    }
    one.targets = targets_of(*asked[0]);
    if (!asked[0]->targets.empty()) scenario.notes.push_back(targets_note(one, scenario.classes.size() > 1, *asked[0]));
  }
}

std::string assumptions_of(const WorkloadInfo& info) {
  std::string text;
  for (const UseCaseLoad& load : info.use_cases) {
    const UseCase& use_case = load.use_case;
    text += fmt::format("    {}: {}; a user is {}\n", users_of(load), use_case.description, use_case.user);
    text += fmt::format("      {:<28}{}\n", "requests/s, busiest hour", rate_text(load.rate));
    for (const UseCaseFigure& figure : figures_of(use_case))
      text +=
          fmt::format("      {:<28}{:<32}{}: {}\n", figure.label, format_evidence(figure.evidence, figure.dimension),
                      name_of(figure.evidence.grade), figure.evidence.source);
  }
  return text;
}

}  // namespace silicast
