// BurstGPT's and LLMServingSim's traces, results of benchmarks, and ids of blocks in mapped columns.
#include <catch2/catch.hpp>

#include "trace_test_support.hpp"

namespace silicast {
namespace {

using Times = std::vector<std::int64_t>;
constexpr std::int64_t kSecond = 1'000'000'000;

constexpr char kBurst[] = "trace: {format: burstgpt, file: t}";
constexpr char kBurstText[] =
    "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
    "5,ChatGPT,472,18,490,Conversation log\n"
    "45.5,GPT-4,1087,230,1317,API log\n"
    "118,ChatGPT,417,0,417,Conversation log\n"
    "118,GPT-4,20,7,27,Conversation log\n";

TEST_CASE_METHOD(TraceFixture, "a burstgpt trace passes failures over and counts them") {
  const Played trace = play(kBurst, kBurstText);
  CHECK(trace.times() == Times{0, 81 * kSecond / 2, 113 * kSecond});
  CHECK(trace.requests[1].prompt_tokens == 1087);
  CHECK(trace.requests[1].output_tokens == 230);
  CHECK(trace.description == "burstgpt trace t, 1 failures passed over");
}

TEST_CASE_METHOD(TraceFixture, "failures that are kept count as requests of one token") {
  const Played trace = play("trace: {format: burstgpt, file: t, failures: keep}", kBurstText);
  REQUIRE(trace.requests.size() == 4);
  CHECK(trace.requests[2].prompt_tokens == 417);
  CHECK(trace.requests[2].output_tokens == 1);
  CHECK(trace.description == "burstgpt trace t");
}

TEST_CASE_METHOD(TraceFixture, "burstgpt rows are kept by model and kind of log") {
  CHECK(play("trace: {format: burstgpt, file: t, model: GPT-4}", kBurstText).requests.size() == 2);
  CHECK(play("trace: {format: burstgpt, file: t, log_type: Conversation log}", kBurstText).requests.size() == 2);
  const Played both = play("trace: {format: burstgpt, file: t, model: GPT-4, log_type: API log}", kBurstText);
  REQUIRE(both.requests.size() == 1);
  CHECK(both.requests[0].prompt_tokens == 1087);
}

TEST_CASE_METHOD(TraceFixture, "every broken burstgpt trace is told by line, column and field") {
  const std::string header = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n";
  CHECK(error_of(kBurst, "Timestamp,Model,Request token,Response tokens\n1,a,1,1\n") ==
        "DIR/t:1: no column 'Request tokens' in the header; did you mean 'Request token'? (known: Timestamp, Model, "
        "Request token, Response tokens)");
  CHECK(error_of(kBurst, header + "1,ChatGPT,0,5,5,API log\n") ==
        "DIR/t:2:11: Request tokens: '0' must be from 1 to 100000000 tokens");
  CHECK(error_of(kBurst, header + "1,ChatGPT,7,-5,5,API log\n") ==
        "DIR/t:2:13: Response tokens: '-5' must be from 1 to 100000000 tokens");
  CHECK(error_of(kBurst, header + "9,ChatGPT,7,5,5,API log\n8,ChatGPT,7,5,5,API log\n") ==
        "DIR/t:3:1: Timestamp: out of order: '8' comes behind '9'; sort the trace by time");
  CHECK(error_of("trace: {format: burstgpt, file: t, model: GPT4}", kBurstText) ==
        "w.yaml:1:43: trace.model: no row has the Model 'GPT4'; did you mean 'GPT-4'? (known: ChatGPT, GPT-4)");
  CHECK(error_of("trace: {format: burstgpt, file: t, failures: drop}", kBurstText) ==
        "w.yaml:1:46: trace.failures: unknown use of failures 'drop' (known: skip, keep)");
}

constexpr char kSim[] = "trace: {format: llmservingsim, file: t, block_tokens: 4}";

TEST_CASE_METHOD(TraceFixture, "an llmservingsim trace may have ids of whole blocks, or of all") {
  const Played trace = play(kSim,
                            "{\"input_toks\": 9, \"output_toks\": 3, \"arrival_time_ns\": 100, \"hash_ids\": [5, 6]}\n"
                            "{\"input_toks\": 9, \"output_toks\": 4, \"arrival_time_ns\": 250, \"hash_ids\": [5, 6, "
                            "7]}\n");
  CHECK(trace.times() == Times{0, 150});
  CHECK(trace.blocks == std::vector<Ids>{{5, 6}, {5, 6, 7}});
  CHECK(trace.block_tokens == 4);
  CHECK(trace.requests[1].output_tokens == 4);
}

TEST_CASE_METHOD(TraceFixture, "ids made of tokens are equal as far as the tokens are") {
  const auto line = [](const std::string& tokens, int count) {
    return "{\"input_toks\": " + std::to_string(count) +
           ", \"output_toks\": 3, \"arrival_time_ns\": 1, \"input_tok_ids\": [" + tokens + "]}\n";
  };
  const Played trace = play(kSim, line("1,2,3,4,5,6,7,8,9", 9) + line("1,2,3,4,5,6,7,8", 8) +
                                      line("1,2,3,4,5,6,7,0", 8) + line("9,2,3,4,5,6,7,8", 8) + line("1,2,3", 3));
  const auto& blocks = trace.blocks;
  CHECK(blocks[0].size() == 2);
  CHECK(blocks[0] == blocks[1]);
  CHECK(blocks[2][0] == blocks[0][0]);
  CHECK(blocks[2][1] != blocks[0][1]);
  CHECK(blocks[3][0] != blocks[0][0]);
  CHECK(blocks[3][1] != blocks[0][1]);  // an equal block behind another is another
  CHECK(blocks[4].empty());
}

TEST_CASE_METHOD(TraceFixture, "an llmservingsim trace without ids has no blocks, and not half of them") {
  const std::string bare = "{\"input_toks\": 9, \"output_toks\": 3, \"arrival_time_ns\": 100}\n";
  CHECK(play(kSim, bare).block_tokens == 0);
  const std::string with = "{\"input_toks\": 9, \"output_toks\": 3, \"arrival_time_ns\": 100, \"hash_ids\": [1]}\n";
  CHECK(error_of(kSim, with + bare) == "DIR/t:2: has neither hash_ids nor input_tok_ids, which the lines before have");
  CHECK(error_of(kSim, bare + with) == "DIR/t:2: has hash_ids or input_tok_ids, which the lines before have not");
  CHECK(error_of(kSim,
                 "{\"input_toks\": 9, \"output_toks\": 3, \"arrival_time_ns\": 100, \"hash_ids\": [1, 2, 3, 4]}\n") ==
        "DIR/t:1: hash_ids: 4 ids where a prompt of 9 tokens has 3 blocks of 4; is block_tokens right?");
  CHECK(
      error_of(kSim, "{\"input_toks\": 9, \"output_toks\": 3, \"arrival_time_ns\": 1, \"input_tok_ids\": [1, 2]}\n") ==
      "DIR/t:1: input_tok_ids: 2 tokens where input_toks says 9");
  CHECK(error_of(kSim, "{\"input_tokens\": 9, \"output_toks\": 3, \"arrival_time_ns\": 1}\n") ==
        "DIR/t:1: no key 'input_toks' in the object; did you mean 'input_tokens'? (known: arrival_time_ns, "
        "output_toks, input_tokens)");
}

constexpr char kVllm[] = "trace: {format: vllm_bench, file: t}";

TEST_CASE_METHOD(TraceFixture, "a benchmark's requests come as they were sent, failures left out") {
  const Played trace = play(
      kVllm,
      "{\"date\": \"x\", \"request_rate\": 4.0,\n \"itls\": [[0.1], []], \"input_lens\": [10, 20, 30, 40],\n"
      " \"output_lens\": [1, 2, 0, 4], \"start_times\": [1000.25, 1000.125, 1000.5, 1001.25], \"errors\": [\"\"]}");
  CHECK(trace.times() == Times{0, kSecond / 8, 9 * kSecond / 8});
  CHECK(trace.requests[0].prompt_tokens == 20);
  CHECK(trace.requests[1].prompt_tokens == 10);
  CHECK(trace.requests[2].output_tokens == 4);
  CHECK(trace.description == "vllm_bench trace t, 1 failures passed over");
}

TEST_CASE_METHOD(TraceFixture, "one of several runs of a benchmark is told by its number") {
  const std::string one = "{\"input_lens\": [10], \"output_lens\": [1], \"start_times\": [5]}\n";
  const std::string two = "{\"input_lens\": [20], \"output_lens\": [0], \"start_times\": [7]}\n";
  const Played trace = play("trace: {format: sglang_bench, file: t, run: 2, failures: keep}", one + two);
  CHECK(trace.requests.at(0).prompt_tokens == 20);
  CHECK(trace.requests.at(0).output_tokens == 1);
  CHECK(error_of("trace: {format: sglang_bench, file: t}", one + two) ==
        "DIR/t: holds several runs; give run: N, from 1");
  CHECK(error_of("trace: {format: sglang_bench, file: t, run: 3}", one + two) == "DIR/t: has 2 runs, no run 3");
}

TEST_CASE_METHOD(TraceFixture, "arrivals of a benchmark that does not save them are not made up") {
  CHECK(error_of(kVllm, "{\"input_lens\": [10], \"output_lens\": [1], \"request_rate\": 4.5}") ==
        "DIR/t: start_times: is not in the result, so when its requests came is not known, and request_rate 4.5 does "
        "not tell; arrivals are not made up; save it with --save-detailed by a vLLM that writes it, or use a "
        "generator (arrivals:)");
  CHECK(error_of("trace: {format: sglang_bench, file: t}", "{\"input_lens\": [10], \"output_lens\": [1]}") ==
        "DIR/t: start_times: is not in the result, so when its requests came is not known, and arrivals are not made "
        "up; save it with --output-details by an SGLang that writes it, or use a generator (arrivals:)");
}

TEST_CASE_METHOD(TraceFixture, "every broken result of a benchmark is told by its key") {
  CHECK(error_of(kVllm, "") == "DIR/t: is empty");
  CHECK(error_of(kVllm, "[1]") == "DIR/t: holds no JSON object, which a result is");
  CHECK(error_of(kVllm, "{\"input_lens\": [1, 2") == "DIR/t: not valid JSON at byte 21 of run 1; is the file cut off?");
  CHECK(error_of(kVllm, "{\"output_lens\": [1]}") ==
        "DIR/t: input_lens: is not in the result; save it with --save-detailed by a vLLM that writes it");
  CHECK(error_of(kVllm, "{\"input_lens\": 5, \"output_lens\": [1], \"start_times\": [1]}") ==
        "DIR/t: input_lens: is 5 where a list is due");
  CHECK(error_of(kVllm, "{\"input_lens\": [5, 6], \"output_lens\": [1], \"start_times\": [1, 2]}") ==
        "DIR/t: output_lens: 1 items where input_lens has 2");
  CHECK(error_of(kVllm, "{\"input_lens\": [5, \"x\"], \"output_lens\": [1, 1], \"start_times\": [1, 2]}") ==
        "DIR/t: input_lens: item 2: ''x'' is not a whole number");
  CHECK(error_of(kVllm, "{\"input_lens\": [5], \"output_lens\": [1], \"start_times\": [null]}") ==
        "DIR/t: start_times: item 1: 'null' is not a number");
  CHECK(error_of(kVllm, "{\"input_lens\": [5], \"output_lens\": [0], \"start_times\": [1]}") ==
        "DIR/t: holds no request");
}

constexpr char kMapped[] =
    "columns: {arrival: t, prompt: p, output: o, blocks: b}, units: {arrival: s}, block_tokens: 16}";

TEST_CASE_METHOD(TraceFixture, "mapped columns may hold ids of blocks") {
  const std::string csv = "trace: {format: csv, file: t, " + std::string(kMapped);
  const std::string jsonl = "trace: {format: jsonl, file: t, " + std::string(kMapped);
  const std::vector<Ids> due = {{1, 2}, {}, {1}};
  const Played of_csv = play(csv, "t,p,o,b\n0,20,1,1 2\n1,20,1,\n2,16,1,1\n");
  CHECK(of_csv.blocks == due);
  CHECK(of_csv.block_tokens == 16);
  CHECK(play(jsonl,
             "{\"t\": 0, \"p\": 20, \"o\": 1, \"b\": [1, 2]}\n{\"t\": 0, \"p\": 20, \"o\": 1, \"b\": []}\n{\"t\": 0, "
             "\"p\": 16, \"o\": 1, \"b\": [1]}\n")
            .blocks == due);
  CHECK(error_of(csv, "t,p,o,b\n0,20,1,1 x\n") ==
        "DIR/t:2:8: b: holds 'x'; whole numbers from 0 with blanks between are due");
  CHECK(error_of(csv, "t,p,o,b\n0,20,1,1 2 3\n") ==
        "DIR/t:2:8: b: 3 ids where a prompt of 20 tokens has 2 blocks of 16; is block_tokens right?");
  CHECK(error_of("trace: {format: csv, file: t, columns: {arrival: t, prompt: p, output: o, blocks: b}, units: "
                 "{arrival: s}}",
                 "t,p,o,b\n0,20,1,1\n") == "w.yaml:1:8: trace: missing key 'block_tokens'");
  CHECK(error_of("trace: {format: csv, file: t, columns: {arrival: t, prompt: p, output: o}, units: {arrival: s}, "
                 "block_tokens: 16}",
                 "t,p,o,b\n0,20,1,1\n") ==
        "w.yaml:1:111: trace.block_tokens: goes with columns.blocks, which is not there");
}

}  // namespace
}  // namespace silicast
