#include "sim/study/plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <limits>

#include "sim/io/config_catalogue.hpp"
#include "sim/study/capacity/capacity.hpp"
#include "sim/study/parallel_for.hpp"

namespace silicast {
namespace {

constexpr double kRelaxed = 1.1;  // of a target or a cap, for its shadow price
constexpr double kMore = 1.03;    // demand of a mix that missed its targets
constexpr int kMixRounds = 12;
constexpr double kLifted = std::numeric_limits<double>::infinity();  // of a cap
constexpr double kCliffLoads[] = {0.8, 0.9, 1, 1.05, 1.1, 1.2, 1.35, 1.5};

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Fewer nodes first, then the one that is further from its limits.
bool cheaper(const SizedOption& a, const SizedOption& b) {
  if (a.nodes != b.nodes) return a.nodes < b.nodes;
  return a.verdict.excess < b.verdict.excess;
}

class Planner {
 public:
  Planner(const PlanSpec& plan, const PlanOptions& options)
      : plan_(plan),
        options_(options),
        until_ns_(now_ns() + static_cast<std::int64_t>(1e9 * std::min(options.seconds, 1e9))) {}

  PlanAnswer run() {
    for (const PlanOption& option : plan_options(plan_, options_.configs_dir))
      answer_.ledger.push_back({.option = option});
    size_all();
    answer_.services.resize(plan_.services.size());
    for (std::size_t s = 0; s < plan_.services.size(); ++s) rank(s);
    make_parts();
    mix_.plan = &plan_, mix_.parts = &answer_.parts;
    for (const ServiceAnswer& service : answer_.services) mix_.demand.push_back(service.requests_per_second);
    const bool all_served = std::none_of(answer_.services.begin(), answer_.services.end(),
                                         [](const ServiceAnswer& one) { return one.best.empty(); });
    if (all_served) find_mix();
    if (answer_.mix) {
      price_caps();
      price_targets();
      grow();
      find_cliffs();
    } else {
      say_why();
    }
    for (const SizedOption& one : answer_.ledger) answer_.runs += one.runs;
    return std::move(answer_);
  }

 private:
  // Options of one service on one candidate, one after the other: each knows how many nodes are enough. Groups are
  // independent, so the answer does not depend on the threads.
  void size_all() {
    std::vector<std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < answer_.ledger.size(); ++i) {
      const PlanOption& one = answer_.ledger[i].option;
      const bool same = i > 0 && answer_.ledger[i - 1].option.service == one.service &&
                        answer_.ledger[i - 1].option.candidate == one.candidate;
      if (!same) groups.emplace_back();
      groups.back().push_back(i);
    }
    parallel_for(groups.size(), options_.threads, [&](std::size_t g) { size_group(groups[g]); });
  }

  // By roofline, the most promising first; then in the order of the plan, simple ones first.
  void size_group(const std::vector<std::size_t>& group) {
    std::vector<std::pair<std::int64_t, std::size_t>> order;
    for (const std::size_t i : group) order.emplace_back(bound(answer_.ledger[i].option), i);
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::int64_t enough = kMostNodes;
    for (const auto& [least, i] : order) {
      SizedOption& one = answer_.ledger[i];
      one = size_option(plan_, one.option, options_.configs_dir, enough, until_ns_);
      if (one.status == OptionStatus::kCompliant) enough = std::min(enough, one.nodes);
    }
  }

  std::int64_t bound(const PlanOption& option) const {
    try {
      const Scenario scenario = read_scenario(scenario_of(plan_, option, option.nodes_per_step), plan_.path,
                                              {options_.configs_dir, {}}, Fit::kReported);
      if (!scenario.pools[0].memory.fits()) return kMostNodes;
      return least_nodes(option, scenario, scenario.workload_info.mean_rate.value_or(0));
    } catch (const InputError&) {
      return kMostNodes;
    }
  }

  void rank(std::size_t s) {
    ServiceAnswer& service = answer_.services[s];
    for (const PlanCandidate& candidate : plan_.candidates) {
      const SizedOption* best = nullptr;
      for (const SizedOption& one : answer_.ledger)
        if (one.option.service == &plan_.services[s] && one.option.candidate == &candidate &&
            one.status == OptionStatus::kCompliant && (best == nullptr || cheaper(one, *best)))
          best = &one;
      if (best != nullptr) service.best.push_back(best);
    }
    for (const SizedOption* one : service.best) {
      const Scenario scenario = read(scenario_of(plan_, one->option, one->nodes));
      service.requests_per_second = *scenario.workload_info.mean_rate;
    }
  }

  Scenario read(const ConfigNode& tree) const { return read_scenario(tree, plan_.path, {options_.configs_dir, {}}); }

  MixPart part_of(std::size_t s, const SizedOption& sized) const {
    MixPart part;
    part.service = s;
    part.candidate = static_cast<std::size_t>(sized.option.candidate - plan_.candidates.data());
    part.sized = &sized;
    part.cost = cost_of_nodes(plan_, sized, options_.configs_dir);
    const NodeSpec node = read_node(load_entry(options_.configs_dir, "nodes", sized.option.candidate->node));
    part.stack = read_chip(load_entry(options_.configs_dir, "chips", node.chip)).software;
    part.porting = part.stack + "/" + flow_text(plan_.services[s].model);
    return part;
  }

  void make_parts() {
    for (std::size_t s = 0; s < answer_.services.size(); ++s)
      for (const SizedOption* sized : answer_.services[s].best) answer_.parts.push_back(part_of(s, *sized));
    parallel_for(answer_.parts.size(), options_.threads, [&](std::size_t i) {
      MixPart& part = answer_.parts[i];
      part.requests_per_node = rate_of(*part.sized, answer_.services[part.service].requests_per_second);
    });
    for (ServiceAnswer& service : answer_.services)
      std::stable_sort(service.best.begin(), service.best.end(),
                       [&](const SizedOption* a, const SizedOption* b) { return per_hour(a) < per_hour(b); });
  }

  double per_hour(const SizedOption* sized) const {
    for (const MixPart& part : answer_.parts)
      if (part.sized == sized)
        return static_cast<double>(sized->nodes) * part.cost.per_hour + part.cost.porting_per_hour;
    return 0;
  }

  // What a node carries at the targets. Of the fewest nodes, one step less is known not to be enough for the load.
  double rate_of(const SizedOption& sized, double demand) const {
    CapacityQuestion question;
    question.scenario = scenario_of(plan_, sized.option, sized.nodes);
    question.path = plan_.path, question.configs_dir = options_.configs_dir;
    question.least_good = plan_.least_good, question.replications = 1;
    const CapacityAnswer capacity = find_capacity(question);
    const auto nodes = static_cast<double>(sized.nodes), step = static_cast<double>(sized.option.nodes_per_step);
    double rate = std::max(capacity.low, demand) / nodes;
    if (nodes > step && sized.fewest) rate = std::min(rate, demand / (nodes - step) * (1 - 1e-9));
    return rate;
  }

  struct Verified {
    std::optional<Mix> mix;
    std::vector<Verdict> verdicts;  // by service
    std::vector<double> demand;     // that was asked of the program in the end
    bool met = false;
  };

  // The pools of a mix share the load as the router does it, not as the program thinks: simulated, with more demand
  // where that is not enough.
  Verified verified(MixQuestion question) {
    Verified result;
    for (int round = 0; round < kMixRounds && !result.met; ++round) {
      result.demand = question.demand;
      result.mix = cheapest_mix(question);
      if (!result.mix) break;
      result.met = true;
      result.verdicts.clear();
      for (std::size_t s = 0; s < question.demand.size(); ++s) {
        result.verdicts.push_back(verdict_of_mix(*question.plan, *result.mix, s));
        if (result.verdicts.back().met) continue;
        result.met = false;
        question.demand[s] *= kMore;
      }
    }
    return result;
  }

  Verdict verdict_of_mix(const PlanSpec& plan, const Mix& mix, std::size_t s) {
    const MixPool* only = nullptr;
    std::size_t pools = 0;
    for (const MixPool& pool : mix.pools)
      if (pool.part->service == s) only = &pool, ++pools;
    if (pools == 1 && only->needed == only->part->sized->nodes) return only->part->sized->verdict;  // was simulated
    ++answer_.runs;
    return judge(read(winning_scenario(plan, mix, s)), plan.least_good);
  }

  void find_mix() {
    Verified best = verified(mix_);
    answer_.mix = std::move(best.mix);
    if (!answer_.mix) return;
    for (std::size_t s = 0; s < answer_.services.size(); ++s) {
      answer_.services[s].verdict = best.verdicts[s];
      answer_.services[s].verified = best.verdicts[s].met;
    }
    growth_demand_ = best.demand;
  }

  // RMB/h that another question's answer costs less; NaN: it has none.
  double saving(const MixQuestion& question) {
    const Verified other = verified(question);
    return other.mix && other.met ? std::max(0.0, answer_.mix->per_hour - other.mix->per_hour) : std::nan("");
  }

  void say_why() {
    for (std::size_t s = 0; s < answer_.services.size(); ++s)
      if (answer_.services[s].best.empty()) answer_.no_mix.push_back(nothing_serves(s));
    if (!answer_.no_mix.empty()) return;
    for (const MixCap& cap : caps_of(plan_))
      if (const auto least = least_cap(mix_, cap))
        answer_.no_mix.push_back(fmt::format("{}: {:.0f} {} allowed, {:.0f} needed, the other caps as they are",
                                             cap.name, cap.amount, cap.unit, std::ceil(*least)));
    if (answer_.no_mix.empty())
      answer_.no_mix.push_back("the caps exclude each other: no single one of them, lifted, helps");
  }

  // The option that came the nearest, and by how much it missed.
  std::string nothing_serves(std::size_t s) const {
    const SizedOption* nearest = nullptr;
    for (const SizedOption& one : answer_.ledger)
      if (one.option.service == &plan_.services[s] && std::isfinite(one.by) && one.verdict.target != "" &&
          (nearest == nullptr || one.by < nearest->by))
        nearest = &one;
    const std::string who = plan_.services.size() > 1 ? plan_.services[s].name + ": " : "";
    if (nearest == nullptr) {
      for (const SizedOption& one : answer_.ledger)
        if (one.option.service == &plan_.services[s])
          return fmt::format("{}no option fits or is supported (the ledger says why), e.g. {} {}: {}", who,
                             one.option.candidate->node, one.option.name(), one.reason);
    }
    return fmt::format("{}no option meets the targets; the nearest is {} {}: {}", who, nearest->option.candidate->node,
                       nearest->option.name(), nearest->reason);
  }

  void price_caps() {
    for (const MixCap& cap : caps_of(plan_))
      for (const bool lifted : {false, true}) {
        MixQuestion question = mix_;
        question.caps[cap.name] = lifted ? kLifted : kRelaxed * cap.amount;
        answer_.shadow_prices.push_back({cap.name, lifted ? "lifted" : "a tenth more", saving(question)});
      }
  }

  // A target that is a tenth looser: the best options again, with no more nodes than now.
  void price_targets() {
    for (std::size_t s = 0; s < plan_.services.size(); ++s)
      for (const std::string& target : target_keys(plan_.services[s])) {
        PlanSpec relaxed = plan_;
        relax(*relaxed.services[s].targets, target);
        std::deque<SizedOption> sized;
        std::vector<MixPart> parts;
        for (const MixPart& part : answer_.parts) {
          if (part.service != s) {
            parts.push_back(part);
            continue;
          }
          PlanOption option = part.sized->option;
          option.service = &relaxed.services[s];
          sized.push_back(size_option(relaxed, option, options_.configs_dir, part.sized->nodes, until_ns_));
          answer_.runs += sized.back().runs;
          if (sized.back().status != OptionStatus::kCompliant) continue;
          parts.push_back(part);
          parts.back().sized = &sized.back();
          parts.back().requests_per_node *=
              static_cast<double>(part.sized->nodes) / static_cast<double>(sized.back().nodes);
        }
        MixQuestion question = mix_;
        question.plan = &relaxed, question.parts = &parts;
        const std::string of = plan_.services.size() > 1 ? " of " + plan_.services[s].name : "";
        answer_.shadow_prices.push_back({target + of, "a tenth looser", saving(question)});
      }
  }

  static std::vector<std::string> target_keys(const PlanService& service) {
    std::vector<std::string> keys;
    if (service.targets)
      for (const ConfigEntry& entry : service.targets->entries) keys.push_back(entry.key);
    return keys;
  }

  static void relax(ConfigNode& targets, const std::string& key) {
    for (ConfigEntry& entry : targets.entries)
      if (entry.key == key)
        entry.value.scalar =
            fmt::format("{:.9g} s", kRelaxed * parse_quantity(entry.value.scalar, Dimension::kTime).value);
  }

  // The winning pools, month by month; a step is a month whose nodes are others than those before.
  void grow() {
    std::vector<MixPart> winners;
    for (const MixPool& pool : answer_.mix->pools) winners.push_back(*pool.part);
    MixQuestion question = mix_;
    question.parts = &winners;
    std::vector<std::int64_t> before;
    for (std::int64_t month = 0; month <= plan_.growth.months; ++month) {
      const double load = std::pow(1 + plan_.growth.per_month.value, static_cast<double>(month));
      for (std::size_t s = 0; s < question.demand.size(); ++s) question.demand[s] = load * growth_demand_[s];
      std::optional<Mix> mix = month == 0 ? answer_.mix : cheapest_mix(question);
      std::vector<std::int64_t> nodes;
      if (mix)
        for (MixPool& pool : mix->pools) {
          // Parts outlive this function by the answer's own.
          for (const MixPart& part : answer_.parts)
            if (part.sized == pool.part->sized) pool.part = &part;
          nodes.push_back(pool.bought);
        }
      if (month == 0 || nodes != before) answer_.growth.push_back({month, load, std::move(mix)});
      if (nodes.empty()) return;
      before = std::move(nodes);
    }
  }

  void find_cliffs() {
    for (std::size_t s = 0; s < answer_.services.size(); ++s) {
      std::vector<Cliff>& cliffs = answer_.services[s].cliffs;
      cliffs.resize(std::size(kCliffLoads));
      parallel_for(cliffs.size(), options_.threads, [&](std::size_t i) {
        cliffs[i].load = kCliffLoads[i];
        cliffs[i].verdict = verdict_of(
            simulate(read(winning_scenario(plan_, *answer_.mix, s, kCliffLoads[i])), {}).summary, plan_.least_good);
      });
      answer_.runs += static_cast<std::int64_t>(cliffs.size());
    }
  }

  const PlanSpec& plan_;
  const PlanOptions& options_;
  std::int64_t until_ns_;
  PlanAnswer answer_;
  MixQuestion mix_;
  std::vector<double> growth_demand_;  // of the first month, by service
};

}  // namespace

ConfigNode winning_scenario(const PlanSpec& plan, const Mix& mix, std::size_t service, double share) {
  ConfigNode tree;
  for (const MixPool& pool : mix.pools) {
    if (pool.part->service != service) continue;
    ConfigNode one = scenario_of(plan, pool.part->sized->option, pool.needed);
    if (tree.entries.empty()) {
      tree = std::move(one);
      set_config(tree, "name", fmt::format("{}-{}", plan.name, plan.services[service].name), plan.path);
      continue;
    }
    for (ConfigEntry& entry : tree.entries)
      if (entry.key == "cluster")
        for (ConfigEntry& pools : entry.value.entries)
          if (pools.key == "pools") pools.value.items.push_back(*one.at({"cluster", "pools", "0"}));
  }
  scale_load(tree, share, plan.path);
  return tree;
}

PlanAnswer solve_plan(const PlanSpec& plan, const PlanOptions& options) {
  return Planner(plan, options).run();
}

}  // namespace silicast
