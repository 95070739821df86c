// Mooncake's traces: their blocks, and how the requests of one coarse stamp are spread.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <set>

#include "trace_test_support.hpp"

namespace silicast {
namespace {

constexpr char kTrace[] = "trace: {format: mooncake, file: t}";
constexpr char kPlain[] = "trace: {format: mooncake, file: t, spread: none}";
using Times = std::vector<std::int64_t>;
constexpr std::int64_t kMs = 1'000'000;

std::string line(const std::string& stamp, const std::string& input = "600", const std::string& ids = "[7, 8]",
                 const std::string& output = "5") {
  return "{\"timestamp\": " + stamp + ", \"input_length\": " + input + ", \"output_length\": " + output +
         ", \"hash_ids\": " + ids + "}\n";
}

std::string lines(const std::vector<std::string>& stamps) {
  std::string text;
  for (const std::string& stamp : stamps) text += line(stamp);
  return text;
}

TEST_CASE_METHOD(TraceFixture, "a mooncake trace has milliseconds and blocks of 512 tokens") {
  const Played trace = play(kPlain, line("27482", "6758", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]", "500") +
                                        line("30535.25", "512", "[0]", "1"));
  CHECK(trace.times() == Times{0, 3'053'250'000});
  CHECK(trace.requests[0].prompt_tokens == 6758);
  CHECK(trace.requests[0].output_tokens == 500);
  CHECK(trace.blocks[0].size() == 14);
  CHECK(trace.blocks[1] == Ids{0});
  CHECK(trace.block_tokens == 512);
  CHECK(trace.description == "mooncake trace t");
}

TEST_CASE_METHOD(TraceFixture, "requests of one stamp spread evenly and in order to the next stamp") {
  const Played trace = play(kTrace, lines({"0", "0", "0", "3000", "5999", "5999"}));
  CHECK(trace.times() == Times{0, 1000 * kMs, 2000 * kMs, 3000 * kMs, 5999 * kMs, 5999 * kMs + 2999 * kMs / 2});
  CHECK(trace.description == "mooncake trace t, arrivals of one stamp spread evenly to the next");
  CHECK(play(kPlain, lines({"0", "0", "3000"})).times() == Times{0, 0, 3000 * kMs});
}

TEST_CASE_METHOD(TraceFixture, "over a silence the step is the shortest so far, as it is behind the last stamp") {
  CHECK(play(kTrace, lines({"0", "0", "3000", "3000", "60000", "60000"})).times() ==
        Times{0, 1500 * kMs, 3000 * kMs, 4500 * kMs, 60000 * kMs, 61500 * kMs});
}

TEST_CASE_METHOD(TraceFixture, "a trace of one stamp alone has no step to spread over") {
  CHECK(play(kTrace, lines({"5", "5", "5"})).times() == Times{0, 0, 0});
}

TEST_CASE_METHOD(TraceFixture, "spreading keeps each request's lengths and ids") {
  const Played trace = play(kTrace, line("0", "600", "[1, 2]", "3") + line("0", "10", "[3]", "4") +
                                        line("3000", "1025", "[1, 2, 9]", "5") + line("3000", "1", "[4]", "6"));
  CHECK(trace.blocks == std::vector<Ids>{{1, 2}, {3}, {1, 2, 9}, {4}});
  CHECK(trace.requests[1].prompt_tokens == 10);
  CHECK(trace.requests[3].output_tokens == 6);
}

TEST_CASE_METHOD(TraceFixture, "times that spread never overtake the next stamp") {
  std::vector<std::string> stamps;
  for (int i = 0; i < 3000; ++i) stamps.push_back(std::to_string(i / 7 * 3));
  const Played trace = play(kTrace, lines(stamps));
  for (std::size_t i = 0; i < stamps.size(); ++i) {
    const std::int64_t at = trace.requests[i].arrival.ns, stamp = static_cast<std::int64_t>(i / 7 * 3) * kMs;
    if (at < stamp || at >= stamp + 3 * kMs) FAIL(i << " at " << at);
  }
}

TEST_CASE_METHOD(TraceFixture, "every broken mooncake trace is told by line and key") {
  const std::string good = line("0");
  CHECK(error_of(kTrace, good + line("1", "600", "[1]")) ==
        "DIR/t:2: hash_ids: 1 ids where a prompt of 600 tokens has 2 blocks of 512; is block_tokens right?");
  CHECK(error_of(kTrace, good + line("1", "512", "[1, 2]")) ==
        "DIR/t:2: hash_ids: 2 ids where a prompt of 512 tokens has 1 blocks of 512; is block_tokens right?");
  CHECK(error_of("trace: {format: mooncake, file: t, block_tokens: 16}", good) ==
        "DIR/t:1: hash_ids: 2 ids where a prompt of 600 tokens has 38 blocks of 16; is block_tokens right?");
  CHECK(error_of(kTrace, line("0", "600", "[1, -2]")) == "DIR/t:1: hash_ids: holds '-2'; whole numbers from 0 are due");
  CHECK(error_of(kTrace, line("0", "600", "[1, 2.5]")) ==
        "DIR/t:1: hash_ids: holds '2.5'; whole numbers from 0 are due");
  CHECK(error_of(kTrace, line("0", "600", "[1, \"x\"]")) ==
        "DIR/t:1: hash_ids: holds 'x'; whole numbers from 0 are due");
  CHECK(error_of(kTrace, line("0", "600", "[1, null]")) ==
        "DIR/t:1: hash_ids: holds 'null'; whole numbers from 0 are due");
  CHECK(error_of(kTrace, line("0", "600", "[1, [2]]")) ==
        "DIR/t:1: hash_ids: holds a list or an object within it; whole numbers from 0 are due");
  CHECK(error_of(kTrace, line("0", "600", "[1, 18446744073709551616]")) ==
        "DIR/t:1: hash_ids: holds '18446744073709551616'; whole numbers from 0 are due");
  CHECK(error_of(kTrace, line("0", "600", "{\"a\": 1}")) == "DIR/t:1: hash_ids: is no list of whole numbers");
  CHECK(error_of(kTrace, line("0", "600", "7")) == "DIR/t:1: hash_ids: is no list of whole numbers");
  CHECK(error_of(kTrace, "{\"timestamp\": 0, \"input_length\": 1, \"output_length\": 1, \"hash_id\": [1]}\n") ==
        "DIR/t:1: no key 'hash_ids' in the object; did you mean 'hash_id'? (known: timestamp, input_length, "
        "output_length, hash_id)");
  CHECK(error_of(kTrace, line("0", "0", "[]")) == "DIR/t:1: input_length: '0' must be from 1 to 100000000 tokens");
  CHECK(error_of(kTrace, line("5") + line("4")) ==
        "DIR/t:2: timestamp: out of order: '4' comes behind '5'; sort the trace by time");
  CHECK(error_of(kPlain, line("5") + line("4")) ==
        "DIR/t:2: timestamp: out of order: '4' comes behind '5'; sort the trace by time");
  CHECK(error_of(kTrace, line("0") + line("2000000000001")) ==
        "DIR/t:2: timestamp: '2000000000001' is over 63 years behind the trace's first request; is the unit right?");
  CHECK(error_of("trace: {format: mooncake, file: t, spread: even}", good) ==
        "w.yaml:1:44: trace.spread: unknown spread 'even' (known: uniform, none)");
  CHECK(error_of("trace: {format: mooncake, file: t, block_tokens: 0}", good) ==
        "w.yaml:1:50: trace.block_tokens: '0' must be a whole number from 1 to 100000000");
}

TEST_CASE_METHOD(TraceFixture, "more requests of one stamp than can be held are refused with the remedy") {
  std::string text;
  for (int i = 0; i < 65'537; ++i) text += line("7", "1", "[1]");
  CHECK(error_of(kTrace, text) ==
        "DIR/t:65537: timestamp: '7' is the stamp of over 65536 requests; give 'spread: none'");
  CHECK(play(kPlain, text).requests.size() == 65'537);
}

TEST_CASE("the Mooncake conversation trace shares as many blocks as its publishers' ids say") {
  const char* given = std::getenv("SILICAST_DATA");
  const std::string data = given != nullptr ? given : std::string(SILICAST_SOURCE_DIR) + "/../shared/data";
  const std::string file = data + "/traces/mooncake_fast25_conversation.jsonl.gz";
  if (!std::filesystem::exists(file)) {
    WARN("SKIPPED: no " << file << "; set SILICAST_DATA to a folder that holds it");
    return;
  }
  for (const char* spread : {"none", "uniform"}) {
    const Played trace =
        played("trace: {format: mooncake, file: '" + file + "', spread: " + spread + "}", context_of());
    REQUIRE(trace.requests.size() == 12031);
    std::int64_t blocks = 0, seen = 0;
    std::set<std::uint64_t> known;
    for (const Ids& ids : trace.blocks)
      for (const std::uint64_t id : ids) {
        ++blocks;
        seen += !known.insert(id).second;
      }
    CHECK(blocks == 288'500);
    CHECK(seen == 105'710);
    CHECK(known.size() == 182'790);
  }
}

}  // namespace
}  // namespace silicast
