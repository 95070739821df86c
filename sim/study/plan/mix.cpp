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
constexpr double kMostSteps = 1e6;  // of a pool

std::string chips_name(const PlanCandidate& candidate) {
  return "chips of " + candidate.node;
}

// One size that a pool may have, as the program buys it whole: with its spares, its racks, all that caps count.
struct PoolSize {
  std::size_t part = 0;
  std::int64_t needed = 0, bought = 0, racks = 0;
};

class MixProgram {
 public:
  // `minimise`: the name of a cap, or empty for the cost.
  MixProgram(const MixQuestion& question, const std::string& minimise)
      : plan_(*question.plan), parts_(*question.parts), question_(question), minimise_(minimise) {
    for (std::size_t i = 0; i < parts_.size(); ++i) add_sizes(i);
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      std::vector<std::pair<std::size_t, double>> one;
      for (std::size_t c = 0; c < sizes_.size(); ++c)
        if (sizes_[c].part == i) one.emplace_back(c, 1);
      if (!one.empty()) program_.add_row(-IntegerProgram::kNone, 1, std::move(one));
    }
    add_porting();
    served_ = demand_rows();
    for (const MixCap& cap : caps_of(plan_)) cap_row(cap);
  }

  std::optional<Mix> solve() const {
    if (!served_) return std::nullopt;
    const auto x = program_.solve();
    if (!x) return std::nullopt;
    Mix mix;
    std::set<std::string> ported;
    for (std::size_t c = 0; c < sizes_.size(); ++c) {
      if ((*x)[c] == 0) continue;
      const PoolSize& size = sizes_[c];
      const MixPart& part = parts_[size.part];
      mix.pools.push_back({&part, size.needed, size.bought});
      mix.per_hour += static_cast<double>(size.bought) * part.cost.per_hour;
      mix.purchase += static_cast<double>(size.bought) * part.cost.purchase;
      mix.watts += static_cast<double>(size.bought) * part.cost.watts;
      mix.racks += size.racks;
      if (ported.insert(part.porting).second) mix.per_hour += part.cost.porting_per_hour;
    }
    return mix;
  }

 private:
  // From one step to what carries the whole load; in so many sizes at most, or the program gets slow.
  static constexpr std::int64_t kMostSizes = 256;

  void add_sizes(std::size_t i) {
    const MixPart& part = parts_[i];
    const std::int64_t step = part.sized->option.nodes_per_step, in_rack = per_rack(part);
    if (plan_.caps.racks > 0 && in_rack == 0) return;
    const double steps =
        std::ceil(question_.demand[part.service] / (part.requests_per_node * static_cast<double>(step)));
    if (!(steps >= 1 && steps <= kMostSteps)) return;
    const std::int64_t most = static_cast<std::int64_t>(steps), sizes = std::min(most, kMostSizes);
    for (std::int64_t k = 1; k <= sizes; ++k) {
      PoolSize size{i, (k * most + sizes - 1) / sizes * step, 0, 0};
      size.bought = nodes_to_buy(size.needed, plan_.spare_nodes, plan_.availability);
      if (plan_.caps.racks > 0) size.racks = (size.bought + in_rack - 1) / in_rack;
      sizes_.push_back(size);
      program_.add_integer(
          minimise_.empty() ? static_cast<double>(size.bought) * part.cost.per_hour : taken(size, minimise_), 1);
    }
  }

  // Paid once for all pools of a model on a stack.
  void add_porting() {
    std::map<std::string, std::size_t> ported;
    for (std::size_t c = 0; c < sizes_.size(); ++c) {
      const MixPart& part = parts_[sizes_[c].part];
      if (!(part.cost.porting_per_hour > 0) || !minimise_.empty()) continue;
      auto found = ported.find(part.porting);
      if (found == ported.end())
        found = ported.emplace(part.porting, program_.add_integer(part.cost.porting_per_hour, 1)).first;
      program_.add_row(-IntegerProgram::kNone, 0, {{c, 1}, {found->second, -1}});
    }
  }

  // False where nothing at all serves one of the services.
  bool demand_rows() {
    for (std::size_t s = 0; s < question_.demand.size(); ++s) {
      std::vector<std::pair<std::size_t, double>> terms;
      for (std::size_t c = 0; c < sizes_.size(); ++c) {
        const MixPart& part = parts_[sizes_[c].part];
        if (part.service == s) terms.emplace_back(c, static_cast<double>(sizes_[c].needed) * part.requests_per_node);
      }
      if (terms.empty()) return false;
      program_.add_row(question_.demand[s] * (1 - 1e-12), IntegerProgram::kNone, std::move(terms));
    }
    return true;
  }

  void cap_row(const MixCap& cap) {
    const auto moved = question_.caps.find(cap.name);
    const double amount = moved != question_.caps.end() ? moved->second : cap.amount;
    if (amount == kLifted || cap.name == minimise_) return;
    std::vector<std::pair<std::size_t, double>> terms;
    for (std::size_t c = 0; c < sizes_.size(); ++c)
      if (const double of_size = taken(sizes_[c], cap.name); of_size > 0) terms.emplace_back(c, of_size);
    if (!terms.empty()) program_.add_row(-IntegerProgram::kNone, amount * (1 + 1e-9), std::move(terms));
  }

  // Of a cap.
  double taken(const PoolSize& size, const std::string& cap) const {
    const MixPart& part = parts_[size.part];
    const auto bought = static_cast<double>(size.bought);
    if (cap == "budget") return bought * part.cost.purchase;
    if (cap == "power") return bought * part.cost.watts;
    if (cap == "racks") return static_cast<double>(size.racks);
    return cap == chips_name(plan_.candidates[part.candidate]) ? bought * part.sized->option.node_chips : 0;
  }

  std::int64_t per_rack(const MixPart& part) const {
    return static_cast<std::int64_t>(plan_.caps.rack_watts / std::max(part.cost.watts, 1.0));
  }

  const PlanSpec& plan_;
  const std::vector<MixPart>& parts_;
  const MixQuestion& question_;
  const std::string minimise_;
  IntegerProgram program_;
  std::vector<PoolSize> sizes_;  // by column of the program
  bool served_ = false;
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
