// The cheapest mix of nodes against enumeration of all of them, with every cap, spares, racks and ports.
#include "sim/study/plan/mix.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "sim/base/random.hpp"
#include "sim/study/plan/availability.hpp"
#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

constexpr std::size_t kParts = 3;

// Three kinds of node for one service, or two of them for it and the third for another.
struct Case {
  PlanSpec plan;
  std::array<SizedOption, kParts> sized;
  std::vector<MixPart> parts;
  MixQuestion question;
};

PlanService service() {
  return {"s", {}, {}, {}, {}, ConfigValue::of({})};
}

void fill(Case& one, RandomStream& random) {
  const bool two = random.below(2) == 0;
  for (int s = 0; s < (two ? 2 : 1); ++s) one.plan.services.push_back(service());
  one.plan.spare_nodes = static_cast<std::int64_t>(random.below(2));
  if (random.below(3) == 0) one.plan.availability = {0.999, 0.02, 1};
  for (std::size_t i = 0; i < kParts; ++i) {
    PlanCandidate candidate;
    candidate.node = fmt::format("n{}", i);
    if (random.below(3) == 0) candidate.most_chips = 8 * (1 + static_cast<std::int64_t>(random.below(6)));
    one.plan.candidates.push_back(candidate);
  }
  for (std::size_t i = 0; i < kParts; ++i) {
    one.sized[i].nodes = 1 + static_cast<std::int64_t>(random.below(4));
    one.sized[i].option.node_chips = 8;
    MixPart part;
    part.service = two && i == 2 ? 1 : 0, part.candidate = i, part.sized = &one.sized[i];
    part.cost = {1 + random.uniform(), 1 + random.uniform(), random.below(2) == 0 ? 0.0 : random.uniform(),
                 5 + 10 * random.uniform()};
    part.stack = fmt::format("s{}", random.below(2));
    part.porting = fmt::format("{}/m{}", part.stack, part.service);
    // Whoever ports the same model to the same stack pays the same.
    for (const MixPart& other : one.parts)
      if (other.porting == part.porting) part.cost.porting_per_hour = other.cost.porting_per_hour;
    part.requests_per_node = 0.5 + random.uniform();
    one.parts.push_back(part);
  }
  if (random.below(2) == 0) one.plan.caps.budget = 2 + 10 * random.uniform();
  if (random.below(2) == 0) one.plan.caps.watts = 20 + 80 * random.uniform();
  if (random.below(2) == 0)
    one.plan.caps.racks = 1 + static_cast<std::int64_t>(random.below(4)),
    one.plan.caps.rack_watts = 10 + 20 * random.uniform();
  one.question.plan = &one.plan, one.question.parts = &one.parts;
  for (std::size_t s = 0; s < one.plan.services.size(); ++s) one.question.demand.push_back(0.2 + 4 * random.uniform());
}

// Cost of so many nodes of each part; infinity where they break a cap or serve too little.
double cost_of(const Case& one, const std::array<std::int64_t, kParts>& needed) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  std::vector<double> served(one.plan.services.size(), 0);
  double cost = 0, purchase = 0, watts = 0;
  std::int64_t racks = 0;
  std::map<std::string, double> ports;
  for (std::size_t i = 0; i < kParts; ++i) {
    if (needed[i] == 0) continue;
    const MixPart& part = one.parts[i];
    const std::int64_t bought = nodes_to_buy(needed[i], one.plan.spare_nodes, one.plan.availability);
    const auto nodes = static_cast<double>(bought);
    served[part.service] += static_cast<double>(needed[i]) * part.requests_per_node;
    cost += nodes * part.cost.per_hour, purchase += nodes * part.cost.purchase, watts += nodes * part.cost.watts;
    ports[part.porting] = part.cost.porting_per_hour;
    const std::int64_t most = one.plan.candidates[i].most_chips;
    if (most > 0 && 8 * bought > most) return kNever;
    if (one.plan.caps.racks == 0) continue;
    const auto in_rack = static_cast<std::int64_t>(one.plan.caps.rack_watts / part.cost.watts);
    if (in_rack == 0) return kNever;
    racks += (bought + in_rack - 1) / in_rack;
  }
  for (std::size_t s = 0; s < served.size(); ++s)
    if (served[s] < one.question.demand[s]) return kNever;
  const PlanCaps& caps = one.plan.caps;
  if ((caps.budget > 0 && purchase > caps.budget) || (caps.watts > 0 && watts > caps.watts) ||
      (caps.racks > 0 && racks > caps.racks))
    return kNever;
  for (const auto& port : ports) cost += port.second;
  return cost;
}

TEST_CASE("the cheapest mix is that of enumeration in 300 random cases, and keeps every cap") {
  RandomStream random(21, "mixes");
  int found = 0;
  for (int i = 0; i < 300; ++i) {
    Case one;
    fill(one, random);
    double best = std::numeric_limits<double>::infinity();
    for (std::int64_t a = 0; a < 10; ++a)
      for (std::int64_t b = 0; b < 10; ++b)
        for (std::int64_t c = 0; c < 10; ++c) best = std::min(best, cost_of(one, {a, b, c}));
    const std::optional<Mix> mix = cheapest_mix(one.question);
    INFO("case " << i);
    REQUIRE(mix.has_value() == std::isfinite(best));
    if (!mix) continue;
    ++found;
    CHECK(mix->per_hour == Approx(best));
    std::array<std::int64_t, kParts> needed{};
    for (const MixPool& pool : mix->pools) needed[pool.part->candidate] = pool.needed;
    CHECK(cost_of(one, needed) == Approx(best));
  }
  CHECK(found > 60);
}

TEST_CASE("a pool of thousands of nodes is bought in 256ths of what the load takes, never less") {
  Case one;
  one.plan.services.push_back(service());
  one.plan.candidates.resize(1);
  one.sized[0].nodes = 5000;
  MixPart part;
  part.sized = &one.sized[0], part.cost = {1, 1, 0, 1}, part.requests_per_node = 1;
  one.parts = {part};
  one.question = {&one.plan, &one.parts, {5000.5}, {}};
  const std::optional<Mix> mix = cheapest_mix(one.question);
  REQUIRE(mix);
  CHECK(mix->pools[0].needed == 5001);
}

}  // namespace
}  // namespace silicast::testing
