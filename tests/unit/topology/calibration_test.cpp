// Calibrations: what their files hold, the exact words where they do not, and stacks of some maturity.
#include "topology/calibration.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "sim/base/check.hpp"
#include "specs_for_tests.hpp"

namespace silicast {
namespace {

constexpr const char* kText =
    "chip: c\n"
    "description: d\n"
    "gemm: {compute: 0.8, narrow_compute: 0.78, memory: 0.7, start: 3 us, per_k: 0.2 ns, narrow_tile: 32}\n"
    "experts: {compute: 0.6, narrow_compute: 0.5, memory: 0.75, start: 20 us, padding: 40, narrow_tile: 8}\n"
    "attention: {compute: 0.65, half_tokens: 900, start: 10 us, walk: 12 ns, memory: 0.9, narrow_memory: 0.55,\n"
    "  item: 19 ns, mixed: 1.5}\n"
    "elementwise: {memory: 0.85, start: 2 us}\n"
    "collective: {start: 4 us, step: 2.5 us, efficiency: 0.62, small_start: 5 us, per_rank: 0.9 us,\n"
    "  bulk_start: 23 us, bulk_efficiency: 0.82, exchange_start: 9 us, exchange_efficiency: 0.58}\n";

Calibration read(const std::string& text) {
  return read_calibration(ConfigValue::from_text(text, "f.yaml"));
}

// The message for the text with its one occurrence of `from` replaced.
std::string refusal(const std::string& from, const std::string& to) {
  std::string text = kText;
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  REQUIRE(text.find(from, at + 1) == std::string::npos);
  text.replace(at, from.size(), to);
  return message_of([&] { read(text); });
}

TEST_CASE("a calibration keeps all that its file says") {
  const Calibration c = read(kText);
  CHECK(c.chip == "c");
  CHECK(c.gemm.compute.value == 0.8);
  CHECK(c.gemm.narrow_compute.value == 0.78);
  CHECK(c.gemm.memory.value == 0.7);
  CHECK(c.gemm.start.value == Approx(3e-6));
  CHECK(c.gemm.per_k.value == Approx(0.2e-9));
  CHECK(c.gemm.narrow_tile.value == 32);
  CHECK(c.experts.narrow_tile.value == 8);
  CHECK(c.experts.compute.value == 0.6);
  CHECK(c.experts.narrow_compute.value == 0.5);
  CHECK(c.experts.memory.value == 0.75);
  CHECK(c.experts.start.value == Approx(20e-6));
  CHECK(c.experts.padding.value == 40);
  CHECK(c.attention.compute.value == 0.65);
  CHECK(c.attention.half_tokens.value == 900);
  CHECK(c.attention.start.value == Approx(10e-6));
  CHECK(c.attention.walk.value == Approx(12e-9));
  CHECK(c.attention.memory.value == 0.9);
  CHECK(c.attention.narrow_memory.value == 0.55);
  CHECK(c.attention.item.value == Approx(19e-9));
  CHECK(c.attention.mixed.value == 1.5);
  CHECK(c.elementwise.memory.value == 0.85);
  CHECK(c.elementwise.start.value == Approx(2e-6));
  CHECK(c.collective.start.value == Approx(4e-6));
  CHECK(c.collective.step.value == Approx(2.5e-6));
  CHECK(c.collective.efficiency.value == 0.62);
  CHECK(c.collective.small_start.value == Approx(5e-6));
  CHECK(c.collective.per_rank.value == Approx(0.9e-6));
  CHECK(c.collective.bulk_start.value == Approx(23e-6));
  CHECK(c.collective.bulk_efficiency.value == 0.82);
  CHECK(c.collective.exchange_start.value == Approx(9e-6));
  CHECK(c.collective.exchange_efficiency.value == 0.58);
}

TEST_CASE("calibration fractions are over 0 and at most 1") {
  CHECK(refusal("{compute: 0.8", "{compute: 0") == "f.yaml:3:17: gemm.compute: '0' must be over 0 and at most 1");
  CHECK(refusal("memory: 0.85", "memory: 1.1") ==
        "f.yaml:7:23: elementwise.memory: '1.1' must be over 0 and at most 1");
  CHECK(refusal("bulk_efficiency: 0.82", "bulk_efficiency: -1") ==
        "f.yaml:9:39: collective.bulk_efficiency: '-1' must be over 0 and at most 1");
}

TEST_CASE("times of a calibration are a second at most, counts within reason, factors at least 1") {
  CHECK(refusal("start: 3 us", "start: 2 min") ==
        "f.yaml:3:64: gemm.start: '2 min' must be at least 0.00 s and at most 1.00 s");
  CHECK(refusal("walk: 12 ns", "walk: 12") ==
        "f.yaml:5:66: attention.walk: '12' needs a unit (one of: ns, us, ms, s, min, h, d, month, year)");
  CHECK(refusal("padding: 40", "padding: 2000") ==
        "f.yaml:4:83: experts.padding: '2000' must be at least 0 and at most 1024");
  CHECK(refusal("narrow_tile: 32", "narrow_tile: 0") ==
        "f.yaml:3:98: gemm.narrow_tile: '0' must be at least 1 and at most 1024");
  CHECK(refusal("half_tokens: 900", "half_tokens: -1") ==
        "f.yaml:5:41: attention.half_tokens: '-1' must be at least 0 and at most 1e+06");
  CHECK(refusal("mixed: 1.5", "mixed: 0.9") ==
        "f.yaml:6:23: attention.mixed: '0.9' must be at least 1 and at most 100");
}

TEST_CASE("a calibration has every group and key, and no other") {
  CHECK(refusal("elementwise: {memory: 0.85, start: 2 us}\n", "") == "f.yaml:1:1: missing key 'elementwise'");
  CHECK(refusal(", per_k: 0.2 ns", "") == "f.yaml:3:7: gemm: missing key 'per_k'");
  CHECK(refusal("{memory: 0.85,", "{compute: 0.5, memory: 0.85,") ==
        "f.yaml:7:15: elementwise.compute: unknown key (known: memory, start)");
  CHECK(
      refusal("description: d\n", "description: d\nlaunch: 2 us\n") ==
      "f.yaml:3:1: launch: unknown key (known: attention, chip, collective, description, elementwise, experts, gemm)");
}

TEST_CASE("the fields of a calibration are all its numbers, each once, in groups") {
  Calibration c = read(kText);
  const std::vector<CalibrationField> fields = fields_of(c);
  CHECK(fields.size() == 6 + 6 + 8 + 2 + 9);
  std::set<const Evidence*> places;
  std::set<std::string> names, groups;
  std::string_view open;
  for (const CalibrationField& field : fields) {
    CHECK(places.insert(field.evidence).second);
    CHECK(names.insert(std::string(field.group) + "." + std::string(field.key)).second);
    if (field.group == open) continue;
    CHECK(groups.insert(std::string(field.group)).second);
    open = field.group;
  }
  // Better is more for fractions of the hardware, less for times, padding and factors.
  for (const CalibrationField& field : fields) {
    INFO(field.group << "." << field.key);
    CHECK(field.more_is_better == (field.bounds.high == 1 && field.dimension == Dimension::kNumber));
  }
}

TEST_CASE("maturity 0, 0.5 and 1 are the worse ends, the values and the better ends, linear between") {
  Calibration c = read(kText);
  c.gemm.compute = {0.8, 0.6, 0.9, Grade::kMeasured, "s"};
  c.gemm.start = {3e-6, 2e-6, 5e-6, Grade::kMeasured, "s"};
  CHECK(at_maturity(c, 0).gemm.compute.value == Approx(0.6));
  CHECK(at_maturity(c, 0.25).gemm.compute.value == Approx(0.7));
  CHECK(at_maturity(c, 0.5).gemm.compute.value == 0.8);
  CHECK(at_maturity(c, 0.75).gemm.compute.value == Approx(0.85));
  CHECK(at_maturity(c, 1).gemm.compute.value == Approx(0.9));
  CHECK(at_maturity(c, 0).gemm.start.value == Approx(5e-6));
  CHECK(at_maturity(c, 0.25).gemm.start.value == Approx(4e-6));
  CHECK(at_maturity(c, 0.5).gemm.start.value == 3e-6);
  CHECK(at_maturity(c, 1).gemm.start.value == Approx(2e-6));
  // The range stays what is believed.
  CHECK(at_maturity(c, 1).gemm.compute.low == 0.6);
  CHECK(at_maturity(c, 1).gemm.compute.high == 0.9);
  CHECK_THROWS_AS(at_maturity(c, 1.01), InternalError);
  CHECK_THROWS_AS(at_maturity(c, -0.01), InternalError);
}

}  // namespace
}  // namespace silicast
