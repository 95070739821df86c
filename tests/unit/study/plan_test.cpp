// Plans against exhaustive search, the integer program against enumeration, availability by hand.
#include <fmt/format.h>

#include <cmath>

#include "sim/base/random.hpp"
#include "sim/study/plan/availability.hpp"
#include "sim/study/plan/integer_program.hpp"
#include "sim/study/plan/plan_report.hpp"
#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

using Catch::Matchers::Contains;

constexpr const char* kCandidates =
    "candidates:\n"
    "  - {node: hgx-h20-96, layouts: [{tensor: 1}, {tensor: 4}], limits: [{}, {max_sequences: 512, max_batched_tokens: "
    "512}]}\n"
    "  - {node: atlas-850-950dt-96, engine: vllm, layouts: [{tensor: 1}, {tensor: 2}], limits: [{}]}\n";

std::string plan_text_of(const std::string& targets, double rate, int prompt, int output, const std::string& keys = "",
                         int requests = 300) {
  return fmt::format(
      "name: p\nmodel: llama-3.1-8b\ntargets: {}\nworkload: {{arrivals: {{process: poisson, rate: {} /s, requests: "
      "{}}}, "
      "prompt: {{distribution: lognormal, mean: {}, cv: 1, max: 4000}}, output: {{distribution: lognormal, mean: {}, "
      "cv: "
      "1, max: 1000}}}}\n{}prices: china-2026\n{}",
      targets, rate, requests, prompt, output, kCandidates, keys);
}

PlanSpec plan_of(const TempFolder& folder, const std::string& text) {
  return read_plan(write(folder, "p.yaml", text), kConfigs, {});
}

PlanOptions here() {
  PlanOptions options;
  options.configs_dir = kConfigs;
  return options;
}

std::string json_of(const PlanSpec& plan, const PlanAnswer& answer) {
  JsonText json;
  json.open('{');
  put_plan(json, plan, answer, kConfigs);
  json.close('}');
  return json.take();
}

std::string refused(const std::string& text) {
  const TempFolder folder;
  try {
    plan_of(folder, text);
  } catch (const InputError& error) {
    const std::string message = error.what(), root = folder / "";
    return message.starts_with(root) ? message.substr(root.size()) : message;
  }
  return "no error";
}

// Nodes of an option by trying one after the other; 0: not with so many.
std::int64_t exhaustive(const PlanSpec& plan, const PlanOption& option, std::int64_t most) {
  for (std::int64_t nodes = 1; nodes <= most; ++nodes) {
    const Scenario scenario = read_scenario(scenario_of(plan, option, nodes), plan.path, {kConfigs, {}});
    if (verdict_of(simulate(scenario, {}).summary, plan.least_good).met) return nodes;
  }
  return 0;
}

TEST_CASE("a plan finds the optimum of exhaustive search in 20 small cases") {
  RandomStream random(9, "plan cases");
  int found = 0;
  for (int i = 0; i < 20; ++i) {
    const TempFolder folder;
    const std::string targets =
        fmt::format("{{tpot_p95: {} ms, ttft_p95: {} ms}}", 14 + random.below(30), 200 + random.below(1500));
    const PlanSpec plan = plan_of(
        folder, plan_text_of(targets, 20 + static_cast<double>(random.below(120)),
                             200 + static_cast<int>(random.below(1200)), 20 + static_cast<int>(random.below(100))));
    const PlanAnswer answer = solve_plan(plan, here());
    for (const PlanCandidate& candidate : plan.candidates) {
      std::int64_t fewest = 0;
      for (const SizedOption& one : answer.ledger) {
        if (one.option.candidate != &candidate) continue;
        const std::int64_t nodes = exhaustive(plan, one.option, 12);
        if (nodes > 0 && (fewest == 0 || nodes < fewest)) fewest = nodes;
      }
      const auto best = std::find_if(answer.services[0].best.begin(), answer.services[0].best.end(),
                                     [&](const SizedOption* one) { return one->option.candidate == &candidate; });
      INFO("case " << i << " " << candidate.node << " " << targets);
      CHECK((best == answer.services[0].best.end() ? 0 : (*best)->nodes) == fewest);
    }
    found += answer.mix.has_value();
    if (!answer.mix) continue;
    // Without caps one kind of node is the cheapest; porting makes two stacks dearer still.
    REQUIRE(answer.mix->pools.size() == 1);
    CHECK(answer.mix->pools[0].part->sized == answer.services[0].best[0]);
    CHECK(answer.mix->pools[0].needed == answer.services[0].best[0]->nodes);
    CHECK(answer.services[0].verified);
  }
  CHECK(found >= 10);
}

TEST_CASE("the roofline's bound never exceeds the nodes that are needed") {
  RandomStream random(10, "bounds");
  for (int i = 0; i < 10; ++i) {
    const TempFolder folder;
    const PlanSpec plan = plan_of(
        folder, plan_text_of("{tpot_p99: 60 ms}", 50 + static_cast<double>(random.below(400)),
                             100 + static_cast<int>(random.below(2000)), 20 + static_cast<int>(random.below(200))));
    const PlanAnswer answer = solve_plan(plan, here());
    for (const SizedOption& one : answer.ledger)
      if (one.status == OptionStatus::kCompliant) CHECK(one.least_nodes <= one.nodes);
  }
}

TEST_CASE("a cap that a single kind of node cannot keep makes a mix, and lifting it saves what its shadow price says") {
  const TempFolder folder;
  const std::string text = plan_text_of("{tpot_p99: 50 ms, ttft_p99: 2 s}", 300, 1000, 150, "", 3000);
  const PlanSpec uncapped = plan_of(folder, text);
  const PlanAnswer free = solve_plan(uncapped, here());
  REQUIRE(free.mix);
  const PlanCandidate& winner = *free.mix->pools[0].part->sized->option.candidate;
  REQUIRE(free.mix->pools[0].needed > 1);
  std::string capped = text;
  const std::string node = "node: " + winner.node;
  capped.replace(capped.find(node), node.size(),
                 fmt::format("{}, most_chips: {}", node, 8 * (free.mix->pools[0].needed - 1)));
  const PlanSpec plan = plan_of(folder, capped);
  const PlanAnswer answer = solve_plan(plan, here());
  REQUIRE(answer.mix);
  CHECK(answer.mix->per_hour > free.mix->per_hour);
  std::int64_t chips = 0;
  for (const MixPool& pool : answer.mix->pools)
    if (plan.candidates[pool.part->candidate].node == winner.node) chips += 8 * pool.bought;
  CHECK(chips <= 8 * (free.mix->pools[0].needed - 1));
  CHECK(answer.services[0].verified);
  bool priced = false;
  for (const ShadowPrice& one : answer.shadow_prices)
    if (one.change == "lifted") {
      priced = true;
      CHECK(one.per_hour == Approx(answer.mix->per_hour - free.mix->per_hour).epsilon(0.02));
    }
  CHECK(priced);
}

TEST_CASE("caps that nothing keeps are an answer: which, and how much would be needed") {
  const TempFolder folder;
  const std::string caps = "caps: {budget: 100000 RMB}\n";
  const PlanSpec plan = plan_of(folder, plan_text_of("{tpot_p99: 50 ms}", 40, 500, 100, caps));
  const PlanAnswer answer = solve_plan(plan, here());
  CHECK_FALSE(answer.mix);
  REQUIRE(answer.no_mix.size() == 1);
  CHECK_THAT(answer.no_mix[0], Contains("budget: 100000 RMB allowed, ") && Contains("needed"));
}

TEST_CASE("targets that nothing meets are an answer: which, and by how much") {
  const TempFolder folder;
  const PlanSpec plan = plan_of(folder, plan_text_of("{tpot_p50: 1 ms}", 5, 500, 100));
  const PlanAnswer answer = solve_plan(plan, here());
  CHECK_FALSE(answer.mix);
  REQUIRE(answer.no_mix.size() == 1);
  CHECK_THAT(answer.no_mix[0], Contains("no option meets the targets; the nearest is ") && Contains("tpot_p50 of "));
  for (const SizedOption& one : answer.ledger) CHECK(one.status == OptionStatus::kExceeds);
}

TEST_CASE("a replica that spans nodes is sized where no smaller option is known") {
  const TempFolder folder;
  std::string text = plan_text_of("{tpot_p99: 90 ms}", 1, 500, 50);
  text.replace(text.find("llama-3.1-8b"), 12, "deepseek-v3");
  text.replace(text.find(kCandidates), std::string(kCandidates).size(),
               "candidates: [{node: hgx-h100, engine: sglang-ep, layouts: [{tensor: 8, data: 2, expert: 16}], limits: "
               "[{}]}]\n");
  const PlanSpec plan = plan_of(folder, text);
  const PlanAnswer answer = solve_plan(plan, here());
  REQUIRE(answer.ledger.size() == 1);
  INFO(answer.ledger[0].reason);
  CHECK(answer.ledger[0].status == OptionStatus::kCompliant);
  CHECK(answer.ledger[0].nodes == 2);
}

TEST_CASE("threads change nothing") {
  const TempFolder folder;
  const PlanSpec plan = plan_of(folder, plan_text_of("{tpot_p99: 40 ms}", 60, 500, 100));
  PlanOptions options = here();
  const std::string alone = json_of(plan, solve_plan(plan, options));
  options.threads = 3;
  CHECK(json_of(plan, solve_plan(plan, options)) == alone);
}

TEST_CASE("options that do not fit or are not supported are in the ledger with their reason") {
  const TempFolder folder;
  std::string text = plan_text_of("{tpot_p99: 50 ms}", 1, 500, 100);
  text.replace(text.find("llama-3.1-8b"), 12, "llama-3.1-405b");
  text.replace(text.find("{tensor: 4}"), 11, "{tensor: 3}");
  const PlanSpec plan = plan_of(folder, text);
  const PlanAnswer answer = solve_plan(plan, here());
  CHECK(answer.ledger[0].status == OptionStatus::kDoesNotFit);
  CHECK_THAT(answer.ledger[0].reason, Contains("too little memory on a chip"));
  CHECK(answer.ledger[2].status == OptionStatus::kUnsupported);
  CHECK_THAT(answer.ledger[2].reason, Contains("tensor 3 does not divide"));
  CHECK_THAT(answer.no_mix.at(0), Contains("no option fits or is supported"));
}

TEST_CASE("the integer program agrees with enumeration") {
  RandomStream random(3, "programs");
  for (int i = 0; i < 60; ++i) {
    double cost[3], use[3], gain[3];
    for (int k = 0; k < 3; ++k)
      cost[k] = 1 + random.uniform(), use[k] = 1 + 4 * random.uniform(), gain[k] = 0.5 + 3 * random.uniform();
    const double demand = 10 * random.uniform(), cap = 12 * random.uniform();
    IntegerProgram program;
    for (const double one : cost) program.add_integer(one);
    program.add_row(demand, IntegerProgram::kNone, {{0, gain[0]}, {1, gain[1]}, {2, gain[2]}});
    program.add_row(-IntegerProgram::kNone, cap, {{0, use[0]}, {1, use[1]}, {2, use[2]}});
    double best = std::numeric_limits<double>::infinity();
    for (int a = 0; a < 13; ++a)
      for (int b = 0; b < 13; ++b)
        for (int c = 0; c < 13; ++c)
          if (a * gain[0] + b * gain[1] + c * gain[2] >= demand && a * use[0] + b * use[1] + c * use[2] <= cap)
            best = std::min(best, a * cost[0] + b * cost[1] + c * cost[2]);
    const auto x = program.solve();
    REQUIRE(x.has_value() == std::isfinite(best));
    if (x) CHECK((*x)[0] * cost[0] + (*x)[1] * cost[1] + (*x)[2] * cost[2] == Approx(best));
  }
}

TEST_CASE("availability by hand") {
  PlanAvailability availability;
  availability.failures_per_node_day = 0.1, availability.repair_days = 1;
  const double up = 1 / 1.1;
  CHECK(share_of_time_up(1, 1, availability) == Approx(up));
  CHECK(share_of_time_up(1, 2, availability) == Approx(1 - (1 - up) * (1 - up)));
  CHECK(share_of_time_up(2, 3, availability) == Approx(up * up * up + 3 * up * up * (1 - up)));
  CHECK(share_of_time_up(3, 2, availability) == 0);
  CHECK(nodes_to_buy(2, 1, availability) == 3);  // no share asked
  availability.share = 0.99;
  CHECK(nodes_to_buy(1, 0, availability) == 2);  // 0.909, 0.9917
  CHECK(nodes_to_buy(1, 4, availability) == 5);  // spares count
}

TEST_CASE("growth buys nodes in steps that carry the load of their month") {
  const TempFolder folder;
  const PlanSpec plan = plan_of(
      folder, plan_text_of("{tpot_p99: 50 ms}", 100, 1000, 150, "growth: {per_month: 0.1, months: 12}\n", 1500));
  const PlanAnswer answer = solve_plan(plan, here());
  REQUIRE(answer.growth.size() > 2);
  for (std::size_t i = 1; i < answer.growth.size(); ++i) {
    CHECK(answer.growth[i].month > answer.growth[i - 1].month);
    CHECK(answer.growth[i].load == Approx(std::pow(1.1, static_cast<double>(answer.growth[i].month))));
    REQUIRE(answer.growth[i].mix);
    CHECK(answer.growth[i].mix->pools[0].bought > answer.growth[i - 1].mix->pools[0].bought);
  }
}

TEST_CASE("plans say what is wrong with them") {
  const std::string good = plan_text_of("{tpot_p99: 50 ms}", 1, 500, 100);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  CHECK_THAT(refused(with("hgx-h20-96", "hgx-h20-97")),
             Contains("candidates[0].node: unknown node 'hgx-h20-97'; did you mean"));
  CHECK_THAT(refused(with("prices:", "price:")), Contains("missing key 'prices'; is it the key 'price'?"));
  CHECK_THAT(refused(good + "caps: {budgets: 5 RMB}\n"), Contains("caps.budgets: unknown key; did you mean 'budget'?"));
  CHECK_THAT(refused(good + "caps: {power: 1 MW, racks: {count: 2, power: 40 kW}}\n"),
             Contains("the power cap can never bind"));
  CHECK_THAT(refused(good + "caps: {power: 5}\n"), Contains("needs a unit"));
  CHECK_THAT(refused(good + "growth: {per_month: 2, months: 3}\n"), Contains("growth.per_month"));
  CHECK_THAT(refused(good + "availability: {share: 1, failures_per_node_day: 0.1, repair: 1 h}\n"),
             Contains("availability.share"));
  CHECK_THAT(refused(good + "availability: {share: 0.9, failures_per_node_day: 2, repair: 2 d}\n"),
             Contains("down more than half of the time"));
  CHECK_THAT(refused(good + "basis: rent\ncaps: {budget: 1 RMB}\n"), Contains("nothing is bought"));
  CHECK_THAT(refused(with("{tensor: 4}", "{tensr: 4}")), Contains("layouts[1].tensr: unknown key"));
  CHECK_THAT(refused(with("[{tensor: 1}, {tensor: 4}]", "[]")), Contains("layouts: is empty"));
  CHECK_THAT(refused(with("atlas-850-950dt-96", "hgx-h20-96")), Contains("two candidates are of node hgx-h20-96"));
  CHECK_THAT(refused(with("hgx-h20-96", "./mine.yaml")), Contains("candidates[0].node: './mine.yaml' is a file"));
  CHECK_THAT(refused(with("name: p", "name: a/b")), Contains("name: 'a/b' names files"));
  CHECK_THAT(refused(with("{tpot_p99: 50 ms}", "{}")), Contains("targets: is empty"));
  CHECK_THAT(refused(with("process: poisson", "process: poison")), Contains("workload.arrivals.process: unknown"));
  CHECK_THAT(refused(good + "services: []\n"), Contains("services: is empty"));
  CHECK_THAT(refused(good + "basis: lease\n"), Contains("basis: unknown"));
}

}  // namespace
}  // namespace silicast::testing
