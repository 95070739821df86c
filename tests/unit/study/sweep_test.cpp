// Points of a sweep: which there are, in which order, how they are drawn, by which key a result is known again.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "sweep_for_tests.hpp"

namespace silicast::testing {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

const std::string kTwoAxes =
    "axes:\n"
    "  - {key: cluster.pools.0.replicas, name: a, values: [1, 2, 3]}\n"
    "  - {key: workload.arrivals.requests, name: b, values: [10, 20]}\n";

TEST_CASE("the last axis of a grid goes fastest, replications faster still") {
  CHECK(lines_of(sweep_of(kTwoAxes)) == Texts{"a=1 b=10", "a=1 b=20", "a=2 b=10", "a=2 b=20", "a=3 b=10", "a=3 b=20"});
  std::vector<std::pair<int, int>> numbers;
  for (const SweepPoint& point : sweep_points(sweep_of(kTwoAxes + "replications: 2\n")))
    numbers.emplace_back(point.point, point.replication);
  CHECK(numbers == std::vector<std::pair<int, int>>{
                       {0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 0}, {2, 1}, {3, 0}, {3, 1}, {4, 0}, {4, 1}, {5, 0}, {5, 1}});
}

TEST_CASE("a point is dropped where all conditions of one entry hold, and has no number") {
  const SweepSpec spec = sweep_of(kTwoAxes + "drop: [{a: 1, b: 10}, {a: [2, 3], b: 20}]\n");
  CHECK(lines_of(spec) == Texts{"a=1 b=20", "a=2 b=10", "a=3 b=10"});
  CHECK(sweep_points(spec).back().point == 2);
}

TEST_CASE("above and below drop what lies outside, never the limit itself") {
  CHECK(lines_of(sweep_of(kTwoAxes + "drop: [{a: {above: 2}}, {b: {below: 20}}]\n")) == Texts{"a=1 b=20", "a=2 b=20"});
  CHECK(lines_of(sweep_of(kTwoAxes + "drop: [{a: {above: 2, below: 2}}, {b: 10}]\n")) == Texts{"a=2 b=20"});
}

TEST_CASE("a product is of the numbers of its axes") {
  CHECK(lines_of(sweep_of(kTwoAxes + "drop: [{product: {of: [a, b], above: 30}}]\n")) ==
        Texts{"a=1 b=10", "a=1 b=20", "a=2 b=10", "a=3 b=10"});
  CHECK(lines_of(sweep_of(kTwoAxes + "drop: [{product: {of: [a, b], below: 30}, a: 2}]\n")) ==
        Texts{"a=1 b=10", "a=1 b=20", "a=2 b=20", "a=3 b=10", "a=3 b=20"});
}

TEST_CASE("a point sets its keys in the scenario and nothing else") {
  const std::string scenario = kSmallScenario + "seed: 3\n";
  const SweepSpec spec = sweep_of(kTwoAxes, scenario);
  const ConfigNode tree = scenario_of(spec, sweep_points(spec)[5]);
  std::string expected = to_yaml(parse_config(scenario, "small.yaml"));
  const auto replace = [&](const std::string& old, const std::string& with) {
    REQUIRE(expected.find(old) != std::string::npos);
    expected.replace(expected.find(old), old.size(), with);
  };
  replace("replicas: 2", "replicas: 3");
  REQUIRE(tree.at({"workload", "arrivals", "requests"}) != nullptr);
  CHECK(tree.at({"workload", "arrivals", "requests"})->scalar == "20");
  CHECK(to_yaml(tree) == expected);
}

TEST_CASE("where a result goes is no part of a point") {
  const SweepSpec spec = sweep_of(kTwoAxes, kSmallScenario + "output: {file: a.h5}\n");
  CHECK(scenario_of(spec, sweep_points(spec)[0]).find("output") == nullptr);
}

const std::string kSampled =
    "axes:\n"
    "  - {key: x, name: even, linear: [0, 1]}\n"
    "  - {key: y, name: ratio, log: [1, 1024]}\n"
    "  - {key: z, name: list, values: [p, q, r, s]}\n";

double share_of(const AxisValue& value, std::size_t axis) {
  return axis == 0 ? value.number() : std::log2(value.number()) / 10;
}

TEST_CASE("a Latin hypercube has one point in each of as many equal parts of each axis as there are points") {
  for (const int seed : {1, 2, 3}) {
    const std::vector<SweepPoint> points = sweep_points(
        sweep_of(kSampled + "sample: {method: latin_hypercube, points: 40, seed: " + std::to_string(seed) + "}\n"));
    REQUIRE(points.size() == 40);
    for (const std::size_t axis : {0, 1}) {
      std::set<int> parts;
      for (const SweepPoint& point : points) parts.insert(static_cast<int>(share_of(point.values[axis], axis) * 40));
      CHECK(parts.size() == 40);
    }
    std::map<std::string, int> counts;
    for (const SweepPoint& point : points) ++counts[point.values[2].label];
    CHECK((counts == std::map<std::string, int>{{"p", 10}, {"q", 10}, {"r", 10}, {"s", 10}}));
  }
}

TEST_CASE("the axes of a sample are drawn apart from each other") {
  for (const std::string method : {"random", "latin_hypercube"}) {
    double both = 0, points = 0;
    for (const SweepPoint& point :
         sweep_points(sweep_of(kSampled + "sample: {method: " + method + ", points: 1000}\n")))
      both += (share_of(point.values[0], 0) - 0.5) * (share_of(point.values[1], 1) - 0.5), ++points;
    CHECK(std::abs(both / points * 12) < 0.1);  // a correlation; 0.03 is one standard deviation
  }
}

TEST_CASE("random points lie all over the axis") {
  std::vector<int> counts(4);
  for (const SweepPoint& point : sweep_points(sweep_of(kSampled + "sample: {method: random, points: 1000}\n")))
    ++counts[static_cast<std::size_t>(point.values[0].number() * 4)];
  for (const int count : counts) CHECK(std::abs(count - 250) < 60);
}

TEST_CASE("a sample is the same every time, and another for another seed") {
  for (const std::string method : {"random", "latin_hypercube"}) {
    const auto lines = [&](const std::string& seed) {
      return lines_of(sweep_of(kSampled + "sample: {method: " + method + ", points: 20" + seed + "}\n"));
    };
    CHECK(lines("") == lines(", seed: 1"));
    CHECK(lines(", seed: 2") == lines(", seed: 2"));
    CHECK(lines(", seed: 1") != lines(", seed: 2"));
  }
}

TEST_CASE("another axis does not move the draws of an axis") {
  for (const std::string method : {"random", "latin_hypercube"}) {
    const std::string sample = "sample: {method: " + method + ", points: 20, seed: 4}\n";
    const std::vector<SweepPoint> three = sweep_points(sweep_of(kSampled + sample));
    const std::vector<SweepPoint> alone =
        sweep_points(sweep_of("axes: [{key: y, name: ratio, log: [1, 1024]}]\n" + sample));
    REQUIRE(three.size() == alone.size());
    for (std::size_t i = 0; i < alone.size(); ++i) CHECK(three[i].values[1].label == alone[i].values[0].label);
  }
}

std::string seed_of(const SweepSpec& spec, const SweepPoint& point) {
  const ConfigNode tree = scenario_of(spec, point);
  const ConfigEntry* seed = tree.find("seed");
  return seed != nullptr ? seed->value.scalar : "none";
}

TEST_CASE("replications add to the scenario's seed, and all points share them") {
  for (const std::string given : {"", "seed: 40\n"}) {
    const SweepSpec spec = sweep_of(kTwoAxes + "replications: 3\n", kSmallScenario + given);
    const int first = given.empty() ? 1 : 40;
    for (const SweepPoint& point : sweep_points(spec))
      CHECK(seed_of(spec, point) == std::to_string(first + point.replication));
  }
}

TEST_CASE("more replications leave the key of the first as it was") {
  for (const std::string given : {"", "seed: 40\n"}) {
    const SweepSpec one = sweep_of(kTwoAxes, kSmallScenario + given);
    const SweepSpec three = sweep_of(kTwoAxes + "replications: 3\n", kSmallScenario + given);
    CHECK(point_key(scenario_of(one, sweep_points(one)[1]), 7) ==
          point_key(scenario_of(three, sweep_points(three)[3]), 7));
  }
}

TEST_CASE("keys are equal for equal scenarios, and no others") {
  const SweepSpec spec = sweep_of(
      "axes:\n"
      "  - {key: cluster.pools.0.replicas, values: [1, 2, 1]}\n"
      "  - {name: c, cases: {as_is: {}, same: {router: least_loaded}, other: {router: two_choices}}}\n");
  std::vector<std::uint64_t> keys;
  for (const SweepPoint& point : sweep_points(spec)) keys.push_back(point_key(scenario_of(spec, point), 7));
  REQUIRE(keys.size() == 9);
  CHECK(keys[0] == keys[1]);  // as_is, same
  CHECK(keys[0] == keys[6]);  // 1 and 1
  CHECK(keys[0] != keys[2]);
  CHECK(keys[0] != keys[3]);
  CHECK(std::set<std::uint64_t>(keys.begin(), keys.end()).size() == 4);
  CHECK(point_key(scenario_of(spec, sweep_points(spec)[0]), 8) != keys[0]);
}

// The signature of a sweep of the scenario below, after `change` of its folder.
std::uint64_t signature_after(const std::function<void(const TempFolder&)>& change) {
  const TempFolder folder;
  write(folder, "configs/chips/a.yaml", "name: a\n");
  write(folder, "trace.csv", "1,2\n");
  write(folder, "case.csv", "1,2\n");
  write(folder, "other.csv", "1,2\n");
  write(folder, "own/loop.yaml", "trace: {file: inner.csv}\n");
  write(folder, "own/inner.csv", "1,2\n");
  const std::string axes = "axes: [{key: workload.trace.file, values: [trace.csv, case.csv]}]\n";
  const SweepSpec spec = sweep_of(folder, axes, "workload: {trace: {file: trace.csv}, preset: own/loop.yaml}\n");
  change(folder);
  return inputs_signature(spec, folder / "configs");
}

TEST_CASE("the signature changes with the catalogue and with every file that the scenario or an axis names") {
  const std::uint64_t before = signature_after([](const TempFolder&) {});
  CHECK(signature_after([](const TempFolder&) {}) == before);
  for (const std::string name :
       {"configs/chips/a.yaml", "configs/chips/b.yaml", "trace.csv", "case.csv", "own/loop.yaml", "own/inner.csv"})
    CHECK(signature_after([&](const TempFolder& folder) { write(folder, name, "name: b\n"); }) != before);
  CHECK(signature_after([](const TempFolder& folder) { write(folder, "other.csv", "9\n"); }) == before);
}

const std::string kAxis = "axes: [{key: a, values: [1, 2]}]\n";
const std::string kRange = "axes: [{key: a, linear: [1, 2]}]\n";

TEST_CASE("a bad sweep is named by file, line, column and key") {
  CHECK(said_of(kAxis) == "no error");
  CHECK(said_of("axes: []\n") == "s.yaml:3:7: axes: is empty; a sweep varies one key at least");
  CHECK(said_of("axes: [{key: a, values: [1]}, {key: b, name: a, values: [2]}]\n") ==
        "s.yaml:3:31: axes[1]: two axes are named 'a'");
  CHECK(said_of(kRange) == "s.yaml:3:7: axes: axis 'a' is a range; a grid needs its points, or give a sample");
  CHECK(said_of(kAxis + "replication: 2\n") ==
        "s.yaml:4:1: replication: unknown key; did you mean 'replications'? (known: axes, drop, name, output, "
        "replications, rows, sample, scenario)");
  CHECK(said_of(kAxis + "replications: 0\n") ==
        "s.yaml:4:15: replications: '0' must be a whole number from 1 to 100000");
  CHECK(said_of(kAxis + "rows: 1\n") == "s.yaml:4:7: rows: '1' must be true or false");
  CHECK(said_of("") == "s.yaml:1:1: missing key 'axes'");
}

TEST_CASE("more runs than can be held are refused, whatever multiplies them") {
  CHECK(said_of("axes:\n"
                "  - {key: a, linear: [0, 1], points: 1000000}\n"
                "  - {key: b, linear: [0, 1], points: 100}\n") ==
        "s.yaml:4:3: axes: the grid has 1e+08 points; at most 1000000 are taken: give a sample");
  CHECK(said_of("axes: [{key: a, linear: [0, 1], points: 1000}]\nreplications: 100000\n") ==
        "s.yaml:4:15: replications: makes 1e+08 runs of 1000 points; at most 1000000 are taken");
  CHECK(said_of(kRange + "sample: {method: random, points: 1000}\nreplications: 100000\n") ==
        "s.yaml:5:15: replications: makes 1e+08 runs of 1000 points; at most 1000000 are taken");
}

TEST_CASE("a bad sample is named by file, line, column and key") {
  CHECK(said_of(kRange + "sample: {method: sobol, points: 3}\n") ==
        "s.yaml:4:18: sample.method: unknown method 'sobol' (known: grid, random, latin_hypercube)");
  CHECK(said_of(kRange + "sample: {method: random}\n") == "s.yaml:4:9: sample: missing key 'points'");
  CHECK(said_of(kRange + "sample: {method: random, points: 0}\n") ==
        "s.yaml:4:34: sample.points: '0' must be a whole number from 1 to 1000000");
  CHECK(said_of(kRange + "sample: {method: random, points: 3, seed: -1}\n") ==
        "s.yaml:4:43: sample.seed: '-1' must be a whole number from 0 to 9007199254740992");
  CHECK(said_of(kAxis + "sample: {method: grid, points: 3}\n") ==
        "s.yaml:4:24: sample.points: unknown key (known: method)");
}

TEST_CASE("a bad drop is named by file, line, column and key") {
  CHECK(said_of(kAxis + "drop: [{a: 3}]\n") == "s.yaml:4:12: drop[0].a: axis 'a' has no value '3'");
  CHECK(said_of(kAxis + "drop: [{a: [1, 3]}]\n") == "s.yaml:4:16: drop[0].a[1]: axis 'a' has no value '3'");
  CHECK(said_of(kAxis + "drop: [{b: 1}]\n") == "s.yaml:4:12: drop[0].b: unknown axis 'b' (known: a)");
  CHECK(said_of(kAxis + "drop: [{}]\n") == "s.yaml:4:8: drop[0]: is empty");
  CHECK(said_of(kAxis + "drop: [{a: {}}]\n") == "s.yaml:4:12: drop[0].a: needs above or below");
  CHECK(said_of(kAxis + "drop: [{a: {over: 1}}]\n") == "s.yaml:4:12: drop[0].a: needs above or below");
  CHECK(said_of(kAxis + "drop: [{a: {above: 1, over: 1}}]\n") ==
        "s.yaml:4:23: drop[0].a.over: unknown key (known: above, below)");
  CHECK(said_of(kAxis + "drop: [{product: {of: [a, b], above: 1}}]\n") ==
        "s.yaml:4:27: drop[0].product.of[1]: unknown axis 'b' (known: a)");
  CHECK(said_of(kAxis + "drop: [{product: {of: [], above: 1}}]\n") ==
        "s.yaml:4:23: drop[0].product.of: is empty; name the axes whose product it is");
  CHECK(said_of(kAxis + "drop: [{product: {above: 1}}]\n") == "s.yaml:4:18: drop[0].product: missing key 'of'");
  CHECK(said_of(kAxis + "drop: [{a: 1}, {a: 2}]\n") == "s.yaml: drop: leaves no point");
}

TEST_CASE("a limit on an axis whose values cannot be compared with it is refused") {
  const std::string texts = "axes: [{key: a, values: [x, y]}]\n",
                    units = "axes: [{key: a, values: [800 GB/s, 1.6 TB/s]}]\n";
  CHECK(said_of(texts + "drop: [{a: {above: 1}}]\n") == "s.yaml:4:12: drop[0].a: no value of axis 'a' is a number");
  CHECK(said_of(texts + "drop: [{product: {of: [a], above: 1}}]\n") ==
        "s.yaml:4:24: drop[0].product.of[0]: no value of axis 'a' is a number");
  CHECK(said_of(units + "drop: [{a: {below: 2}}]\n") ==
        "s.yaml:4:12: drop[0].a: the values of axis 'a' are in several units: name those to drop");
  CHECK(lines_of(sweep_of("axes: [{key: a, values: [1, 2, none]}]\ndrop: [{a: {above: 1}}]\n")) ==
        Texts{"a=1", "a=none"});
}

TEST_CASE("an axis whose name is a column of its own in the file is refused") {
  CHECK(said_of("axes: [{key: a, name: state, values: [1]}]\n") ==
        "s.yaml:3:8: axes[0]: 'state' is another column of /points; give another name");
  CHECK(said_of("axes: [{key: a/b, values: [1]}, {key: a_b, values: [1]}]\n") ==
        "s.yaml:3:33: axes[1]: 'a_b' is another column of /points; give another name");
}

}  // namespace
}  // namespace silicast::testing
