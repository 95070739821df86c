// What a trace holds, counted.
#include "sim/study/traces/trace_summary.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "sim/base/errors.hpp"
#include "sim/base/random.hpp"
#include "sim/study/traces/trace_files.hpp"

namespace silicast {
namespace {

RequestSpec request_at(double seconds, std::int32_t prompt = 1, std::int32_t output = 1) {
  RequestSpec request;
  request.arrival.ns = std::llround(seconds * 1e9);
  request.prompt_tokens = prompt;
  request.output_tokens = output;
  return request;
}

TEST_CASE("rate and burstiness are those of the gaps") {
  TraceCounter counter(0);
  for (const double at : {0.0, 1.0, 1.0, 5.0}) counter.add(request_at(at), {});
  const TraceSummary summary = counter.summary();
  CHECK(summary.span_s == 5);
  CHECK(*summary.rate == Approx(3.0 / 5));
  const double mean = 5.0 / 3;
  const double square = std::pow(1 - mean, 2) + std::pow(0 - mean, 2) + std::pow(4 - mean, 2);
  CHECK(*summary.gap_cv == Approx(std::sqrt(square / 3) / mean));
  CHECK(summary.zero_gaps == Approx(1.0 / 3));
}

TEST_CASE("requests of one instant, one request and none have no rate") {
  TraceCounter counter(0);
  CHECK(counter.summary().requests == 0);
  counter.add(request_at(4), {});
  CHECK_FALSE(counter.summary().rate.has_value());
  counter.add(request_at(4), {});
  CHECK_FALSE(counter.summary().rate.has_value());
  CHECK_FALSE(counter.summary().gap_cv.has_value());
  CHECK(counter.summary().zero_gaps == 1);
}

TEST_CASE("a quantile is the smallest length that so many do not exceed") {
  TraceCounter counter(0);
  for (std::int32_t i = 1; i <= 100; ++i) counter.add(request_at(i, 101 - i, 1000 * i), {});
  const TraceSummary summary = counter.summary();
  CHECK(summary.prompt.p50 == 50);
  CHECK(summary.prompt.p99 == 99);
  CHECK(summary.prompt.max == 100);
  CHECK(summary.prompt.mean == 50.5);
  CHECK(summary.output.p99 == 99000);
}

TEST_CASE("blocks that were seen before are counted, in the prompt itself too") {
  TraceCounter counter(16);
  const std::vector<std::uint64_t> a = {0, 1, ~std::uint64_t{0}}, b = {0, 1, 5}, c = {~std::uint64_t{0}};
  counter.add(request_at(0, 48, 1), a);
  counter.add(request_at(1, 48, 1), b);
  counter.add(request_at(2), {});
  counter.add(request_at(3, 48, 1), c);
  const TraceSummary summary = counter.summary();
  CHECK(summary.blocks == 7);
  CHECK(summary.distinct_blocks == 4);
  CHECK(summary.seen_blocks() == 3);
}

TEST_CASE("blocks of an answer are not looked for, and are there for the prompt that repeats them") {
  TraceCounter counter(16);
  counter.add(request_at(0, 20, 30), std::vector<std::uint64_t>{1, 2, 3, 4});
  counter.add(request_at(1, 60, 1), std::vector<std::uint64_t>{1, 2, 3, 5});
  const TraceSummary summary = counter.summary();
  CHECK(summary.blocks == 6);
  CHECK(summary.seen_blocks() == 3);
}

TEST_CASE("a set of ids holds what std::set would") {
  IdSet ids;
  std::set<std::uint64_t> due;
  RandomStream random(3, "ids");
  for (int i = 0; i < 100'000; ++i) {
    // Small ones, large ones, and ones that fall together modulo a power of two.
    const std::uint64_t id = i % 3 == 0 ? random.below(5000) : i % 3 == 1 ? random.below(500) << 40 : ~random.below(9);
    if (ids.insert(id) != due.insert(id).second) FAIL("id " << id);
  }
  CHECK(ids.size() == due.size());
}

TEST_CASE("a file's format is told by its prefix, by --format or by its ending") {
  const auto input = [](const char* text, std::optional<std::string> format = {}) {
    const TraceInput found = trace_input(text, format);
    return found.format + " " + found.file;
  };
  CHECK(input("azure:a:b.csv") == "azure a:b.csv");
  CHECK(input("a.h5") == "hdf5 a.h5");
  CHECK(input("a.h5", "mooncake") == "mooncake a.h5");
  CHECK(input("azure:x", "mooncake") == "azure x");
  CHECK_THROWS_AS(input("nothing:x"), InputError);
  CHECK(trace_output("a.hdf5", {}).name == "hdf5");
  CHECK(trace_output("a.jsonl", "mooncake").name == "mooncake");
}

}  // namespace
}  // namespace silicast
