// Capacity against scans of our own with other seeds, and its edges: loads that nothing meets, that everything meets.
#include "sim/study/capacity/capacity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "sim/base/random.hpp"
#include "sim/report/intervals.hpp"
#include "sim/study/parallel_for.hpp"
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
double scanned(const Load& load, double least_good, std::uint64_t seed, double from, double to, double step) {
  double last = from;
  for (double rate = from; rate < to; rate *= step) {
    if (!judge(load.at(rate, seed), least_good).met) break;
    last = rate;
  }
  return last * std::sqrt(step);
}

struct Scanned {
  double mean = 0, half = 0;  // half: of its 95% interval
};
Scanned scan_of_seeds(const CapacityQuestion& question, const CapacityAnswer& answer, std::uint64_t first) {
  constexpr int kSeeds = 30;
  const Load load(question.scenario, read_scenario(question.scenario, question.path, {kConfigs, {}}));
  const double spread = *std::max_element(answer.each.begin(), answer.each.end()) -
                        *std::min_element(answer.each.begin(), answer.each.end());
  std::vector<double> found(kSeeds);
  parallel_for(found.size(), 2, [&](std::size_t k) {
    found[k] = scanned(load, question.least_good, first + k, std::max(0.5 * answer.load, answer.load - 2 * spread),
                       answer.load + 2 * spread, 1.03);
  });
  const double mean = std::accumulate(found.begin(), found.end(), 0.0) / kSeeds;
  double squares = 0;
  for (const double one : found) squares += (one - mean) * (one - mean);
  return {mean, student_t975(kSeeds - 1) * std::sqrt(squares / (kSeeds - 1) / kSeeds)};
}

// A scan of 30 seeds is known better than a search of ten, but not exactly: its interval counts too.
TEST_CASE("capacity agrees with a scan of 30 other seeds, both within their intervals, in 38 of 40 random cases") {
  RandomStream random(5, "capacity cases");
  int agree = 0;
  for (int i = 0; i < 40; ++i) {
    const int prompt = 100 + static_cast<int>(random.below(900)), output = 20 + static_cast<int>(random.below(150));
    const std::string targets = random.below(2) == 0 ? fmt::format("{{tpot_p95: {} ms}}", 15 + random.below(15))
                                                     : fmt::format("{{ttft_p95: {} ms}}", 250 + random.below(1500));
    const CapacityQuestion question =
        question_of(text_of(targets, open_loop(400, prompt, output), fmt::format("seed: {}\n", 1000 * i)));
    const CapacityAnswer answer = find_capacity(question);
    REQUIRE(answer.kind == CapacityAnswer::Kind::kFound);
    const Scanned scan = scan_of_seeds(question, answer, static_cast<std::uint64_t>(1000 * i + 500));
    agree += std::abs(scan.mean - answer.load) <= std::hypot(answer.high - answer.load, scan.half);
  }
  CHECK(agree >= 38);
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

TEST_CASE("a loop that ends by its duration has the capacity of one that ends by its requests") {
  const auto clients = [](const std::string& end) {
    CapacityQuestion question =
        question_of(text_of("{tpot_p99: 20 ms}",
                            fmt::format("{{closed_loop: {{concurrency: 4, {}}}, prompt: {{distribution: fixed, tokens: "
                                        "500}}, output: {{distribution: fixed, tokens: 50}}}}",
                                        end)));
    question.replications = 2;
    return find_capacity(question).load;
  };
  CHECK(clients("duration: 60 s") == Approx(clients("requests: 3000")).epsilon(0.1));
}

TEST_CASE("limits of single requests count beside percentiles") {
  const auto load = [](const std::string& targets) {
    CapacityQuestion question = question_of(text_of(targets, open_loop(400, 500, 100)));
    question.replications = 2;
    return find_capacity(question).load;
  };
  CHECK(load("{tpot_p99: 25 ms, ttft: 1 ms}") == 0);
  CHECK(load("{tpot_p99: 25 ms, ttft: 100 s}") == load("{tpot_p99: 25 ms}"));
}

TEST_CASE("a load that nothing limits is unlimited, whatever the scenario's own speed") {
  const std::string work = open_loop(20, 100, 20);
  CapacityQuestion question =
      question_of(text_of("{tpot_p99: 100 s}", work.substr(0, work.size() - 1) + ", speed: 500}"));
  question.replications = 1;
  CHECK(find_capacity(question).kind == CapacityAnswer::Kind::kUnlimited);
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
