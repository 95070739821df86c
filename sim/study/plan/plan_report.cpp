#include "sim/study/plan/plan_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "sim/base/text_table.hpp"
#include "sim/run/simulation.hpp"
#include "sim/study/capacity/capacity_report.hpp"

namespace silicast {
namespace {

namespace fs = std::filesystem;

std::string time(double seconds) {
  return std::isfinite(seconds) ? format_quantity(seconds, Dimension::kTime) : "-";
}

std::string rmb(double amount) {
  if (!std::isfinite(amount)) return "-";
  return amount >= 1e6   ? fmt::format("{:.2f} M", amount / 1e6)
         : amount >= 1e3 ? fmt::format("{:.1f} k", amount / 1e3)
                         : fmt::format("{:.2f}", amount);
}

std::string bound_by(const PlanSpec& plan, const SizedOption& sized, const std::string& configs_dir) {
  const Scenario scenario =
      read_scenario(scenario_of(plan, sized.option, sized.nodes), plan.path, {configs_dir, {}}, Fit::kReported);
  return binding_of(scenario, sized.verdict.summary, sized.verdict.target).what;
}

std::string ranking(const PlanSpec& plan, const ServiceAnswer& service, const std::string& configs_dir) {
  TextTable table({"node", "nodes", "chips", "layout, formats, limits", "load/replica", "TTFT p50, p99",
                   "TPOT p50, p99", "busy", "purchase", "RMB/h", "RMB/M tokens", "rated kW", "tok/s user", "tok/s chip",
                   "tok/s MW", "bound by"});
  for (const SizedOption* one : service.best) {
    const OptionFigures f = figures_of(plan, *one, configs_dir);
    table.add(
        {one->option.candidate->node, fmt::format("{}", one->nodes), fmt::format("{}", f.chips), one->option.name(),
         fmt::format("{:.3g}/s", f.requests_per_replica), time(f.ttft_p50) + ", " + time(f.ttft_p99),
         time(f.tpot_p50) + ", " + time(f.tpot_p99), fmt::format("{:.0f}%", 100 * f.busy), rmb(f.purchase),
         rmb(f.per_hour), fmt::format("{:.2f}", f.per_million_tokens), fmt::format("{:.1f}", f.watts / 1000),
         std::isfinite(f.tokens_per_user) ? fmt::format("{:.0f}", f.tokens_per_user) : "-",
         fmt::format("{:.0f}", f.tokens_per_chip), rmb(f.tokens_per_megawatt), bound_by(plan, *one, configs_dir)});
  }
  return table.text();
}

std::string mix_text(const PlanSpec& plan, const PlanAnswer& answer) {
  const Mix& mix = *answer.mix;
  std::string text = "buy:\n";
  for (const MixPool& pool : mix.pools) {
    text += fmt::format("  {} x {} for {}: {}", pool.bought, plan.candidates[pool.part->candidate].node,
                        plan.services[pool.part->service].name, pool.part->sized->option.name());
    if (pool.bought > pool.needed)
      text += fmt::format(" ({} for the load, {} spare)", pool.needed, pool.bought - pool.needed);
    text += "\n";
  }
  text +=
      fmt::format("  {} RMB/h, {} RMB to buy, {:.1f} kW rated", rmb(mix.per_hour), rmb(mix.purchase), mix.watts / 1000);
  if (mix.racks > 0) text += fmt::format(", {} racks", mix.racks);
  text += "\n";
  for (std::size_t s = 0; s < answer.services.size(); ++s)
    text += fmt::format("  {}: {}{}\n", plan.services[s].name, verdict_text(answer.services[s].verdict),
                        answer.services[s].verified ? "" : "  NOT MET: the router does not share the load as planned");
  return text;
}

std::string shadow_text(const PlanAnswer& answer) {
  if (answer.shadow_prices.empty()) return "";
  TextTable table({"what a limit costs", "moved", "saves RMB/h"});
  for (const ShadowPrice& one : answer.shadow_prices)
    table.add({one.what, one.change, std::isfinite(one.per_hour) ? fmt::format("{:.2f}", one.per_hour) : "-"});
  return "\n" + table.text();
}

std::string growth_text(const PlanSpec& plan, const PlanAnswer& answer) {
  if (plan.growth.months == 0) return "";
  TextTable table({"month", "load", "nodes", "RMB/h"});
  for (const GrowthStep& step : answer.growth) {
    std::string nodes;
    if (step.mix)
      for (const MixPool& pool : step.mix->pools)
        nodes += fmt::format("{}{} x {}", nodes.empty() ? "" : ", ", pool.bought,
                             plan.candidates[pool.part->candidate].node);
    table.add({fmt::format("{}", step.month), fmt::format("{:.2f}", step.load), step.mix ? nodes : "beyond the caps",
               step.mix ? rmb(step.mix->per_hour) : "-"});
  }
  return "\ngrowth: when the next nodes are due\n" + table.text();
}

std::string cliff_text(const PlanSpec& plan, const PlanAnswer& answer) {
  std::string text;
  for (std::size_t s = 0; s < answer.services.size(); ++s) {
    TextTable table({"load", "met", "the nearest target"});
    for (const Cliff& one : answer.services[s].cliffs)
      table.add({fmt::format("{:.2f}", one.load), one.verdict.met ? "yes" : "no", verdict_text(one.verdict)});
    text += fmt::format("\n{} on these nodes under other loads\n{}", plan.services[s].name, table.text());
  }
  return text;
}

std::string view_text(const PlanSpec& plan, const PlanAnswer& answer, std::size_t s, const std::string& configs_dir) {
  TextTable table({"view", "node", "nodes", "layout, formats, limits", "because"});
  for (const PlanView& view : views_of(plan, answer, s, configs_dir))
    table.add({view.name, view.option->option.candidate->node, fmt::format("{}", view.option->nodes),
               view.option->option.name(), view.figure});
  TextTable front({"Pareto front: node", "nodes", "layout, formats, limits", "RMB/h", "TPOT p50"});
  for (const SizedOption* one : pareto_front(plan, answer, s))
    front.add({one->option.candidate->node, fmt::format("{}", one->nodes), one->option.name(),
               rmb(per_hour_of(plan, *one)), time(one->verdict.summary.total.tpot.p50)});
  return "\n" + table.text() + "\n" + front.text();
}

std::string ledger_text(const PlanAnswer& answer, bool whole) {
  std::map<OptionStatus, std::size_t> counts;
  TextTable table({"service", "node", "layout, formats, limits", "status", "nodes", "by", "reason"});
  for (const SizedOption& one : answer.ledger) {
    ++counts[one.status];
    table.add(
        {one.option.service->name, one.option.candidate->node, one.option.name(), std::string(name_of(one.status)),
         one.nodes > 0         ? fmt::format("{}", one.nodes)
         : one.least_nodes > 0 ? fmt::format("{} or more", one.least_nodes)
                               : "-",
         one.status != OptionStatus::kCompliant && std::isfinite(one.by) ? fmt::format("{:.0f}%", 100 * one.by) : "-",
         one.reason});
  }
  std::string text = fmt::format("\n{} options, {} runs:", answer.ledger.size(), answer.runs);
  for (const auto& [status, count] : counts) text += fmt::format(" {} {},", count, name_of(status));
  text.back() = '\n';
  return whole ? text + table.text() : text;
}

// Names of files that are there, as seen from another folder.
void rebase(ConfigNode& node, const std::string& from, const std::string& to) {
  std::error_code ignored;
  if (node.kind == ConfigNode::Kind::kScalar && node.scalar.find_first_of("./") != std::string::npos &&
      !fs::path(node.scalar).is_absolute() && fs::exists(fs::path(from) / node.scalar, ignored)) {
    const std::string seen = fs::absolute(fs::path(from) / node.scalar).lexically_relative(fs::absolute(to)).string();
    node.scalar = seen.find('/') == std::string::npos ? "./" + seen : seen;  // a path, not a name of the catalogue
  }
  for (ConfigEntry& entry : node.entries) rebase(entry.value, from, to);
  for (ConfigNode& item : node.items) rebase(item, from, to);
}

}  // namespace

std::string plan_text(const PlanSpec& plan, const PlanAnswer& answer, const std::string& configs_dir, bool ledger) {
  std::string text;
  for (std::size_t s = 0; s < answer.services.size(); ++s) {
    const ServiceAnswer& service = answer.services[s];
    if (service.best.empty()) continue;
    text += fmt::format("{}: {} at {:.4g} requests/s; by cost on each node\n{}\n", plan.services[s].name,
                        flow_text(plan.services[s].model), service.requests_per_second,
                        ranking(plan, service, configs_dir));
  }
  if (answer.mix) {
    text += mix_text(plan, answer);
    for (std::size_t s = 0; s < answer.services.size(); ++s) text += view_text(plan, answer, s, configs_dir);
    text += shadow_text(answer) + growth_text(plan, answer) + cliff_text(plan, answer);
  } else {
    text += "nothing can be bought that serves this:\n";
    for (const std::string& why : answer.no_mix) text += "  " + why + "\n";
  }
  return text + ledger_text(answer, ledger);
}

std::vector<std::string> winning_names(const PlanSpec& plan) {
  std::vector<std::string> names;
  for (const PlanService& service : plan.services) {
    names.push_back(fmt::format("{}-{}.yaml", plan.name, service.name));
    for (const PlanCandidate& candidate : plan.candidates)
      names.push_back(fmt::format("{}-{}-{}.yaml", plan.name, service.name, candidate.node));
  }
  return names;
}

std::vector<std::pair<std::string, std::string>> winning_files(const PlanSpec& plan, const PlanAnswer& answer,
                                                               const std::string& folder) {
  std::vector<std::pair<std::string, std::string>> files;
  const std::string from = fs::path(plan.path).parent_path().string();
  const auto add = [&](const std::string& name, ConfigNode tree) {
    rebase(tree, from, folder);
    files.emplace_back(name + ".yaml", to_yaml(tree));
  };
  for (std::size_t s = 0; s < plan.services.size(); ++s) {
    if (answer.mix) add(fmt::format("{}-{}", plan.name, plan.services[s].name), winning_scenario(plan, *answer.mix, s));
    for (const SizedOption* one : answer.services[s].best)
      add(fmt::format("{}-{}-{}", plan.name, plan.services[s].name, one->option.candidate->node),
          scenario_of(plan, one->option, one->nodes));
  }
  return files;
}

}  // namespace silicast
