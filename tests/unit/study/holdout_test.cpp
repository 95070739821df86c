// Fits without a model or a chip: the maths of tied unknowns against what can be worked out, and the plan's file.
#include <catch2/catch.hpp>
#include <cmath>

#include "sim/study/holdout/holdout_plan.hpp"
#include "sim/study/holdout/moved_calibration.hpp"
#include "sim/study/holdout/tied_fit.hpp"
#include "study_for_tests.hpp"

namespace silicast {
namespace {

TEST_CASE("an unknown without data is what is known of it, one of a group what is known of the group") {
  CHECK(tied_fit({{3, 7, 0.5, {}}}, {}, 0.1)[0] == Approx(7));
  const std::vector<double> alike = tied_fit({{3, 7, 0.5, 0, 1}, {5, 7, 0.5, 0, 1}}, {}, 0.1);
  CHECK(alike[0] == Approx(7));
  CHECK(alike[1] == Approx(7));
}

TEST_CASE("one datum and what is known weigh by their variances") {
  // residual(x) = 0.2 + 1 (x - 1), so the datum says 0.8; noise and spread are equal: half way to what is known. All is
  // so near that the loss is quadratic.
  const TiedRow datum{0.2, {1}, 1};
  CHECK(tied_fit({{1, 0.79, 0.1, {}}}, {datum}, 0.1)[0] == Approx(0.795).epsilon(1e-4));
  // Four such rows: (4 x 0.8 + 0.79) / 5.
  CHECK(tied_fit({{1, 0.79, 0.1, {}}}, {datum, datum, datum, datum}, 0.1)[0] == Approx(0.798).epsilon(1e-4));
  CHECK(tied_fit({{1, 0.79, 0.1, {}}}, {{0.2, {1}, 4}}, 0.1)[0] == Approx(0.798).epsilon(1e-4));
}

TEST_CASE("an unknown of a group without data takes the others' value as far as the group is believed") {
  // A lone value y of one with spread s, common value c about a with spread 2s: the datum is as good as exact, so
  // c = (y / s^2 + a / (2s)^2) / (1 / s^2 + 1 / (2s)^2) = (4 y + a) / 5, which the one without data takes.
  const std::vector<double> values = tied_fit({{0, 1, 0.5, 0, 1}, {0, 1, 0.5, 0, 1}}, {{-6, {1, 0}, 1e8}}, 0.1);
  CHECK(values[0] == Approx(6).epsilon(1e-3));
  CHECK(values[1] == Approx((4 * 6.0 + 1) / 5).epsilon(1e-3));
}

TEST_CASE("one wild row among many does not carry the fit away") {
  std::vector<TiedRow> rows(20, {0.0, {1}, 1});
  rows.push_back({-30, {1}, 1});
  CHECK(tied_fit({{0, 0, 10, {}}}, rows, 0.1)[0] < 0.02);
}

Calibration alike(double value, Grade grade) {
  Calibration calibration;
  for (const CalibrationField& field : fields_of(calibration))
    *field.evidence = {value, value / 2, value * 1.5, grade, "made up"};
  return calibration;
}

TEST_CASE("what is typical without a chip are measured numbers of its stack, their mean and their widest range") {
  const Calibration low = alike(0.2, Grade::kMeasured), high = alike(0.4, Grade::kMeasured);
  const Calibration guess = alike(0.9, Grade::kEstimate), foreign = alike(0.1, Grade::kMeasured);
  const Evidence found = number_of(
      typical_calibration(alike(0.6, Grade::kMeasured),
                          {{low, low, true}, {high, high, true}, {guess, guess, true}, {foreign, foreign, false}}),
      0);
  CHECK(found.value == Approx(0.3));
  CHECK(found.low == Approx(0.1));
  CHECK(found.high == Approx(0.6));
}

TEST_CASE("a copy of the chip's own measured number does not tell of it") {
  const Calibration copy = alike(0.6, Grade::kThirdParty), foreign = alike(0.1, Grade::kMeasured);
  const Calibration typical =
      typical_calibration(alike(0.6, Grade::kMeasured), {{copy, copy, true}, {foreign, foreign, false}});
  CHECK(number_of(typical, 0).value == Approx(0.1));
}

TEST_CASE("a scaled number stays within what it can be") {
  Calibration calibration = alike(0.8, Grade::kMeasured);
  for (const CalibrationField& field : fields_of(calibration)) scale(field, 1);
  CHECK(calibration.gemm.compute.value == 1);
  CHECK(calibration.gemm.compute.low == 1);
  CHECK(calibration.attention.half_tokens.value == Approx(0.8 * std::exp(1.0)));
}

TEST_CASE("the plan of the catalogue is read, and its engines have families") {
  const HoldoutPlan plan = HoldoutPlan::read(SILICAST_SOURCE_DIR "/configs");
  CHECK(plan.chips_alike("h100") == plan.chips_alike("h200"));
  CHECK(plan.chips_alike("b200") == std::vector<std::string>{"b200"});
  CHECK(plan.family_of("vllm-0.11") == plan.family_of("vllm"));
  CHECK(plan.family_of("vllm-ascend") != plan.family_of("vllm"));
  CHECK(plan.family_of("mindie") == plan.engines.size());
}

std::string refusal(const std::string& from, const std::string& to) {
  std::string text =
      "kernels: [gemm.compute]\nkernels_alone: {h200: {gemm.memory: 0.8}}\nsilicon: []\n"
      "host: {per_iteration: {about: 1 ms, spread: 1 ms, between: 1 ms}}\nengines: []\napart: []\n";
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  try {
    HoldoutPlan::of(ConfigValue::from_text(text, "f.yaml"));
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST_CASE("a plan that names what is not there is refused") {
  CHECK(refusal("[gemm.compute]", "[gemm.computes]")
            .starts_with("f.yaml:1:11: kernels[0]: no calibration has a number 'gemm.computes'; did you mean "
                         "'gemm.compute'?"));
  CHECK(refusal("gemm.memory: 0.8", "gemm.memory: 1.8").starts_with("f.yaml:2:37: kernels_alone.h200.gemm.memory: "));
  CHECK(refusal("{per_iteration", "{per_token") ==
        "f.yaml:4:19: host.per_token: an engine's host has no time 'per_token'");
  CHECK(refusal("spread: 1 ms", "spread: 0 ms").find(": host.per_iteration.spread: ") != std::string::npos);
}

}  // namespace
}  // namespace silicast
