// Each length distribution against its own formula: goodness of fit, mean, clamping, and pinned first draws.
#include <catch2/catch.hpp>
#include <chrono>

#include "workload_test_support.hpp"
#include "workloads/length_distribution.hpp"
#include "workloads/limits.hpp"
#include "workloads/workload_scope.hpp"

namespace silicast {
namespace {

std::unique_ptr<LengthDistribution> lengths_of(const std::string& yaml, const std::string& base_dir = ".") {
  const WorkloadContext context = context_of(base_dir);
  return make_lengths(ConfigValue::from_text(yaml, "w.yaml"), WorkloadScope{context, "workload", "", 0});
}

std::vector<double> draws_of(const LengthDistribution& lengths, int count, std::string_view name = "test") {
  RandomStream stream(7, name);
  std::vector<double> draws;
  for (int i = 0; i < count; ++i) draws.push_back(lengths.draw(stream));
  return draws;
}

std::string error_of(const std::string& yaml, const std::string& base_dir = ".") {
  return message_of([&] { lengths_of(yaml, base_dir); }, base_dir == "." ? "" : base_dir);
}

// Chi-square of draws over whole-number bins, given P(X < edge) of the distribution before rounding to whole
// tokens.
double fit_of(const std::vector<double>& draws, const std::vector<double>& edges,
              const std::function<double(double)>& below) {
  std::vector<double> counts(edges.size() + 1), expected;
  for (const double draw : draws)
    ++counts[static_cast<std::size_t>(std::upper_bound(edges.begin(), edges.end(), draw) - edges.begin())];
  double last = 0;
  for (const double edge : edges) {
    expected.push_back((below(edge) - last) * static_cast<double>(draws.size()));
    last = below(edge);
  }
  expected.push_back((1 - last) * static_cast<double>(draws.size()));
  return chi_square_deviate(counts, expected);
}

const std::vector<double> kEdges = {100, 200, 300, 450, 600, 800, 1000, 1300, 1700, 2200, 3000, 5000};

double lognormal_below(double edge, double mu, double sigma) {
  return normal_cdf_of((std::log(edge - 0.5) - mu) / sigma);
}

TEST_CASE("fixed lengths are always the same") {
  const auto lengths = lengths_of("{distribution: fixed, tokens: 128}");
  for (const double draw : draws_of(*lengths, 10)) CHECK(draw == 128);
  CHECK(lengths->mean() == 128);
}

TEST_CASE("lognormal lengths by mean and cv fit the lognormal of that mean and cv") {
  const auto draws = draws_of(*lengths_of("{distribution: lognormal, mean: 1000, cv: 1.0}"), 200000);
  const double sigma = std::sqrt(std::log(2.0)), mu = std::log(1000.0) - std::log(2.0) / 2;
  CHECK(fit_of(draws, kEdges, [&](double edge) { return lognormal_below(edge, mu, sigma); }) < kDeviateLimit);
  CHECK(moments_of(draws).mean == Approx(1000).epsilon(0.01));
  CHECK(moments_of(draws).cv == Approx(1).epsilon(0.03));
}

TEST_CASE("lognormal lengths by mean and p50 fit the lognormal of that mean and median") {
  const auto draws = draws_of(*lengths_of("{distribution: lognormal, mean: 1155, p50: 1020}"), 200000);
  const double sigma = std::sqrt(2 * std::log(1155.0 / 1020));
  CHECK(fit_of(draws, kEdges, [&](double edge) { return lognormal_below(edge, std::log(1020.0), sigma); }) <
        kDeviateLimit);
  CHECK(moments_of(draws).mean == Approx(1155).epsilon(0.01));
}

TEST_CASE("lognormal lengths by median and sigma fit the lognormal of those") {
  const auto draws = draws_of(*lengths_of("{distribution: lognormal, median: 500, sigma: 0.8}"), 200000);
  CHECK(fit_of(draws, kEdges, [&](double edge) { return lognormal_below(edge, std::log(500.0), 0.8); }) <
        kDeviateLimit);
}

TEST_CASE("the fit test would notice a lognormal of another shape") {
  const auto draws = draws_of(*lengths_of("{distribution: lognormal, median: 500, sigma: 0.82}"), 200000);
  CHECK(fit_of(draws, kEdges, [&](double edge) { return lognormal_below(edge, std::log(500.0), 0.8); }) >
        kDeviateLimit);
}

TEST_CASE("clamped lengths stay within their bounds and know their mean") {
  for (const char* kind : {"lognormal, mean: 1000, cv: 1.0", "geometric, mean: 1000"}) {
    INFO(kind);
    const auto lengths = lengths_of("{distribution: " + std::string(kind) + ", min: 300, max: 1500}");
    const auto draws = draws_of(*lengths, 400000);
    CHECK(*std::min_element(draws.begin(), draws.end()) == 300);
    CHECK(*std::max_element(draws.begin(), draws.end()) == 1500);
    CHECK(moments_of(draws).mean == Approx(lengths->mean()).epsilon(0.003));
  }
}

TEST_CASE("unclamped lengths know their mean") {
  CHECK(lengths_of("{distribution: lognormal, mean: 1000, cv: 1.0}")->mean() == Approx(1000).epsilon(1e-6));
  CHECK(lengths_of("{distribution: lognormal, mean: 700, cv: 0}")->mean() == Approx(700));
  CHECK(lengths_of("{distribution: geometric, mean: 200}")->mean() == Approx(200).epsilon(1e-9));
  CHECK(lengths_of("{distribution: geometric, mean: 1}")->mean() == 1);
}

TEST_CASE("geometric lengths fit the geometric distribution") {
  const auto draws = draws_of(*lengths_of("{distribution: geometric, mean: 20}"), 200000);
  std::vector<double> edges;
  for (double edge = 2; edge <= 60; ++edge) edges.push_back(edge);
  CHECK(fit_of(draws, edges, [](double edge) { return 1 - std::pow(0.95, edge - 1); }) < kDeviateLimit);
  CHECK(moments_of(draws).mean == Approx(20).epsilon(0.01));
}

TEST_CASE("a histogram of values draws each with its weight and no other") {
  const auto lengths = lengths_of("{distribution: histogram, values: [7, 100, 3], weights: [1, 0, 3]}");
  double sevens = 0;
  for (const double draw : draws_of(*lengths, 100000)) {
    if (draw != 7 && draw != 3) FAIL("drew " << draw);
    sevens += draw == 7;
  }
  CHECK(sevens / 100000 == Approx(0.25).margin(0.006));
  CHECK(lengths->mean() == 4);
}

TEST_CASE("a histogram of edges is uniform over the whole numbers of a bin, its end left out") {
  const auto lengths = lengths_of("{distribution: histogram, edges: [1, 4, 6, 16], weights: [30, 20, 50]}");
  std::vector<double> counts(15), expected(15);
  for (const double draw : draws_of(*lengths, 300000)) {
    REQUIRE((draw >= 1 && draw <= 15));
    ++counts[static_cast<std::size_t>(draw) - 1];
  }
  for (std::size_t i = 0; i < 15; ++i) expected[i] = i < 3 ? 30000 : i < 5 ? 30000 : 15000;
  CHECK(chi_square_deviate(counts, expected) < kDeviateLimit);
  CHECK(lengths->mean() == Approx(0.3 * 2 + 0.2 * 4.5 + 0.5 * 10.5));
}

TEST_CASE("a histogram from a file draws as the same one inline does") {
  TestFolder folder;
  folder.write("h.csv", "from,to,weight\n1,4,30\n4,6,20\n6,16,50\n");
  folder.write("v.csv", "value,weight\n7,1\n100,0\n3,3\n");
  CHECK(draws_of(*lengths_of("{distribution: histogram, file: h.csv}", folder.path()), 100) ==
        draws_of(*lengths_of("{distribution: histogram, edges: [1, 4, 6, 16], weights: [30, 20, 50]}"), 100));
  CHECK(draws_of(*lengths_of("{distribution: histogram, file: v.csv}", folder.path()), 100) ==
        draws_of(*lengths_of("{distribution: histogram, values: [7, 100, 3], weights: [1, 0, 3]}"), 100));
}

TEST_CASE("the first draws of each length distribution are pinned") {
  const auto first = [](const std::string& yaml) { return draws_of(*lengths_of(yaml), 4); };
  CHECK(first("{distribution: lognormal, mean: 1000, cv: 1.0}") == std::vector<double>{1185, 835, 567, 2723});
  CHECK(first("{distribution: geometric, mean: 200}") == std::vector<double>{520, 45, 525, 203});
  CHECK(first("{distribution: histogram, edges: [1, 4, 6, 16], weights: [30, 20, 50]}") ==
        std::vector<double>{14, 2, 14, 8});
}

TEST_CASE("two million lognormal draws are a fraction of a second") {
  const auto lengths = lengths_of("{distribution: lognormal, mean: 1000, cv: 1.0, max: 8000}");
  RandomStream stream(7, "test");
  double best = 1e9;
  std::int64_t sum = 0;
  for (int round = 0; round < 5; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 400000; ++i) sum += lengths->draw(stream);
    best = std::min(
        best, std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / 400000);
  }
  INFO(best << " ns a draw, sum " << sum);
  CHECK(best < 1000);  // 25 ns in a release build; the bound is for sanitizers and busy machines
}

TEST_CASE("a broken length is told exactly") {
  CHECK(error_of("{distribution: lognorml, mean: 3}") ==
        "w.yaml:1:16: distribution: unknown length distribution 'lognorml'; did you mean 'lognormal'? "
        "(known: fixed, lognormal, geometric, histogram)");
  CHECK(error_of("{tokens: 3}") == "w.yaml:1:1: missing key 'distribution'");
  CHECK(error_of("{distribution: fixed, tokens: 0}") ==
        "w.yaml:1:31: tokens: '0' must be a whole number from 1 to 100000000");
  CHECK(error_of("{distribution: fixed, token: 5}") == "w.yaml:1:1: missing key 'tokens'; is it the key 'token'?");
  CHECK(error_of("{distribution: fixed, tokens: 5, max: 6}") ==
        "w.yaml:1:34: max: unknown key (known: distribution, tokens)");
  const std::string two =
      "w.yaml:1:1: a lognormal length needs two of its keys: mean and cv, or mean and p50, or median and "
      "sigma";
  CHECK(error_of("{distribution: lognormal, mean: 3}") == two);
  CHECK(error_of("{distribution: lognormal, mean: 3, sigma: 1}") == two);
  CHECK(error_of("{distribution: lognormal, mean: 3, cv: 1, p50: 2}") == two);
  CHECK(error_of("{distribution: lognormal, mean: 3, p50: 4}") ==
        "w.yaml:1:41: p50: 4 is over the mean 3; a lognormal's median is not");
  CHECK(error_of("{distribution: lognormal, mean: nan, cv: 1}") == "w.yaml:1:33: mean: 'nan' is not a finite number");
  CHECK(error_of("{distribution: lognormal, mean: 3, cv: -1}") ==
        "w.yaml:1:40: cv: '-1' must be at least 0 and at most 100");
  CHECK(error_of("{distribution: lognormal, mean: 3, cv: 1, min: 9, max: 8}") == "w.yaml:1:56: max: 8 is below min 9");
  CHECK(error_of("{distribution: geometric, mean: 0.5}") ==
        "w.yaml:1:33: mean: '0.5' must be at least 1 and at most 1e+08");
}

TEST_CASE("a broken histogram is told exactly") {
  CHECK(error_of("{distribution: histogram}") == "w.yaml:1:1: a histogram needs one of values, edges and file");
  CHECK(error_of("{distribution: histogram, values: [1]}") == "w.yaml:1:1: missing key 'weights'");
  CHECK(error_of("{distribution: histogram, values: [1, 2], weights: [1]}") ==
        "w.yaml:1:52: weights: 1 weights for 2 values");
  CHECK(error_of("{distribution: histogram, edges: [1, 2, 3], weights: [1]}") ==
        "w.yaml:1:54: weights: 1 weights for 2 bins (one less than the edges)");
  CHECK(error_of("{distribution: histogram, edges: [1, 3, 3], weights: [1, 1]}") ==
        "w.yaml:1:34: edges: edges must rise; 3 comes behind 3");
  CHECK(error_of("{distribution: histogram, edges: [1], weights: []}") ==
        "w.yaml:1:34: edges: at least two edges are due");
  CHECK(error_of("{distribution: histogram, values: [1, 2], weights: [0, 0]}") ==
        "w.yaml:1:52: weights: no weight is over zero");
  CHECK(error_of("{distribution: histogram, values: [1, 2], weights: [1, -2]}") ==
        "w.yaml:1:56: weights[1]: '-2' must be at least 0 and at most 1e+15");
  CHECK(error_of("{distribution: histogram, values: [0, 2], weights: [1, 2]}") ==
        "w.yaml:1:36: values[0]: '0' must be a whole number from 1 to 100000000");
  CHECK(error_of("{distribution: histogram, file: h.csv, weights: [1]}") ==
        "w.yaml:1:49: weights: stands in the file already");
  TestFolder folder;
  folder.write("h.csv", "from,to,weight\n1,4,30\n6,6,20\n");
  CHECK(error_of("{distribution: histogram, file: h.csv}", folder.path()) == "DIR/h.csv:3:3: to: 6 is not over from 6");
  folder.write("h.csv", "value,weight\n1,x\n");
  CHECK(error_of("{distribution: histogram, file: h.csv}", folder.path()) ==
        "DIR/h.csv:2:3: weight: 'x' is not a number from 0 to 1e+15");
  folder.write("h.csv", "value,weigth\n1,1\n");
  CHECK(error_of("{distribution: histogram, file: h.csv}", folder.path()) ==
        "DIR/h.csv:1: no column 'weight' in the header; did you mean 'weigth'? (known: value, weigth)");
}

}  // namespace
}  // namespace silicast
