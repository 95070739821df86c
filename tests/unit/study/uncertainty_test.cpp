// Draws of the catalogue's ranges: the distribution by hand, where numbers are found, what a plan makes of them.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "sim/io/config_catalogue.hpp"
#include "sim/study/uncertainty/drawn_catalogue.hpp"
#include "sim/study/uncertainty/plan_uncertainty.hpp"
#include "study_for_tests.hpp"
#include "topology/chip_spec.hpp"

namespace silicast::testing {
namespace {

TEST_CASE("a triangular draw has its quantiles") {
  const Unknown one{"x", "", {}, 1, 2, 5, "", false};
  CHECK(one.at(0) == Approx(1));
  CHECK(one.at(0.25) == Approx(2));  // a quarter of the area lies below the peak
  CHECK(one.at(1) == Approx(5));
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) sum += one.at((i + 0.5) / 10'000);
  CHECK(sum / 10'000 == Approx(8.0 / 3).epsilon(1e-4));  // mean of a triangle: (a + b + c) / 3
  const Unknown at_end{"x", "", {}, 1, 1, 5, "", false};
  CHECK(at_end.at(0) == Approx(1));
  CHECK(at_end.at(0.75) == Approx(3));
}

TEST_CASE("unknowns are the evidence whose range is wider than a point") {
  const ConfigNode tree = parse_config(
      "a: {value: 4 TB/s, range: [3 TB/s, 5000 GB/s], grade: estimate, source: x}\n"
      "b: {value: 2, range: [2, 2], grade: estimate, source: x}\n"
      "chips: {h: {p: {value: 5 RMB, range: [4 RMB, 6 RMB], grade: estimate, source: x}}, i: {p: {value: 5 RMB, range: "
      "[4 "
      "RMB, 6 RMB], grade: estimate, source: x}}}\n",
      "f.yaml");
  const std::vector<Unknown> found = unknowns_of(tree, "chips/f.yaml", {{"chips", {"h"}}});
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "chips/f a");
  CHECK(found[0].low == Approx(3e12));
  CHECK(found[0].high == Approx(5e12));
  CHECK(found[1].path == std::vector<std::string>{"chips", "h", "p"});
}

TEST_CASE("a drawn catalogue has the drawn number and all others as they were") {
  Unknown tdp{"chips/h20-96 tdp", "chips/h20-96.yaml", {"tdp"}, 400, 400, 500, "W", false};
  std::string path;
  {
    const DrawnCatalogue drawn(kConfigs, {{&tdp, 450}});
    path = drawn.path();
    const ChipSpec chip = read_chip(load_entry(drawn.path(), "chips", "h20-96"));
    const ChipSpec before = read_chip(load_entry(kConfigs, "chips", "h20-96"));
    CHECK(chip.tdp.value == 450);
    CHECK(chip.tdp.low == 450);
    CHECK(chip.memory_bandwidth.value == before.memory_bandwidth.value);
    CHECK(read_chip(load_entry(drawn.path(), "chips", "h200")).tdp.value ==
          read_chip(load_entry(kConfigs, "chips", "h200")).tdp.value);
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a plan's draws are the same at any number of threads, and cover what they are drawn from") {
  const TempFolder folder;
  const PlanSpec plan = read_plan(
      write(folder, "p.yaml",
            "name: p\nmodel: llama-3.1-8b\ntargets: {tpot_p99: 50 ms}\nworkload: {arrivals: {process: poisson, rate: "
            "40 /s, "
            "requests: 300}, prompt: {distribution: fixed, tokens: 500}, output: {distribution: fixed, tokens: 100}}\n"
            "candidates:\n  - {node: hgx-h20-96, layouts: [{tensor: 1}], limits: [{}]}\n"
            "  - {node: atlas-850-950dt-96, engine: vllm, layouts: [{tensor: 1}], limits: [{}]}\nprices: china-2026\n"),
      kConfigs, {});
  PlanOptions options;
  options.configs_dir = kConfigs;
  const PlanAnswer answer = solve_plan(plan, options);
  REQUIRE(answer.parts.size() == 2);
  UncertaintyOptions draws{kConfigs, 8, 1};
  const PlanUncertainty alone = draw_plan(plan, answer, draws);
  draws.threads = 3, draws.tornado = false;
  const PlanUncertainty three = draw_plan(plan, answer, draws);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(alone.options[i].per_million == three.options[i].per_million);
    CHECK(alone.options[i].all_hold >= 0);
    CHECK(alone.options[i].all_hold <= 1);
    CHECK(*std::min_element(alone.options[i].per_hour.begin(), alone.options[i].per_hour.end()) <
          *std::max_element(alone.options[i].per_hour.begin(), alone.options[i].per_hour.end()));
  }
  CHECK(beats(alone.options[0], alone.options[1]) + beats(alone.options[1], alone.options[0]) == Approx(1));
  // A dearer chip never makes tokens cheaper.
  for (const TornadoBar& bar : alone.tornado[0])
    if (bar.name.find("purchase") != std::string::npos) CHECK(bar.at_high >= bar.at_low - 1e-9);
}

}  // namespace
}  // namespace silicast::testing
