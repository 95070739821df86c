// Tables and JSON say the same numbers, with units, and nothing where there is nothing to say.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/report/json_writer.hpp"
#include "sim/report/metrics.hpp"
#include "sim/report/table_writer.hpp"

using namespace silicast;

namespace {

Summary sample(const std::string& name) {
  Summary summary;
  summary.name = name;
  summary.run_seconds = 100;
  summary.total.requests = 12'345;
  summary.total.states[0] = 12'000;
  summary.total.states[1] = 345;
  summary.total.reasons[static_cast<std::size_t>(EndReason::kQueueFull)] = 345;
  summary.total.ttft.mean = 0.5;
  summary.total.ttft.mean_interval = {0.4, 0.6};
  summary.total.ttft.p99 = 2.25;
  summary.total.tpot.p99 = 0.0321;
  summary.total.throughput.output_tokens = 4321.5;
  summary.total.goodput.has_targets = true;
  summary.total.goodput.share = 0.875;
  summary.total.goodput.targets = {{"ttft_p99", 2, 2.25, false}};
  summary.use.resize(1);
  summary.use[0].name = "pool \"a\"";
  summary.use[0].chip = "h20-96";
  summary.use[0].chips = 8;
  summary.use[0].kv_mean = 0.5;
  summary.notes = {"warm-up: nothing left out"};
  return summary;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The line of the table that begins with this label.
std::string line_of(const std::string& table, const std::string& label) {
  const std::size_t at = table.find("  " + label);
  return at == std::string::npos ? "" : table.substr(at, table.find('\n', at) - at);
}

}  // namespace

TEST_CASE("numbers are shown with significant digits, thousands separators and no exponent") {
  CHECK(format_significant(4.80312) == "4.803");
  CHECK(format_significant(0.0421) == "0.04210");
  CHECK(format_significant(12345.678) == "12,346");
  CHECK(format_significant(1234567) == "1,234,567");
  CHECK(format_significant(123) == "123");
  CHECK(format_significant(-1234.6) == "-1,235");
  CHECK(format_significant(0) == "0");
  CHECK(format_significant(999.96, 4) == "1,000.0");
  CHECK(format_significant(std::nan("")) == "-");
  CHECK(format_significant(std::numeric_limits<double>::infinity()) == "inf");
}

TEST_CASE("every key is unique, ends in its unit where it has one, and does not depend on the values") {
  std::set<std::string> keys;
  for (const Metric& metric : metric_catalogue()) {
    INFO(metric.key);
    REQUIRE(keys.insert(metric.key).second);
    REQUIRE_FALSE(metric.label.empty());
  }
  Summary summary = sample("a");
  summary.cost.emplace();
  for (const Metric& metric : run_metrics(summary)) REQUIRE(keys.count(metric.key) == 1);
}

TEST_CASE("the table has one labelled row per metric with its unit and leaves out empty ones") {
  const Summary runs[] = {sample("a")};
  const std::string table = summary_table(runs);
  CHECK(contains(line_of(table, "TTFT mean [s]"), "0.5000 (0.400 to 0.600)"));
  CHECK(contains(line_of(table, "TPOT p99 [ms]"), "32.10"));
  CHECK(contains(line_of(table, "output tokens [/s]"), "4,322"));
  CHECK(contains(line_of(table, "good requests [%]"), "87.50"));
  CHECK(contains(line_of(table, "KV blocks, mean [%]"), "50"));
  CHECK(contains(table, "target ttft_p99 2 s: missed (2.250 s)"));
  CHECK(contains(table, "not completed: 345 queue_full"));
  CHECK(contains(table, "warm-up: nothing left out"));
  CHECK_FALSE(contains(table, "ITL"));
  CHECK_FALSE(contains(table, "nan"));
}

TEST_CASE("runs stand side by side with aligned columns") {
  const Summary runs[] = {sample("first"), sample("a much longer name"), sample("c"), sample("d")};
  const std::string table = summary_table(runs);
  const std::string title = table.substr(0, table.find('\n'));
  const std::string row = line_of(table, "requests  ");
  CHECK(title.size() == row.size());
  CHECK(title.find("first") + 5 == row.find("12,345") + 6);
  CHECK_FALSE(contains(table, " to 0.600"));  // too many columns for ranges
}

TEST_CASE("an unstable run says so instead of a TTFT, in the table and the JSON, and keeps its TPOT") {
  Summary summary = sample("a");
  summary.unstable = true;
  summary.unstable_reason = "it grows";
  summary.total.goodput.targets = {{"ttft_p99", 2, kNoValue, {}, true}, {"tpot_p99", 0.03, 0.0321, false}};
  const std::string table = summary_table({&summary, 1});
  CHECK(contains(table, "target ttft_p99 2 s: unstable\n"));
  CHECK(contains(table, "target tpot_p99 0.03000 s: missed (0.03210 s)\n"));
  CHECK(contains(line_of(table, "TTFT p99 [s]"), "unstable"));
  CHECK(contains(line_of(table, "E2E mean [s]"), "unstable"));
  CHECK(contains(line_of(table, "TPOT p99 [ms]"), "32.10"));
  const auto json = nlohmann::json::parse(summary_json({&summary, 1}));
  CHECK(json["runs"][0]["unstable"] == true);
  CHECK(json["runs"][0]["summary"]["ttft_p99_s"].is_null());
  CHECK(json["runs"][0]["summary"]["tpot_p99_s"] == 0.0321);
  CHECK(json["runs"][0]["targets"][0]["value_s"].is_null());
  CHECK(json["runs"][0]["targets"][0]["met"].is_null());
  CHECK(json["runs"][0]["targets"][1]["met"] == false);
}

TEST_CASE("the JSON parses, holds every metric as a number or null, and escapes names") {
  Summary summary = sample("line\nbreak \x01 größe");
  summary.classes.resize(2);
  const auto json = nlohmann::json::parse(summary_json({&summary, 1}));
  const auto& run = json["runs"][0];
  CHECK(run["name"] == "line\nbreak \x01 größe");
  CHECK(run["pools"][0]["name"] == "pool \"a\"");
  CHECK(run["classes"].size() == 2);
  CHECK(run["end_reasons"]["queue_full"] == 345);
  CHECK(run["targets"][0]["met"] == false);
  for (const Metric& metric : run_metrics(summary)) {
    INFO(metric.key);
    REQUIRE(run["summary"].contains(metric.key));
    const auto& value = run["summary"][metric.key];
    if (std::isfinite(metric.value))
      REQUIRE(value.get<double>() == metric.value);
    else
      REQUIRE(value.is_null());
  }
  CHECK(run["summary"]["ttft_mean_s_low"] == 0.4);
}

TEST_CASE("the weakest grade under the energy is shown in the table and the JSON where energy is known") {
  Summary summary = sample("a");
  CHECK_FALSE(contains(summary_table({&summary, 1}), "energy rests on"));
  CHECK(nlohmann::json::parse(summary_json({&summary, 1}))["runs"][0]["energy_weakest_grade"].is_null());
  summary.energy.known = true;
  summary.energy.weakest = Grade::kThirdParty;
  CHECK(contains(summary_table({&summary, 1}), "energy rests on"));
  CHECK(nlohmann::json::parse(summary_json({&summary, 1}))["runs"][0]["energy_weakest_grade"] == "third_party");
}

TEST_CASE("several pools get a table of their own") {
  Summary summary = sample("a");
  summary.use.resize(2);
  summary.use[1].name = "second";
  summary.use[1].chips = 16;
  summary.pools.resize(2);
  const std::string table = summary_table({&summary, 1});
  CHECK(contains(table, "\nby pool\n"));
  CHECK(contains(table, "second"));
}
