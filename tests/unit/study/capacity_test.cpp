// Capacity against scans of our own with other seeds, and its edges: loads that nothing meets, that everything meets.
#include "sim/study/capacity/capacity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "sim/base/random.hpp"
#include "sim/report/intervals.hpp"
#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

using Catch::Matchers::Contains;

std::string text_of(const std::string& targets, const std::string& workload, const std::string& keys = "") {
  return fmt::format(
      "name: s\nmodel: llama-3.1-8b\nworkload: {}\ntargets: {}\nwarmup: none\n{}"
      "cluster: {{pools: [{{name: main, node: hgx-h20-96, replicas: 2, engine: {{base: vllm, max_sequences: "
      "32}}}}]}}\n",
      workload, targets, keys);
}

std::string open_loop(int requests, int prompt, int output) {
  return fmt::format(
      "{{arrivals: {{process: poisson, rate: 4 /s, requests: {}}}, prompt: {{distribution: lognormal, mean: {}, cv: 1, "
      "max: 4000}}, output: {{distribution: lognormal, mean: {}, cv: 1, max: 1000}}}}",
      requests, prompt, output);
}

CapacityQuestion question_of(const std::string& text) {
  CapacityQuestion question;
  question.scenario = parse_config(text, "s.yaml");
  question.path = "s.yaml", question.configs_dir = kConfigs;
  return question;
}

// The highest rate of a grid below which every rate meets the targets with this seed, halfway to the next.
double scanned(const CapacityQuestion& question, std::uint64_t seed, double from, double to, double step) {
  ConfigNode tree = question.scenario;
  set_config(tree, "seed", fmt::format("{}", seed), "scan");
  const Load load = Load::of(tree, read_scenario(tree, "s.yaml", {kConfigs, {}}));
  double last = from;
  for (double rate = from; rate < to; rate *= step) {
    const Scenario scenario = read_scenario(load.at(rate), "s.yaml", {kConfigs, {}});
    if (!verdict_of(simulate(scenario, {}).summary, question.least_good).met) break;
    last = rate;
  }
  return last * std::sqrt(step);
}

// Both are means over ten seeds, so their difference is as uncertain as both together.
TEST_CASE("capacity agrees with a scan of other seeds, both within their intervals, in 36 of 40 random cases") {
  RandomStream random(5, "capacity cases");
  int inside = 0;
  for (int i = 0; i < 40; ++i) {
    const int prompt = 100 + static_cast<int>(random.below(900)), output = 20 + static_cast<int>(random.below(150));
    const std::string targets = random.below(2) == 0 ? fmt::format("{{tpot_p95: {} ms}}", 15 + random.below(15))
                                                     : fmt::format("{{ttft_p95: {} ms}}", 250 + random.below(1500));
    CapacityQuestion question =
        question_of(text_of(targets, open_loop(400, prompt, output), fmt::format("seed: {}\n", 100 * i)));
    const CapacityAnswer answer = find_capacity(question);
    REQUIRE(answer.kind == CapacityAnswer::Kind::kFound);
    constexpr int kSeeds = 10;
    double sum = 0, squares = 0;
    for (int k = 0; k < kSeeds; ++k) {
      const double one =
          scanned(question, static_cast<std::uint64_t>(100 * i + 50 + k), 0.8 * answer.load, 1.5 * answer.load, 1.025);
      sum += one, squares += one * one;
    }
    const double scan = sum / kSeeds, spread = std::sqrt((squares - kSeeds * scan * scan) / (kSeeds - 1) / kSeeds);
    inside += std::abs(scan - answer.load) <= std::hypot(answer.high - answer.load, student_t975(kSeeds - 1) * spread);
  }
  CHECK(inside >= 36);
}

TEST_CASE("a search ends at loads on either side of the limit") {
  CapacityQuestion question = question_of(text_of("{tpot_p99: 25 ms}", open_loop(1000, 500, 100)));
  question.replications = 1;
  const CapacityAnswer answer = find_capacity(question);
  REQUIRE(answer.kind == CapacityAnswer::Kind::kFound);
  CHECK(answer.at.met);
  CHECK_FALSE(answer.beyond.met);
  CHECK(answer.beyond.target == "tpot_p99");
  CHECK(answer.high / answer.low <= 1.01 + 1e-9);
}

TEST_CASE("targets that nothing meets are named with how far they are") {
  const CapacityAnswer answer = find_capacity(question_of(text_of("{tpot_p50: 1 ms}", open_loop(300, 500, 100))));
  CHECK(answer.kind == CapacityAnswer::Kind::kNone);
  CHECK(answer.load == 0);
  CHECK(answer.at.target == "tpot_p50");
  CHECK(answer.at.excess > 3);
}

TEST_CASE("clients of a closed loop are counted in whole ones") {
  CapacityQuestion question =
      question_of(text_of("{tpot_p99: 20 ms}",
                          "{closed_loop: {concurrency: 4, requests: 100}, prompt: {distribution: fixed, tokens: "
                          "500}, output: {distribution: fixed, tokens: 50}}"));
  const CapacityAnswer answer = find_capacity(question);
  REQUIRE(answer.kind == CapacityAnswer::Kind::kFound);
  CHECK(answer.unit == "clients");
  for (const double one : answer.each) CHECK(one == std::round(one));
  CHECK(answer.at.met);
}

TEST_CASE("looser targets never lower the capacity, and threads change nothing") {
  double before = 0;
  for (const int limit : {18, 22, 30}) {
    CapacityQuestion question =
        question_of(text_of(fmt::format("{{tpot_p95: {} ms}}", limit), open_loop(600, 400, 80)));
    question.replications = 4;
    const CapacityAnswer one = find_capacity(question);
    question.threads = 3;
    CHECK(find_capacity(question).each == one.each);
    CHECK(one.load >= before);
    before = one.load;
  }
}

TEST_CASE("a scenario without targets has no capacity") {
  CHECK_THROWS_WITH(find_capacity(question_of(text_of("{}", open_loop(10, 10, 10)))), Contains("targets: missing"));
}

TEST_CASE("a run that cannot meet its targets any more is stopped, with the verdict of the whole run") {
  for (const double rate : {1.0, 3.0, 200.0}) {
    const std::string workload = fmt::format(
        "{{arrivals: {{process: poisson, rate: {} /s, requests: 2000}}, prompt: {{distribution: fixed, tokens: "
        "1000}}, output: {{distribution: fixed, tokens: 100}}}}",
        rate);
    const Scenario scenario =
        read_scenario(parse_config(text_of("{ttft_p99: 400 ms}", workload), "s.yaml"), "s.yaml", {kConfigs, {}});
    CHECK(judge(scenario, 0.99).met == verdict_of(simulate(scenario, {}).summary, 0.99).met);
    if (rate == 200.0) CHECK(judge(scenario, 0.99).stopped);
  }
}

}  // namespace
}  // namespace silicast::testing
