#include "sim/study/plan/mix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "sim/study/plan/availability.hpp"
#include "sim/study/plan/integer_program.hpp"

namespace silicast {
namespace {

constexpr double kLifted = std::numeric_limits<double>::infinity();

std::string chips_name(const PlanCandidate& candidate) {
  return "chips of " + candidate.node;
}

class MixProgram {
 public:
  // `minimise`: the name of a cap, or empty for the cost.
  MixProgram(const MixQuestion& question, const std::string& minimise)
      : plan_(*question.plan), parts_(*question.parts), question_(question) {
    for (const MixPart& part : parts_) {
      const double unit = minimise.empty() ? part.cost.per_hour : weight(part, minimise);
      steps_.push_back(program_.add_integer(unit * step(part) * overhead(part)));
    }
    // Spares come with a pool, however small; so do racks that are not full, and the porting of a stack.
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const double spares = static_cast<double>(plan_.spare_nodes) *
                            (minimise.empty() ? parts_[i].cost.per_hour : weight(parts_[i], minimise));
      used_.push_back(program_.add_integer(spares, 1));
      program_.add_row(-IntegerProgram::kNone, 0, {{steps_[i], 1}, {used_[i], -kMost}});
    }
    for (const MixPart& part : parts_) {
      if (ported_.count(part.porting) > 0) continue;
      ported_[part.porting] = program_.add_integer(minimise.empty() ? part.cost.porting_per_hour : 0, 1);
    }
    for (std::size_t i = 0; i < parts_.size(); ++i)
      program_.add_row(-IntegerProgram::kNone, 0, {{used_[i], 1}, {ported_.at(parts_[i].porting), -1}});
    demand_rows();
    for (const MixCap& cap : caps_of(plan_)) cap_row(cap, minimise);
  }

  std::optional<Mix> solve() const {
    const auto x = program_.solve();
    if (!x) return std::nullopt;
    Mix mix;
    std::set<std::string> ported;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const MixPart& part = parts_[i];
      const auto needed = static_cast<std::int64_t>((*x)[steps_[i]]) * part.sized->option.nodes_per_step;
      if (needed == 0) continue;
      const std::int64_t bought = nodes_to_buy(needed, plan_.spare_nodes, plan_.availability);
      mix.pools.push_back({&part, needed, bought});
      mix.per_hour += static_cast<double>(bought) * part.cost.per_hour;
      mix.purchase += static_cast<double>(bought) * part.cost.purchase;
      mix.watts += static_cast<double>(bought) * part.cost.watts;
      if (plan_.caps.racks > 0)
        mix.racks += static_cast<std::int64_t>(std::ceil(static_cast<double>(bought) / per_rack(part)));
      if (ported.insert(part.porting).second) mix.per_hour += part.cost.porting_per_hour;
    }
    return mix;
  }

 private:
  static constexpr double kMost = 1e6;  // nodes of a pool

  static double step(const MixPart& part) { return part.sized->option.nodes_per_step; }
  double per_rack(const MixPart& part) const {
    return std::max(1.0, std::floor(plan_.caps.rack_watts / std::max(part.cost.watts, 1.0)));
  }
  // Nodes bought for one that is needed, for their availability, at the size that the pool has on its own.
  double overhead(const MixPart& part) const {
    const std::int64_t needed = std::max<std::int64_t>(1, part.sized->nodes);
    return static_cast<double>(nodes_to_buy(needed, plan_.spare_nodes, plan_.availability) - plan_.spare_nodes) /
           static_cast<double>(needed);
  }
  // What a node takes of a cap.
  double weight(const MixPart& part, const std::string& cap) const {
    if (cap == "budget") return part.cost.purchase;
    if (cap == "power") return part.cost.watts;
    if (cap == "racks") return 1 / per_rack(part);
    const PlanCandidate& candidate = plan_.candidates[part.candidate];
    return cap == chips_name(candidate) ? part.sized->option.node_chips : 0;
  }

  void demand_rows() {
    for (std::size_t s = 0; s < question_.demand.size(); ++s) {
      std::vector<std::pair<std::size_t, double>> terms;
      for (std::size_t i = 0; i < parts_.size(); ++i)
        if (parts_[i].service == s) terms.emplace_back(steps_[i], parts_[i].requests_per_node * step(parts_[i]));
      program_.add_row(question_.demand[s], IntegerProgram::kNone, std::move(terms));
    }
  }

  void cap_row(const MixCap& cap, const std::string& minimise) {
    const auto moved = question_.caps.find(cap.name);
    const double amount = moved != question_.caps.end() ? moved->second : cap.amount;
    if (amount == kLifted || cap.name == minimise) return;
    std::vector<std::pair<std::size_t, double>> terms;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const double of_node = weight(parts_[i], cap.name);
      if (of_node == 0) continue;
      terms.emplace_back(steps_[i], of_node * step(parts_[i]) * overhead(parts_[i]));
      // A rack that is begun is a rack.
      const double with_pool =
          of_node * static_cast<double>(plan_.spare_nodes) + (cap.name == "racks" ? 1 - of_node : 0);
      terms.emplace_back(used_[i], with_pool);
    }
    program_.add_row(-IntegerProgram::kNone, amount * (1 + 1e-9), std::move(terms));
  }

  const PlanSpec& plan_;
  const std::vector<MixPart>& parts_;
  const MixQuestion& question_;
  IntegerProgram program_;
  std::vector<std::size_t> steps_, used_;
  std::map<std::string, std::size_t> ported_;
};

double amount_of(const Mix& mix, const MixQuestion& question, const MixCap& cap) {
  if (cap.name == "budget") return mix.purchase;
  if (cap.name == "power") return mix.watts;
  if (cap.name == "racks") return static_cast<double>(mix.racks);
  double chips = 0;
  for (const MixPool& pool : mix.pools)
    if (cap.name == chips_name(question.plan->candidates[pool.part->candidate]))
      chips += static_cast<double>(pool.bought * pool.part->sized->option.node_chips);
  return chips;
}

}  // namespace

std::vector<MixCap> caps_of(const PlanSpec& plan) {
  std::vector<MixCap> caps;
  if (plan.caps.budget > 0) caps.push_back({"budget", "RMB", plan.caps.budget});
  if (plan.caps.watts > 0) caps.push_back({"power", "W", plan.caps.watts});
  if (plan.caps.racks > 0) caps.push_back({"racks", "racks", static_cast<double>(plan.caps.racks)});
  for (const PlanCandidate& candidate : plan.candidates)
    if (candidate.most_chips > 0)
      caps.push_back({chips_name(candidate), "chips", static_cast<double>(candidate.most_chips)});
  return caps;
}

std::optional<Mix> cheapest_mix(const MixQuestion& question) {
  return MixProgram(question, "").solve();
}

std::optional<double> least_cap(const MixQuestion& question, const MixCap& cap) {
  const std::optional<Mix> mix = MixProgram(question, cap.name).solve();
  if (!mix) return std::nullopt;
  return amount_of(*mix, question, cap);
}

}  // namespace silicast
