// Ids of the KV blocks of prompts: which request has which, through every edit and merge.
#include <catch2/catch.hpp>
#include <set>

#include "trace_test_support.hpp"
#include "workloads/block_ids.hpp"

namespace silicast {
namespace {

constexpr char kTrace[] = "trace: {format: mooncake, file: t, spread: none, block_tokens: 10}";
constexpr char kText[] =
    "{\"timestamp\": 1000, \"input_length\": 25, \"output_length\": 5, \"hash_ids\": [1, 2, 3]}\n"
    "{\"timestamp\": 2000, \"input_length\": 20, \"output_length\": 6, \"hash_ids\": [1, 4]}\n"
    "{\"timestamp\": 3000, \"input_length\": 1, \"output_length\": 7, \"hash_ids\": [18446744073709551615]}\n";
const std::vector<Ids> kIds = {{1, 2, 3}, {1, 4}, {~std::uint64_t{0}}};

TEST_CASE_METHOD(TraceFixture, "the ids of a request are those of the one that was taken last") {
  const Played trace = play(kTrace, kText);
  CHECK(trace.blocks == kIds);
  CHECK(trace.block_tokens == 10);
  CHECK(trace.times() == std::vector<std::int64_t>{0, 1'000'000'000, 2'000'000'000});
}

TEST_CASE_METHOD(TraceFixture, "speed, limits, patience and classes leave the ids") {
  context.class_names = {"chat", "batch"};
  const Played trace =
      play(std::string(kTrace) +
               "\nspeed: 2\nmax_output: 2\ntimeout: 3 s\nclass: batch\nabort: {probability: 0.5, after: "
               "{mean: 1 s}}\n",
           kText);
  CHECK(trace.blocks == kIds);
  CHECK(trace.block_tokens == 10);
}

TEST_CASE_METHOD(TraceFixture, "a slice keeps the ids of what it keeps") {
  CHECK(play(std::string(kTrace) + "\nslice: {from: 1 s}", kText).blocks == std::vector<Ids>{kIds[1], kIds[2]});
  CHECK(play(std::string(kTrace) + "\nslice: {first: 2}", kText).blocks == std::vector<Ids>{kIds[0], kIds[1]});
}

TEST_CASE_METHOD(TraceFixture, "scaled prompts have no ids, and the description says so") {
  const Played trace = play(std::string(kTrace) + "\ntoken_scale: 1.5", kText);
  CHECK(trace.blocks == std::vector<Ids>(3));
  CHECK(trace.block_tokens == 0);
  CHECK(trace.description == "mooncake trace t, tokens times 1.5 (without the ids of its blocks)");
  CHECK(play(std::string(kTrace) + "\ntoken_scale: 1.0", kText).blocks == kIds);
}

TEST_CASE_METHOD(TraceFixture, "parts of a merge share ids within and never with each other") {
  const std::string part = "{" + std::string(kTrace) + "}";
  const Played trace = play("merge: [" + part + ", {speed: 4, " + kTrace + "}]", kText);
  CHECK(trace.block_tokens == 10);
  REQUIRE(trace.blocks.size() == 6);  // 0 of both, 0.25, 0.5, 1 and 2 s
  const auto &a0 = trace.blocks[0], &b0 = trace.blocks[1], &b1 = trace.blocks[2], &a1 = trace.blocks[4];
  CHECK(a0.size() == 3);
  CHECK(a0[0] == a1[0]);
  CHECK(b0[0] == b1[0]);
  CHECK(a0[0] != b0[0]);
  std::set<std::uint64_t> ids;
  for (const Ids& blocks : trace.blocks) ids.insert(blocks.begin(), blocks.end());
  CHECK(ids.size() == 10);  // of 12: each part names one twice
  CHECK(play("merge: [" + part + ", {speed: 4, " + kTrace + "}]", kText).blocks == trace.blocks);
}

TEST_CASE_METHOD(TraceFixture, "a part without ids merges with one that has them, one with other blocks does not") {
  folder.write("a.csv", "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,374,44\n");
  const Played trace = play("merge: [{trace: {format: azure, file: a.csv}}, {" + std::string(kTrace) + "}]", kText);
  CHECK(trace.block_tokens == 10);
  CHECK(trace.blocks[0].empty());
  CHECK(trace.blocks[1].size() == 3);
  CHECK(error_of("merge:\n- {" + std::string(kTrace) +
                     "}\n- {trace: {format: mooncake, file: t, block_tokens: 25, spread: none}}\n",
                 "{\"timestamp\": 0, \"input_length\": 5, \"output_length\": 5, \"hash_ids\": [1]}\n") ==
        "w.yaml:3:3: merge[1]: its prompts name blocks of 25 tokens, those of the parts before it blocks of 10");
}

TEST_CASE_METHOD(TraceFixture, "generated requests have no ids") {
  const Workload workload = workload_of(
      "arrivals: {process: poisson, rate: 1 /s, requests: 5}\nprompt: {distribution: fixed, tokens: 9}\noutput: "
      "{distribution: fixed, tokens: 9}");
  workload.source->next_time();
  workload.source->take();
  CHECK(workload.source->blocks().empty());
  CHECK(workload.source->block_tokens() == 0);
}

TEST_CASE("a prompt has a partial block at its end where it does not come out even") {
  CHECK(blocks_in(1, 512) == 1);
  CHECK(blocks_in(512, 512) == 1);
  CHECK(blocks_in(513, 512) == 2);
}

TEST_CASE("mixing keeps unlike ids of a part unlike") {
  std::set<std::uint64_t> ids;
  for (std::uint64_t id = 0; id < 10000; ++id)
    for (std::size_t part = 0; part < 10; ++part) ids.insert(block_of_part(id, part));
  CHECK(ids.size() == 100000);
}

}  // namespace
}  // namespace silicast
