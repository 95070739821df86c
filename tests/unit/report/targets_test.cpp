// Targets and measurement windows as scenarios write them.
#include "sim/report/targets.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "sim/report/facts.hpp"

using namespace silicast;

namespace {

Targets targets_of(const std::string& yaml) {
  return read_targets(ConfigValue::from_text(yaml, "t.yaml"));
}
MeasureWindow window_of(const std::string& yaml) {
  const ConfigValue root = ConfigValue::from_text("warmup: " + yaml, "t.yaml");
  ConfigMap map = root.map();
  return read_measure_window(map.required("warmup"));
}
std::string message_of(const auto& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "(no error)";
}

}  // namespace

TEST_CASE("limits per request and percentile targets are read with their units") {
  const Targets targets = targets_of("{ttft: 2 s, tpot: 50 ms, e2e_p95: 1 min, itl_p99: 200 ms, tpot_mean: 40 ms}");
  CHECK(targets.ttft == 2);
  CHECK(targets.tpot == Approx(0.05));
  REQUIRE(targets.percentiles.size() == 3);
  CHECK(targets.percentiles[0].name() == "tpot_mean");
  CHECK(targets.percentiles[1].name() == "e2e_p95");
  CHECK(targets.percentiles[1].limit == 60);
  CHECK(targets.percentiles[2].name() == "itl_p99");
}

TEST_CASE("a request is held to its metric's highest percentile target from p90 on, or to a limit of its own") {
  const Targets targets =
      targets_of("{ttft_p50: 1 s, ttft_p90: 2 s, ttft_p99: 3 s, ttft_mean: 0.5 s, e2e: 9 s, e2e_p99: 5 s}");
  CHECK(targets.ttft == 3);
  CHECK(targets.e2e == 9);
  CHECK(std::isinf(targets.tpot));
  CHECK(targets.any_per_request());
}

TEST_CASE("a median or a mean is never asked of single requests, alone or beside others") {
  const Targets targets = targets_of("{ttft_p50: 1 s, tpot_mean: 40 ms, e2e_p50: 5 s, e2e_mean: 6 s}");
  CHECK(std::isinf(targets.ttft));
  CHECK(std::isinf(targets.tpot));
  CHECK(std::isinf(targets.e2e));
  CHECK_FALSE(targets.any_per_request());
  CHECK(targets.percentiles.size() == 4);
  CHECK_FALSE(Targets{}.any_per_request());
}

TEST_CASE("a request is good when it keeps every limit; one token has no TPOT to break") {
  const Targets targets = targets_of("{ttft: 2 s, tpot: 50 ms}");
  CHECK(targets.good(2, 0.05, 1e9));
  CHECK(targets.good(1, std::nan(""), 1));
  CHECK_FALSE(targets.good(2.1, 0.01, 3));
  CHECK_FALSE(targets.good(1, 0.06, 3));
}

TEST_CASE("wrong targets are refused with their place") {
  CHECK(message_of([] { targets_of("{ttft: 2 s, tpott: 50 ms}"); }).find("t.yaml:1:13: tpott: ") == 0);
  CHECK(message_of([] { targets_of("{ttft_p99: 2}"); }).find("needs a unit") != std::string::npos);
  CHECK(message_of([] { targets_of("{ttft_p99: 0 s}"); }).find("t.yaml:1:12: ttft_p99: ") == 0);
  CHECK(message_of([] { targets_of("{e2e: -1 s}"); }).find("t.yaml:1:7: e2e: ") == 0);
}

TEST_CASE("the measurement window is mser, none or given") {
  CHECK(window_of("mser").mode == MeasureWindow::Mode::kMser);
  CHECK(window_of("none").mode == MeasureWindow::Mode::kNone);
  const MeasureWindow given = window_of("{from: 1 min, until: 10 min}");
  CHECK(given.mode == MeasureWindow::Mode::kGiven);
  CHECK(given.from == 60);
  CHECK(given.until == 600);
  CHECK(std::isinf(window_of("{from: 0 s}").until));
}

TEST_CASE("wrong measurement windows are refused with their place") {
  CHECK(message_of([] { window_of("{from: 10 s, until: 10 s}"); }) ==
        "t.yaml:1:29: warmup.until: must be later than 'from'");
  CHECK(message_of([] { window_of("{until: 10 s}"); }).find("from") != std::string::npos);
  CHECK(message_of([] { window_of("{from: 1e300 s}"); }).find("t.yaml:1:16: warmup.from: ") == 0);
  CHECK(message_of([] { window_of("steady"); }).find("mser") != std::string::npos);
}
