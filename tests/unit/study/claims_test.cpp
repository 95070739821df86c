// Claims: cells against a plain simulation and against each other, verdicts by hand, files that say what is wrong.
#include "sim/study/claims/claims.hpp"

#include <set>

#include "sim/perf/breakdown.hpp"
#include "sim/run/scenario.hpp"
#include "sim/study/claims/claim_report.hpp"
#include "study_for_tests.hpp"

namespace silicast::testing {
namespace {

using Catch::Matchers::Contains;

const ClaimSystem kH20{"H20", "hgx-h20-96", "vllm", {}, {}}, k950{"950", "atlas-850-950pr", "vllm-ascend", {}, {}};

ClaimWorkload decode(std::int64_t sequences, std::int64_t context) {
  ClaimWorkload workload;
  workload.name = "decode";
  workload.model = "llama-3.1-8b";
  workload.points = {{"", sequences, context}};
  return workload;
}

ClaimWorkload serve(std::int64_t prompt, std::int64_t output, std::int64_t clients) {
  ClaimWorkload workload = decode(clients, 0);
  workload.name = "serve";
  workload.kind = ClaimWorkload::Kind::kServe;
  workload.prompt = prompt, workload.output = output;
  return workload;
}

Claim claim_of(const ClaimSystem& system, const ClaimSystem& against, const ClaimWorkload& workload) {
  Claim claim;
  claim.name = "one", claim.statement = "so", claim.by = "us";
  claim.low = 1.5, claim.high = 2.5;
  claim.systems = {system}, claim.against = {against};
  claim.precisions = {{"8bit", "8bit", "8bit"}};
  claim.workloads = {workload};
  return claim;
}

ClaimCell cell_of(const Claim& claim) {
  const std::vector<ClaimResult> results = run_claims({claim}, {kConfigs, {}, 1});
  REQUIRE(results.size() == 1);
  REQUIRE(results[0].cells.size() == 1);
  CHECK(results[0].cells[0].impossible == "");
  return results[0].cells[0];
}

TEST_CASE("a verdict is about the whole range") {
  Claim claim;
  claim.low = 1.5, claim.high = 2.5;
  CHECK(judge(claim, 1.5, 2.5) == Verdict::kHolds);
  CHECK(judge(claim, 1.49, 2) == Verdict::kDepends);
  CHECK(judge(claim, 2, 2.51) == Verdict::kDepends);
  CHECK(judge(claim, 1, 3) == Verdict::kDepends);
  CHECK(judge(claim, 0.5, 1.49) == Verdict::kFails);
  CHECK(judge(claim, 2.51, 4) == Verdict::kFails);
}

TEST_CASE("a chip against itself is one, and maturity makes the range") {
  const ClaimCell cell = cell_of(claim_of(k950, k950, decode(4, 2048)));
  CHECK(cell.ratio == 1);
  CHECK(cell.untuned == 1);
  CHECK(cell.tuned == 1);
  CHECK(cell.low < 1);
  CHECK(cell.high == Approx(1 / cell.low));
  CHECK(cell.verdict == Verdict::kDepends);
  CHECK_FALSE(cell.typically);
}

TEST_CASE("a stated maturity leaves no range") {
  ClaimSystem tuned = k950, untuned = k950;
  tuned.maturity = 1, untuned.maturity = 0;
  const ClaimCell cell = cell_of(claim_of(tuned, untuned, decode(1, 2048)));
  CHECK(cell.low == cell.ratio);
  CHECK(cell.high == cell.ratio);
  CHECK(cell.ratio > 1.2);
}

TEST_CASE("a decode pass is what explain prices, per chip") {
  const ClaimCell cell = cell_of(claim_of(kH20, k950, decode(8, 4096)));
  const Scenario scenario = read_scenario(
      parse_config("name: s\nmodel: llama-3.1-8b\nworkload: {closed_loop: {concurrency: 1, requests: 1}, prompt: "
                   "{distribution: fixed, tokens: 8}, output: {distribution: fixed, tokens: 8}}\n"
                   "cluster: {pools: [{name: main, node: hgx-h20-96, precision: 8bit, engine: vllm}]}\n",
                   "s"),
      "s", {kConfigs, {}});
  const Breakdown parts = breakdown(scenario.pools[0].replica, {.decode_sequences = 8, .kv_length = 4096});
  CHECK(cell.a.seconds == parts.total.value());
  CHECK(cell.a.tokens_per_second == Approx(8 / parts.total.value()));
  CHECK(cell.ratio == cell.a.tokens_per_second / cell.b.tokens_per_second);
  double bounds = 0;
  for (const double share : cell.a.bounds) bounds += share;
  CHECK(bounds == Approx(1));
}

TEST_CASE("the KV cache decides how many sequences fit") {
  const ClaimCell full = cell_of(claim_of(kH20, k950, decode(0, 32768)));
  CHECK(full.a.sequences > 8);
  CHECK(full.b.sequences > full.a.sequences);  // 128 GB against 96
  Claim over = claim_of(kH20, k950, decode(full.a.sequences + 1, 32768));
  const std::vector<ClaimResult> results = run_claims({over}, {kConfigs, {}, 1});
  CHECK(results[0].cells[0].verdict == Verdict::kImpossible);
  CHECK_THAT(results[0].cells[0].impossible, Contains("H20: the KV cache holds"));
}

TEST_CASE("serving fills whole nodes and tends to its decode pass where prompts are short") {
  const ClaimCell served = cell_of(claim_of(kH20, k950, serve(1, 2048, 16)));
  const ClaimCell pass = cell_of(claim_of(kH20, k950, decode(16, 1025)));
  CHECK(served.a.tokens_per_second == Approx(pass.a.tokens_per_second).epsilon(0.02));
  CHECK(served.ratio == Approx(pass.ratio).epsilon(0.02));
  // The chips decode nearly all of the time.
  CHECK(served.a.joules_per_token == Approx(pass.a.joules_per_token).epsilon(0.03));
}

TEST_CASE("joules are watts over tokens") {
  Claim claim = claim_of(k950, kH20, decode(8, 4096));
  const ClaimCell speed = cell_of(claim);
  claim.metric = ClaimMetric::kJoulesPerToken;
  const ClaimCell energy = cell_of(claim);
  // 600 W x 1.8 against 400 W x 2.0.
  CHECK(energy.ratio == Approx(600 * 1.8 / (400 * 2.0) / speed.ratio));
  CHECK(energy.low <= energy.ratio);
  CHECK(energy.high >= energy.ratio);
  CHECK(energy.a.joules_per_token * energy.a.tokens_per_second == Approx(600 * 0.65 * 1.8 * 1.2));
}

TEST_CASE("a figure can be claimed by itself") {
  Claim claim = claim_of(kH20, kH20, decode(1, 1024));
  claim.against.clear();
  claim.metric = ClaimMetric::kShareOfPeak;
  claim.low = 0, claim.high = 1;
  const ClaimCell cell = cell_of(claim);
  CHECK(cell.ratio == cell.a.share_of_peak);
  CHECK(cell.a.share_of_peak == Approx(2 * 8.03e9 * cell.a.tokens_per_second / 296e12).epsilon(0.08));
  CHECK(cell.verdict == Verdict::kHolds);
}

TEST_CASE("what a side cannot run is told, not judged") {
  Claim claim = claim_of(k950, kH20, decode(1, 1024));
  claim.precisions[0].against = "{weights: mxfp4, activations: mxfp4, kv: fp8}";
  const std::vector<ClaimResult> results = run_claims({claim}, {kConfigs, {}, 1});
  CHECK(results[0].cells[0].verdict == Verdict::kImpossible);
  CHECK_THAT(results[0].cells[0].impossible, Contains("cannot compute with mxfp4 activations"));
}

TEST_CASE("a summary says of each system where the claim is true") {
  ClaimResult result;
  result.claim = claim_of(k950, kH20, decode(1, 1));
  const auto add = [&](const char* workload, const char* point, double low, double ratio, double high) {
    ClaimCell cell;
    cell.system = "950", cell.against = "H20", cell.workload = workload, cell.point = point, cell.precision = "8bit";
    cell.low = low, cell.ratio = ratio, cell.high = high;
    cell.verdict = judge(result.claim, low, high);
    cell.typically = judge(result.claim, ratio, ratio) == Verdict::kHolds;
    cell.a.tokens_per_second = cell.b.tokens_per_second = 1;
    cell.a.bounds = {0.2, 0.8, 0, 0}, cell.b.bounds = {ratio > 2 ? 0.9 : 0.1, 0.5, 0, 0};
    result.cells.push_back(cell);
  };
  add("D", "b 1", 0.3, 0.4, 0.5);
  add("D", "b 8", 1.6, 2.1, 2.4);
  add("P", "", 1.2, 1.8, 2.0);
  add("M", "", 0.9, 1.2, 1.6);
  const ClaimSummary summary = summarise(result);
  CHECK(summary.true_where == "950: D* in part 2.10, P 1.80");
  CHECK(summary.not_where == "950: D* in part 0.40, M 1.20");
  CHECK(summary.impossible == "");
  CHECK(summary.why == "memory against compute: D mostly; memory on both: P, M");
  const auto word = [&](std::initializer_list<std::size_t> which) {
    std::vector<const ClaimCell*> cells;
    for (const std::size_t i : which) cells.push_back(&result.cells[i]);
    return matrix_cell(cells);
  };
  CHECK(word({0}) == "0.40 fails");
  CHECK(word({1}) == "2.10 holds");
  CHECK(word({0, 1}) == "0.40-2.10 partly");
  CHECK(word({1, 2}) == "1.80-2.10 typically");
  CHECK(word({0, 3}) == "0.40-1.20 rarely");
  CHECK(word({}) == "");
}

TEST_CASE("systems that are true on the same workloads stand together") {
  ClaimResult result;
  for (const char* system : {"a", "b", "c"}) {
    ClaimCell cell;
    cell.system = system, cell.workload = system == std::string("c") ? "Q" : "P";
    cell.ratio = system == std::string("a") ? 1.6 : 2, cell.typically = true, cell.verdict = Verdict::kDepends;
    result.cells.push_back(cell);
  }
  CHECK(summarise(result).true_where == "a, b: P 1.60-2.00; c: Q 2.00");
}

TEST_CASE("the claims that ship load, and every workload of theirs is used") {
  const std::vector<Claim> claims = read_claims(kConfigs);
  CHECK(claims.size() >= 9);
  std::set<std::string> used;
  for (const Claim& claim : claims)
    for (const ClaimWorkload& workload : claim.workloads) used.insert(workload.name);
  const auto all =
      read_claim_workloads(ConfigValue::from_file(kConfigs + "/validation/claims/workloads.yaml"), kConfigs);
  for (const auto& [name, workload] : all) CHECK(used.count(name) == 1);
}

TEST_CASE("Huawei's 2.87 is a ratio of peaks with the vector units on one side") {
  ClaimOptions options{kConfigs, {"c1b"}, 1};
  const std::vector<ClaimResult> results = run_claims(choose_claims(options), options);
  for (const ClaimCell& cell : results[0].cells) {
    const bool vector = cell.workload == "BF16 peak with vector units";
    CHECK((cell.verdict == Verdict::kHolds) == vector);
    if (vector) CHECK(cell.ratio == Approx(425.0 / 148).epsilon(1e-3));
  }
}

}  // namespace
}  // namespace silicast::testing
