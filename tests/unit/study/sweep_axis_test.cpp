// Axes: what a list, a range or cases become, and what is said of bad ones.
#include <cmath>
#include <map>

#include "sweep_for_tests.hpp"

namespace silicast::testing {
namespace {

using Texts = std::vector<std::string>;

Axis axis_of(const std::string& text) {
  return Axis::read(ConfigValue::from_text(text, "axis.yaml"));
}

std::string said_of_axis(const std::string& text) {
  try {
    axis_of(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST_CASE("a list of values is its own labels, and sets the key to each") {
  const Axis axis = axis_of("{key: a.b, values: [4, 4.8 TB/s, on, {x: 1, y: [2, 3]}, [5, 6]]}");
  CHECK(axis.name() == "a.b");
  CHECK(labels_of(axis) == Texts{"4", "4.8 TB/s", "on", "{x: 1, y: [2, 3]}", "[5, 6]"});
  ConfigNode tree = parse_config("a: {b: 1}", "t.yaml");
  apply_setting(tree, axis.grid()[3].settings.at(0), "s.yaml");
  CHECK(to_yaml(tree) == "a:\n  b:\n    x: 1\n    y:\n      - 2\n      - 3\n");
}

TEST_CASE("a name replaces the key as the name of an axis, never as what is set") {
  const Axis axis = axis_of("{key: a.b, name: c, values: [4]}");
  CHECK(axis.name() == "c");
  CHECK(axis.grid()[0].settings == Texts{"a.b=4\n"});
}

TEST_CASE("a linear range has both ends and even steps, in the unit of its ends") {
  CHECK(labels_of(axis_of("{key: a, linear: [0, 1], points: 5}")) == Texts{"0", "0.25", "0.5", "0.75", "1"});
  CHECK(labels_of(axis_of("{key: a, linear: [-1.5 TB/s, 1.5 TB/s], points: 3}")) ==
        Texts{"-1.5 TB/s", "0 TB/s", "1.5 TB/s"});
}

TEST_CASE("a log range has both ends and even ratios") {
  CHECK(labels_of(axis_of("{key: a, log: [1 GB, 16 GB], points: 5}")) ==
        Texts{"1 GB", "2 GB", "4 GB", "8 GB", "16 GB"});
}

TEST_CASE("a whole range is rounded, and each number comes once") {
  CHECK(labels_of(axis_of("{key: a, linear: [1, 3], points: 9, whole: true}")) == Texts{"1", "2", "3"});
  CHECK(labels_of(axis_of("{key: a, linear: [-1, 1], points: 9, whole: true}")) == Texts{"-1", "0", "1"});
  CHECK(labels_of(axis_of("{key: a, log: [1, 8], points: 7, whole: true}")) == Texts{"1", "2", "3", "4", "6", "8"});
}

TEST_CASE("whole numbers of a range are whole numbers however large they are") {
  CHECK(labels_of(axis_of("{key: a, linear: [1000000, 3000001], points: 3, whole: true}")) ==
        Texts{"1000000", "2000001", "3000001"});
}

TEST_CASE("whole numbers of a linear range are drawn alike, its ends too") {
  const Axis axis = axis_of("{key: a, linear: [1, 4], whole: true}");
  std::map<std::string, int> counts;
  for (int i = 0; i < 4000; ++i) ++counts[axis.at((i + 0.5) / 4000).label];
  CHECK(counts == std::map<std::string, int>{{"1", 1000}, {"2", 1000}, {"3", 1000}, {"4", 1000}});
  CHECK(axis_of("{key: a, log: [1, 64], whole: true}").at(0).label == "1");
  CHECK(axis_of("{key: a, log: [1, 64], whole: true}").at(0.9999).label == "64");
}

TEST_CASE("a case sets all of its keys, and none where it names none") {
  const Axis axis = axis_of("{name: chip, cases: {as_is: {}, h20: {a.b: h20, a.n: 2}}}");
  CHECK(axis.name() == "chip");
  CHECK(labels_of(axis) == Texts{"as_is", "h20"});
  CHECK(axis.grid()[0].settings.empty());
  CHECK(axis.grid()[1].settings == Texts{"a.b=h20\n", "a.n=2\n"});
}

TEST_CASE("the share of an axis is a place in its range or a value of its list") {
  const Axis range = axis_of("{key: a, linear: [10 s, 20 s]}");
  CHECK(range.grid().empty());
  CHECK(range.at(0).label == "10 s");
  CHECK(range.at(0.25).label == "12.5 s");
  CHECK(axis_of("{key: a, log: [1, 100]}").at(0.5).label == "10");
  const Axis list = axis_of("{key: a, values: [x, y, z]}");
  CHECK(list.at(0).label == "x");
  CHECK(list.at(0.34).label == "y");
  CHECK(list.at(0.999).label == "z");
}

TEST_CASE("a value is the number that its label begins with, or none") {
  const auto number = [](const std::string& label) { return AxisValue{label, {}}.number(); };
  CHECK(number("4") == 4);
  CHECK(number("-0.5 TB/s") == -0.5);
  CHECK(number("1e3 s") == 1000);
  CHECK(std::isnan(number("tp4")));
  CHECK(std::isnan(number("4x")));
  CHECK(std::isnan(number("[4, 5]")));
}

TEST_CASE("a bad axis is named by file, line, column and key") {
  CHECK(said_of_axis("{}") == "axis.yaml:1:1: needs a key (cluster.pools.0.nodes), or a name and cases");
  CHECK(said_of_axis("{name: a, values: [1]}") ==
        "axis.yaml:1:1: needs a key (cluster.pools.0.nodes), or a name and cases");
  CHECK(said_of_axis("{key: a}") == "axis.yaml:1:1: needs one of values, linear and log");
  CHECK(said_of_axis("{key: a, values: [1], log: [1, 2]}") == "axis.yaml:1:1: needs one of values, linear and log");
  CHECK(said_of_axis("{key: a, values: []}") == "axis.yaml:1:18: values: is empty");
  CHECK(said_of_axis("{key: a, values: [1], points: 2}") ==
        "axis.yaml:1:23: points: unknown key (known: cases, key, linear, log, name, values)");
  CHECK(said_of_axis("{key: a, value: [1]}") == "axis.yaml:1:1: needs one of values, linear and log");
  CHECK(said_of_axis("{key: a, linear: [1, 2], point: 3}") ==
        "axis.yaml:1:26: point: unknown key; did you mean 'points'? (known: cases, key, linear, log, name, points, "
        "values, whole)");
}

TEST_CASE("a bad range is named by file, line, column and key") {
  CHECK(said_of_axis("{key: a, linear: [1, 2, 3], points: 2}") == "axis.yaml:1:18: linear: must be [low, high]");
  CHECK(said_of_axis("{key: a, linear: [x, 2], points: 2}") == "axis.yaml:1:19: linear[0]: 'x' is no number");
  CHECK(said_of_axis("{key: a, linear: [1, 2x], points: 2}") == "axis.yaml:1:22: linear[1]: '2x' is no number");
  CHECK(said_of_axis("{key: a, linear: [1, inf], points: 2}") == "axis.yaml:1:22: linear[1]: 'inf' is no number");
  CHECK(said_of_axis("{key: a, linear: [1 GB/s, 2 TB/s], points: 2}") ==
        "axis.yaml:1:27: linear[1]: must be in 'GB/s', as the low end is");
  CHECK(said_of_axis("{key: a, linear: [1 GB/s, 2], points: 2}") ==
        "axis.yaml:1:27: linear[1]: must be in 'GB/s', as the low end is");
  CHECK(said_of_axis("{key: a, linear: [2, 2], points: 2}") == "axis.yaml:1:22: linear[1]: must be over the low end");
  CHECK(said_of_axis("{key: a, log: [0, 2], points: 2}") ==
        "axis.yaml:1:16: log[0]: must be over 0: the axis goes by ratios");
  CHECK(said_of_axis("{key: a, log: [1, 2], points: 1}") ==
        "axis.yaml:1:31: points: '1' must be a whole number from 2 to 1000000");
}

TEST_CASE("bad cases are named by file, line, column and key") {
  CHECK(said_of_axis("{cases: {x: {a: 1}}}") == "axis.yaml:1:1: cases need a name");
  CHECK(said_of_axis("{name: n, key: a, cases: {x: {a: 1}}}") ==
        "axis.yaml:1:16: key: goes with values, linear or log; cases name their own keys");
  CHECK(said_of_axis("{name: n, cases: {}}") == "axis.yaml:1:18: cases: is empty");
  CHECK(said_of_axis("{name: n, cases: {x: 4}}") ==
        "axis.yaml:1:22: cases.x: must be keys of the scenario and their values, {cluster.pools.0.nodes: 2}");
  CHECK(said_of_axis("{name: n, cases: {x: {a: 1}}, values: [1]}") ==
        "axis.yaml:1:31: values: unknown key (known: cases, key, name)");
}

}  // namespace
}  // namespace silicast::testing
